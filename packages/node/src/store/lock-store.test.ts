import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  approveLock,
  type ClusterLock,
  clusterContext,
  lockHash,
  type NodeMember,
  nextLock,
  signLock,
  tagged,
  toHex,
  u32,
  utf8,
  verifyLockChain,
} from '@conclave/core'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { encode, type KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { LevelStore } from './level-store.ts'
import { LockStore } from './lock-store.ts'
import type { Store } from './store.ts'

const signers = [1, 2, 3].map((i) => softIdentity(tagged('lock-store', u32(i))))

async function signed(lock: ClusterLock): Promise<ClusterLock> {
  let out = lock
  for (const signer of signers) out = await signLock(out, signer)
  return out
}

async function successor(old: ClusterLock): Promise<ClusterLock> {
  let next = nextLock(old, {})
  for (const signer of signers.slice(0, 2)) next = await approveLock(old, next, signer)
  return signed(next)
}

describe('lock store', () => {
  let dir: string
  let store: Store
  let locks: LockStore
  let chain: readonly [ClusterLock, ClusterLock, ClusterLock]

  const reopen = async (): Promise<void> => {
    await store?.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    locks = await LockStore.open(store)
  }
  const hashes = (list: readonly ClusterLock[]) => list.map((lock) => toHex(lockHash(lock)))

  before(async () => {
    const first = await signed({
      version: 1,
      clusterId: toHex(tagged('lock-store-cluster')),
      previous: '',
      quorum: { required: 2, of: 3 },
      nodes: signers.map(({ key }, i) => ({
        kind: 'node',
        index: i + 1,
        name: `n${i + 1}`,
        peerId: peerIdOf(key),
        addresses: [],
        identity: key,
        checkpointKeys: [softIdentity(tagged('lock-store-checkpoint', u32(i))).key],
      })),
      coordinators: [],
      signatures: new Map(),
      approvals: new Map(),
    })
    const second = await successor(first)
    chain = [first, second, await successor(second)]
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-locks-'))
    await LevelStore.create(join(dir, 'db'))
    await reopen()
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('lock store: one version after the other is adopted once, and the history outlives restarts', async () => {
    expect([locks.present, locks.older]).to.deep.equal([undefined, []])
    const outcomes: string[] = []
    for (const lock of [chain[0], chain[0], chain[1], chain[2], chain[2]]) outcomes.push(await locks.adopt(lock))
    expect(outcomes).to.deep.equal(['first', 'same', 'next', 'next', 'same'])
    for (const again of [false, true]) {
      if (again) await reopen()
      expect(hashes([...locks.older, locks.present as ClusterLock])).to.deep.equal(hashes(chain))
      for (const lock of chain) expect(locks.lockOf(clusterContext(lock))?.version).to.equal(lock.version)
      expect(locks.lockOf(tagged('unknown'))).to.equal(undefined)
      verifyLockChain(locks.present as ClusterLock, locks.older)
    }
  })

  it('lock store: the first lock may be of any version, but must be signed by all of its nodes', async () => {
    const { signatures } = chain[2]
    expect(await refusal(() => locks.adopt({ ...chain[2], signatures: new Map([...signatures].slice(1)) }))).to.equal('LOCK_UNSIGNED')
    expect(await locks.adopt(chain[2])).to.equal('first')
  })

  it('lock store: what may not follow is refused and leaves nothing behind', async () => {
    const [first, second, third] = chain
    await locks.adopt(first)
    expect(await refusal(() => locks.adopt(third))).to.equal('LOCK_SKIPPED')
    expect(await refusal(() => locks.adopt({ ...second, approvals: new Map() }))).to.equal('LOCK_UNAPPROVED')
    expect(await refusal(() => locks.adopt({ ...second, signatures: new Map() }))).to.equal('LOCK_UNSIGNED')
    expect(await refusal(async () => locks.adopt(await signed({ ...first, coordinators: [], quorum: { required: 3, of: 3 } })))).to.equal(
      'LOCK_CHANGED',
    )
    await reopen()
    expect(hashes([locks.present as ClusterLock])).to.deep.equal(hashes([first]))
    await locks.adopt(second)
    expect(await refusal(() => locks.adopt(first))).to.equal('LOCK_ROLLED_BACK')
  })

  it('lock store: a lock that the disk did not take is not in force', async () => {
    await locks.adopt(chain[0])
    const rigged = new Proxy(store, {
      get: (target, name) =>
        name === 'apply' ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name, target).bind(target),
    })
    const broken = await LockStore.open(rigged)
    await broken.adopt(chain[1]).catch(() => undefined)
    expect(broken.present?.version).to.equal(1)
    expect(broken.lockOf(clusterContext(chain[1]))).to.equal(undefined)
  })

  it('lock store: a prepared epoch that may still come true must not be lost either, and one that was passed over counts for nothing', async () => {
    const [first] = chain
    await locks.adopt(first)
    const successor4 = softIdentity(tagged('lock-store', u32(4)))
    const { index: _, ...seat } = first.nodes[0] as NodeMember
    const fourth = { ...seat, name: 'n4', peerId: peerIdOf(successor4.key), identity: successor4.key }
    let next = nextLock(first, { replace: new Map([['n1', fourth]]) })
    for (const signer of signers.slice(0, 2)) next = await approveLock(first, next, signer)
    for (const signer of [...signers.slice(1), successor4]) next = await signLock(next, signer)

    const point = new Uint8Array(33).fill(2)
    const hash = tagged('any')
    const epochOf = (epoch: number, threshold: number): KeyPublic => ({
      ...{ keyId: 'k', epoch, threshold, parties: [1, 2, 3], publicKey: point, chainCode: hash, publicShares: [point, point, point] },
      ...{ nonce: hash, sidParts: [hash, hash, hash], transcript: hash, clusterContext: clusterContext(first), origin: 'create' },
      ...{ previous: new Uint8Array(0), previousEpoch: 0, dealers: [] },
    })
    const sealed = Uint8Array.of(1)
    const active = (key: KeyPublic) => ({
      ...{ put: 'key' as const, key: `k/${key.epoch}` },
      value: encode(StoredKey, { certificate: { key, attestations: [] }, sealed, proved: false }),
    })
    const pending = encode(PendingKey, { key: epochOf(1, 3), sealed, attestations: [] })
    await store.apply([active(epochOf(0, 2)), { put: 'pending-key', key: 'k/1', value: pending }])
    // Two of the present epoch stay, which are enough; of the prepared one all three would be needed.
    expect(await refusal(() => locks.adopt(next))).to.equal('LOCK_LOSES_KEY')
    expect(locks.present?.version).to.equal(1)
    await store.apply([active(epochOf(2, 2))])
    expect(await locks.adopt(next)).to.equal('next')
  })

  it('lock store: versions keep their order past nine, and a record that is no lock is STORE_CORRUPT', async () => {
    let last = chain[2]
    await locks.adopt(last)
    for (let i = 0; i < 8; i++) {
      last = await successor(last)
      await locks.adopt(last)
    }
    await reopen()
    expect(locks.present?.version).to.equal(11)
    await store.apply([{ put: 'lock', key: '0000000012', value: utf8('{}') }])
    expect(await refusal(() => LockStore.open(store))).to.equal('STORE_CORRUPT')
  })
})
