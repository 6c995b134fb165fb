import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { toHex, u32 } from './bytes.ts'
import { type ClusterLock, clusterContext, LOCK_FORMAT, lockHash, nodeOf, signLock, verifyLock } from './cluster-lock.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import type { IdentityKey, IdentitySigner } from './identity.ts'
import { formatLock, parseCard, parseLock } from './lock-file.ts'

const secretOf = (i: number) => tagged('test', u32(i))
const ecdsaSigner = (type: 'secp256k1' | 'p256', secret: Uint8Array): IdentitySigner => {
  const curve = { secp256k1, p256 }[type]
  return {
    key: { type, publicKey: curve.getPublicKey(secret) },
    sign: async (m) => curve.sign(m, secret, { prehash: true, lowS: true, format: 'der' }),
  }
}
// One node of each kind.
const signerOf = (i: number): IdentitySigner =>
  i === 2 || i === 3
    ? ecdsaSigner(i === 2 ? 'secp256k1' : 'p256', secretOf(i))
    : { key: { type: 'ed25519', publicKey: ed25519.getPublicKey(secretOf(i)) }, sign: async (m) => ed25519.sign(m, secretOf(i)) }

const peerId = (i: number) => `12D3KooW${'abcdefghj'[i]}`.padEnd(52, 'x')
const plainKey = ({ type, publicKey }: IdentityKey) => ({ type: type as string, publicKey: toHex(publicKey) })
const plain = () => ({
  format: LOCK_FORMAT,
  version: 1,
  clusterId: toHex(tagged('cluster-id')),
  previous: '',
  quorum: { required: 2, of: 3 },
  nodes: [1, 2, 3].map((i) => {
    const { key } = signerOf(i)
    return {
      index: i,
      name: `n${i}`,
      peerId: peerId(i),
      addresses: [`/ip4/127.0.0.1/tcp/${9000 + i}`],
      identity: plainKey(key),
      checkpointKeys: [plainKey(signerOf(10 + i).key), plainKey(signerOf(20 + i).key)],
    }
  }),
  coordinators: [{ name: 'c', peerId: peerId(7), addresses: [] as string[] }],
  signatures: [] as { index: number; signature: string }[],
  approvals: [] as { index: number; signature: string }[],
})
type Plain = ReturnType<typeof plain>

async function signed(): Promise<ClusterLock> {
  let lock = parseLock(plain())
  for (const i of [1, 2, 3]) lock = await signLock(lock, signerOf(i))
  return lock
}

/** Puts `value` in place of the `at`-th value of a tree, counted round. */
function edit(root: object, at: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = []
  const walk = (o: object) => {
    for (const [key, v] of Object.entries(o)) {
      places.push([o as Record<string, unknown>, key])
      if (typeof v === 'object' && v !== null) walk(v)
    }
  }
  walk(root)
  const [o, key] = places[at % places.length] as (typeof places)[0]
  o[key] = value
}

describe('cluster lock', () => {
  it('cluster lock: signed by every node it verifies, and survives its file', async () => {
    const lock = await signed()
    verifyLock(lock)
    const again = parseLock(JSON.parse(formatLock(lock)))
    verifyLock(again)
    expect(toHex(lockHash(again))).to.equal(toHex(lockHash(lock)))
  })

  it('cluster lock: a missing or foreign signature names the node', async () => {
    const lock = await signed()
    const without = { ...lock, signatures: new Map([...lock.signatures].filter(([i]) => i !== 2)) }
    const swapped = { ...lock, signatures: new Map(lock.signatures).set(3, lock.signatures.get(1) as Uint8Array) }
    expect(() => verifyLock(without))
      .to.throw(ConfigError, /n2/)
      .with.property('code', 'LOCK_UNSIGNED')
    expect(() => verifyLock(swapped)).to.throw(ConfigError, /n3/)
    const stranger = await signLock(lock, signerOf(9)).then(
      () => 'signed',
      (e: ConfigError) => e.code,
    )
    expect(stranger).to.equal('NOT_A_MEMBER')
  })

  const changes: Record<string, (o: Plain) => void> = {
    'version and the lock before': (o) => Object.assign(o, { version: 2, previous: toHex(tagged('previous')) }),
    'index of a node': (o) => {
      o.nodes[2]!.index = 4
      o.signatures[2]!.index = 4
    },
    'cluster id': (o) => (o.clusterId = toHex(tagged('other'))),
    threshold: (o) => (o.quorum.required = 3),
    'node name': (o) => (o.nodes[0]!.name = 'evil'),
    'peer id': (o) => (o.nodes[0]!.peerId = peerId(8)),
    address: (o) => (o.nodes[0]!.addresses = ['/ip4/127.0.0.1/tcp/1']),
    'checkpoint key': (o) => (o.nodes[0]!.checkpointKeys[1] = plainKey(signerOf(30).key)),
    'number of checkpoint keys': (o) => o.nodes[0]!.checkpointKeys.pop(),
    'order of checkpoint keys': (o) => o.nodes[0]!.checkpointKeys.reverse(),
    'kind of a checkpoint key': (o) => (o.nodes[1]!.checkpointKeys[0] = plainKey(ecdsaSigner('p256', secretOf(30)).key)),
    coordinator: (o) => (o.coordinators[0]!.peerId = peerId(8)),
    'another coordinator': (o) => o.coordinators.push({ name: 'd', peerId: peerId(8), addresses: [] }),
  }
  for (const [what, change] of Object.entries(changes)) {
    it(`cluster lock: changing the ${what} breaks every signature`, async () => {
      const o = JSON.parse(formatLock(await signed())) as Plain
      change(o)
      expect(() => verifyLock(parseLock(o)))
        .to.throw(ConfigError)
        .with.property('code', 'LOCK_UNSIGNED')
    })
  }

  const faults: Record<string, (o: Plain) => unknown> = {
    'unknown field': (o) => Object.assign(o, { extra: 1 }),
    'missing field': (o) => Reflect.deleteProperty(o, 'quorum'),
    'two nodes at one index': (o) => (o.nodes[2]!.index = 1),
    'index 10': (o) => (o.nodes[2]!.index = 10),
    'a signature of nobody': (o) => o.signatures.push({ index: 4, signature: '00' }),
    'a signature that is too long': (o) => o.signatures.push({ index: 1, signature: '00'.repeat(73) }),
    'version 1 with one before it': (o) => (o.previous = toHex(tagged('previous'))),
    'version 1 with an approval': (o) => o.approvals.push({ index: 1, signature: '00' }),
    'version 2 with nothing before it': (o) => (o.version = 2),
    'two approvals of one node': (o) =>
      Object.assign(o, { version: 2, previous: toHex(tagged('previous')), approvals: [1, 1].map((index) => ({ index, signature: '00' })) }),
    'two nodes with one name': (o) => (o.nodes[1]!.name = 'n1'),
    'node and coordinator with one peer id': (o) => (o.coordinators[0]!.peerId = peerId(1)),
    'one identity twice': (o) => (o.nodes[2]!.identity = o.nodes[0]!.identity),
    'no checkpoint key': (o) => (o.nodes[0]!.checkpointKeys = []),
    'five checkpoint keys': (o) => o.nodes[0]!.checkpointKeys.push(...[31, 32, 33].map((i) => plainKey(signerOf(i).key))),
    'one checkpoint key twice': (o) => (o.nodes[0]!.checkpointKeys[1] = o.nodes[0]!.checkpointKeys[0]!),
    'a checkpoint key of two nodes': (o) => (o.nodes[1]!.checkpointKeys = o.nodes[0]!.checkpointKeys),
    'a checkpoint key that is an identity': (o) => (o.nodes[0]!.checkpointKeys[0] = o.nodes[1]!.identity),
    'a checkpoint key off the curve': (o) => (o.nodes[0]!.checkpointKeys[0]!.publicKey = 'ff'.repeat(32)),
    'a P-256 key that is one of secp256k1': (o) =>
      (o.nodes[2]!.identity.publicKey = plainKey(ecdsaSigner('secp256k1', secretOf(44)).key).publicKey),
    'a key of no kind that we know': (o) => (o.nodes[2]!.identity.type = 'p384'),
    'quorum of another size': (o) => (o.quorum.of = 4),
    'threshold 1': (o) => (o.quorum.required = 1),
    'wrong format': (o) => (o.format = 'x' as never),
    'identity off the curve': (o) => (o.nodes[0]!.identity.publicKey = 'ff'.repeat(32)),
    'two signatures of one node': (o) => o.signatures.push({ index: 1, signature: '00' }, { index: 1, signature: '01' }),
    'version 0': (o) => (o.version = 0),
  }
  for (const [what, change] of Object.entries(faults)) {
    it(`cluster lock: refused: ${what}`, () => {
      const o = plain()
      change(o)
      expect(() => parseLock(o))
        .to.throw(ConfigError)
        .with.property('code')
        .that.is.oneOf(['BAD_LOCK', 'BAD_IDENTITY'])
    })
  }

  it('cluster lock: not an object at all is refused', () => {
    for (const bad of [null, 1, 'x', [], { nodes: 3 }]) expect(() => parseLock(bad)).to.throw(ConfigError)
  })

  it('cluster lock: nodes are found by index, gaps or not, and come sorted', () => {
    const o = plain()
    o.nodes[0]!.index = 9
    const lock = parseLock(o)
    expect(lock.nodes.map((n) => n.index)).to.deep.equal([2, 3, 9])
    expect([nodeOf(lock, 9)?.name, nodeOf(lock, 1), nodeOf(lock, 3)?.name]).to.deep.equal(['n1', undefined, 'n3'])
  })

  it('cluster lock: a card is read strictly', () => {
    const { index: _, ...card } = plain().nodes[0]!
    expect(parseCard({ kind: 'node', ...card })).to.include({ kind: 'node', name: 'n1' })
    expect(parseCard({ kind: 'coordinator', ...plain().coordinators[0] })).to.include({ kind: 'coordinator', name: 'c' })
    for (const wrong of [
      null,
      [],
      {},
      card,
      { kind: 'node', index: 1, ...card },
      { kind: 'coordinator', ...card },
      { ...card, kind: ['node'] },
    ])
      expect(() => parseCard(wrong)).to.throw(ConfigError)
  })

  it('cluster lock: whatever the file says, what is wrong is a ConfigError and nothing else', () => {
    const good = JSON.parse(formatLock(parseLock(plain()))) as Record<string, unknown>
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('', '00', 'ff'.repeat(32), -1, 0, 1, 9, 10, 2 ** 32, [], {}, null))
    const edits = fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 3 })
    const property = fc.property(edits, (list) => {
      const o = structuredClone(good)
      for (const [at, value] of list) edit(o, at, value)
      try {
        expect(parseLock(JSON.parse(formatLock(parseLock(o))))).to.deep.equal(parseLock(o))
      } catch (error) {
        expect(error).to.be.instanceOf(ConfigError)
      }
    })
    fc.assert(property, { seed: 0x6c6f636b, numRuns: 500 })
  })

  it('cluster lock: the context binds version, id, indices and peer ids, and nothing else', async () => {
    const lock = await signed()
    const base = toHex(clusterContext(lock))
    expect(toHex(clusterContext({ ...lock, version: 2 }))).to.not.equal(base)
    expect(toHex(clusterContext({ ...lock, nodes: lock.nodes.map((n) => ({ ...n, peerId: peerId(n.index + 3) })) }))).to.not.equal(base)
    expect(toHex(clusterContext({ ...lock, nodes: lock.nodes.map((n) => ({ ...n, addresses: [] })) }))).to.equal(base)
  })
})
