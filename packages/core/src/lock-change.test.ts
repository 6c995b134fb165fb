import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import { toHex, utf8 } from './bytes.ts'
import { type ClusterLock, lockHash, type NodeMember, nodeWith, signLock, verifyCheckpoint, verifyLock } from './cluster-lock.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import type { IdentitySigner } from './identity.ts'
import {
  approveLock,
  approversOf,
  checkChange,
  checkSuccessor,
  LOCK_CHAIN_MAX,
  type LockChange,
  nextLock,
  verifyLockChain,
} from './lock-change.ts'
import { formatLock, type Newcomer, parseLock } from './lock-file.ts'

const signerOf = (name: string): IdentitySigner => {
  const secret = tagged('test', utf8(name))
  return { key: { type: 'ed25519', publicKey: ed25519.getPublicKey(secret) }, sign: async (m) => ed25519.sign(m, secret) }
}
const card = (name: string) =>
  ({
    ...{ kind: 'node', name, peerId: '1'.repeat(40) + name, addresses: [] },
    ...{ identity: signerOf(name).key, checkpointKeys: [signerOf(`${name} checkpoint`).key] },
  }) as const satisfies Newcomer
const newcomer = (name: string): [string, Newcomer] => [name, card(name)]
const coordinator = (name: string): Newcomer => ({ kind: 'coordinator', name, peerId: '2'.repeat(40) + name, addresses: [] })

const first: ClusterLock = {
  version: 1,
  clusterId: toHex(tagged('cluster-id')),
  previous: '',
  quorum: { required: 3, of: 5 },
  nodes: [...'abcde'].map((name, i) => ({ ...card(name), index: i + 1 })),
  coordinators: [coordinator('z') as ClusterLock['coordinators'][0]],
  signatures: new Map(),
  approvals: new Map(),
}

async function signed(lock: ClusterLock, names = lock.nodes.map((n) => n.name).join('')): Promise<ClusterLock> {
  let out = lock
  for (const name of names) out = await signLock(out, signerOf(name))
  return out
}

/** The successor that `change` asks for, approved by `approvers` and signed by all of its nodes. */
async function successor(old: ClusterLock, change: LockChange, approvers = 'abc'): Promise<ClusterLock> {
  let next = nextLock(old, change)
  for (const name of approvers) next = await approveLock(old, next, signerOf(name))
  return signed(next)
}

const seats = (lock: ClusterLock) => lock.nodes.map((n) => `${n.index}${n.name}`).join(' ')
const refused = (act: () => unknown, code: string, says = /./) => expect(act).to.throw(ConfigError, says).with.property('code', code)

describe('lock change', () => {
  it('next lock: a successor takes over the seat, an added node the lowest free one, and the rest stays', async () => {
    const next = nextLock(first, {
      replace: new Map([['b', card('f')]]),
      remove: ['d'],
      add: [card('g'), card('h'), coordinator('y')],
      required: 4,
    })
    expect(seats(next)).to.equal('1a 2f 3c 4g 5e 6h')
    expect(next).to.deep.include({
      version: 2,
      previous: toHex(lockHash(first)),
      clusterId: first.clusterId,
      quorum: { required: 4, of: 6 },
    })
    expect(next.coordinators.map((c) => c.name)).to.deep.equal(['z', 'y'])
    expect(seats(nextLock(first, { remove: ['b'] }))).to.equal('1a 3c 4d 5e')
    expect(nextLock(first, { remove: ['z'] }).coordinators).to.deep.equal([])
  })

  it('next lock: a node that stays may have other checkpoint keys, addresses and another peer id', async () => {
    const checkpointKeys = ['b checkpoint', 'b backup'].map((name) => signerOf(name).key)
    const renewed = { ...card('b'), peerId: '3'.repeat(41), addresses: ['/ip4/127.0.0.1/tcp/1'], checkpointKeys }
    const next = await successor(first, { replace: new Map([['b', renewed]]) })
    checkSuccessor(first, next)
    const node = nodeWith(next, signerOf('b').key)
    expect(node).to.deep.equal({ ...renewed, index: 2 })
    const signature = await signerOf('b backup').sign(tagged('checkpoint'))
    expect(
      [first, next].map((lock) => verifyCheckpoint(nodeWith(lock, signerOf('b').key) as NodeMember, tagged('checkpoint'), signature)),
    ).to.deep.equal([false, true])
  })

  it('next lock: what cannot be done is refused', () => {
    const full = nextLock(first, { add: [...'fghi'].map(card) })
    const bad: [LockChange, ClusterLock?][] = [
      [{ remove: ['x'] }],
      [{ replace: new Map([['x', card('f')]]) }],
      [{ replace: new Map([['a', coordinator('y')]]) }],
      [{ replace: new Map([['z', card('f')]]) }],
      [{ replace: new Map([newcomer('a')]), remove: ['a'] }],
      [{ add: [card('j')] }, full],
    ]
    for (const [change, old = first] of bad) refused(() => nextLock(old, change), 'BAD_LOCK_CHANGE')
    refused(() => nextLock(first, { add: [card('a')] }), 'BAD_LOCK')
    refused(() => nextLock(first, { required: 6 }), 'BAD_LOCK')
  })

  it('successor: approved by the old quorum and signed by every new node it is accepted, and survives its file', async () => {
    const next = await successor(first, { replace: new Map([['e', card('f')]]), add: [card('g')] }, 'bde')
    checkSuccessor(first, next)
    checkSuccessor(first, parseLock(JSON.parse(formatLock(next))))
    expect(approversOf(first, next).map((n) => n.name)).to.deep.equal(['b', 'd', 'e'])
    const third = await successor(next, { remove: ['a'] }, 'bfg')
    checkSuccessor(next, third)
    expect(seats(third)).to.equal('2b 3c 4d 5f 6g')
  })

  it('successor: a version of its own, an older one, one that skips and one of another line are refused', async () => {
    const old = await signed(first)
    const second = await successor(old, {})
    const third = await successor(second, {})
    refused(() => checkSuccessor(old, third), 'LOCK_SKIPPED')
    refused(() => checkSuccessor(second, old), 'LOCK_ROLLED_BACK')
    refused(() => checkSuccessor(second, nextLock(old, { remove: ['a'] })), 'LOCK_CHANGED')
    refused(() => checkSuccessor(second, second), 'LOCK_CONFLICT')
    const elsewhere = { ...old, clusterId: toHex(tagged('other')) }
    refused(() => checkSuccessor(elsewhere, second), 'LOCK_CONFLICT', /another cluster/)
    const fork = await successor(old, { remove: ['a'] }, 'bcd')
    refused(() => checkSuccessor(fork, third), 'LOCK_CONFLICT')
  })

  it('successor: too few approvals, or approvals that are none, name who has not approved', async () => {
    const next = await successor(first, { remove: ['e'] }, 'ace')
    checkSuccessor(first, next)
    const two = { ...next, approvals: new Map([...next.approvals].slice(0, 2)) }
    refused(() => checkSuccessor(first, two), 'LOCK_UNAPPROVED', /2 of 3 .* b, d, e$/)
    const [a, c] = [next.approvals.get(1), next.approvals.get(3)] as [Uint8Array, Uint8Array]
    const swapped = { ...next, approvals: new Map([...next.approvals, [1, c], [3, a]]) }
    refused(() => checkSuccessor(first, swapped), 'LOCK_UNAPPROVED', /1 of 3/)
    // A node's signature as a member is no approval, and an approval no signature.
    refused(() => checkSuccessor(first, { ...next, approvals: next.signatures }), 'LOCK_UNAPPROVED', /0 of 3/)
    refused(() => checkSuccessor(first, { ...next, signatures: new Map(next.approvals) }), 'LOCK_UNSIGNED')
    // Nobody has signed or approved that it follows another lock.
    const moved = { ...next, previous: toHex(tagged('elsewhere')) }
    expect(approversOf(first, moved)).to.deep.equal([])
    refused(() => verifyLock(moved), 'LOCK_UNSIGNED')
    // Approvals of another draft.
    const other = await successor(first, { remove: ['d'] })
    refused(() => checkSuccessor(first, { ...next, approvals: other.approvals }), 'LOCK_UNAPPROVED', /0 of 3/)
  })

  it('successor: a node that does not sign is missing, a newcomer as much as one that stays', async () => {
    let next = nextLock(first, { add: [card('f')] })
    for (const name of 'abc') next = await approveLock(first, next, signerOf(name))
    checkSuccessor(first, await signed(next))
    refused(() => checkSuccessor(first, next), 'LOCK_UNSIGNED', /a, b, c, d, e, f/)
    const { signatures } = await signed(next)
    for (const [lacking, name] of [
      [1, 'a'],
      [6, 'f'],
    ] as const) {
      const rest = new Map([...signatures].filter(([i]) => i !== lacking))
      refused(() => checkSuccessor(first, { ...next, signatures: rest }), 'LOCK_UNSIGNED', new RegExp(`signature of ${name}$`))
    }
  })

  it('change: a quorum must stay, and less than a quorum may leave', () => {
    const remove = (names: string) => nextLock(first, { remove: [...names], add: [...'fgh'].map(card) })
    checkChange(first, remove('ab'))
    refused(() => remove('abc'), 'LOCK_TOO_FEW_STAY')
    // Two of five: three may stay, and two could sign with what they take along.
    const low = { ...first, quorum: { required: 2, of: 5 } }
    nextLock(low, { remove: ['a'] })
    refused(() => nextLock(low, { remove: ['a', 'b'] }), 'LOCK_TOO_MANY_LEAVE', /a, b/)
  })

  it('change: who stays keeps index and name', () => {
    const next = nextLock(first, {})
    const edited = (change: (n: NodeMember) => Partial<NodeMember>): ClusterLock => ({
      ...next,
      nodes: next.nodes.map((n) => ({ ...n, ...change(n) })).sort((a, b) => a.index - b.index),
    })
    checkChange(
      first,
      edited((n) => ({ addresses: [`/dns/${n.name}/tcp/1`] })),
    )
    refused(
      () =>
        checkChange(
          first,
          edited((n) => (n.name === 'a' ? { index: 6 } : {})),
        ),
      'LOCK_SEAT_MOVED',
      /^cluster lock: a /,
    )
    refused(
      () =>
        checkChange(
          first,
          edited((n) => (n.name === 'c' ? { name: 'x' } : {})),
        ),
      'LOCK_SEAT_MOVED',
    )
    refused(
      () => nextLock(first, { remove: ['a'], add: [{ ...card('a'), name: 'f' }], replace: new Map([['b', card('g')]]) }),
      'LOCK_SEAT_MOVED',
    )
  })

  it('approval: only a node of the old lock gives one, and only to what may follow', async () => {
    const next = nextLock(first, { add: [card('f')] })
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'approved',
        (e: ConfigError) => e.code,
      )
    expect(await codeOf(approveLock(first, next, signerOf('e')))).to.equal('approved')
    expect(await codeOf(approveLock(first, next, signerOf('f')))).to.equal('NOT_A_MEMBER')
    expect(await codeOf(approveLock(first, nextLock(next, {}), signerOf('a')))).to.equal('LOCK_SKIPPED')
  })

  it('chain: hashes alone lead from the present lock back to the first; a gap, a fork or a foreign lock breaks it', () => {
    const locks = [first]
    for (let i = 0; i <= LOCK_CHAIN_MAX; i++) locks.push(nextLock(locks.at(-1) as ClusterLock, {}))
    const [one, two, three, four] = locks as [ClusterLock, ClusterLock, ClusterLock, ClusterLock]
    for (const older of [[], [three], [two, three], [one, two, three]]) verifyLockChain(four, older)
    const fork = nextLock(first, { remove: ['a'] })
    for (const older of [
      [two],
      [one, three],
      [three, two],
      [three, three],
      [one, fork, three],
      [{ ...one, quorum: { required: 2, of: 5 } }, two, three],
    ])
      refused(() => verifyLockChain(four, older), 'BAD_LOCK_CHAIN')
    const hash = toHex(lockHash(one))
    refused(() => verifyLockChain({ ...three, previous: hash }, [one]), 'BAD_LOCK_CHAIN')
    refused(() => verifyLockChain({ ...two, clusterId: toHex(tagged('other')) }, [one]), 'BAD_LOCK_CHAIN')
    const present = locks.at(-1) as ClusterLock
    verifyLockChain(present, locks.slice(-1 - LOCK_CHAIN_MAX, -1))
    refused(() => verifyLockChain(present, locks.slice(0, -1)), 'BAD_LOCK_CHAIN', /at most/)
  })
})
