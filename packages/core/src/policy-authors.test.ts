import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import { toHex, utf8 } from './bytes.ts'
import { type ClusterLock, lockHash, verifyLock } from './cluster-lock.ts'
import { tagged } from './hash.ts'
import type { IdentityKey } from './identity.ts'
import { nextLock } from './lock-change.ts'
import { formatLock, parseLock } from './lock-file.ts'
import { isSignedBy, type PolicyAuthors, policyFileHash } from './policy-authors.ts'

const secretOf = (name: string) => tagged('test', utf8(name))
const keyOf = (name: string): IdentityKey => ({ type: 'ed25519', publicKey: ed25519.getPublicKey(secretOf(name)) })
const author = (name: string) => ({ name, key: keyOf(name) })
const authors: PolicyAuthors = { required: 2, keys: ['ada', 'ben', 'cem'].map(author) }

const bare: ClusterLock = {
  ...{ version: 1, clusterId: toHex(tagged('cluster-id')), previous: '', quorum: { required: 2, of: 3 } },
  nodes: ['a', 'b', 'c'].map((name, i) => ({
    ...{ kind: 'node', index: i + 1, name, peerId: '1'.repeat(40) + name, addresses: [], identity: keyOf(name) },
    checkpointKeys: [keyOf(`${name} checkpoint`)],
  })),
  ...{ coordinators: [], signatures: new Map(), approvals: new Map() },
}
const lock: ClusterLock = { ...bare, authors }
const hashOf = (l: ClusterLock) => toHex(lockHash(l))
const plain = () => JSON.parse(formatLock(lock)) as { authors: { required: number; keys: { name: string; key: Record<string, string> }[] } }

describe('policy authors', () => {
  it('policy authors: they are in the lock file and in its hash; a lock without them keeps its hash', () => {
    expect(parseLock(JSON.parse(formatLock(lock)))).to.deep.equal(lock)
    expect(parseLock(JSON.parse(formatLock(bare)))).not.to.have.property('authors')
    const [ada, ben, cem] = authors.keys as [PolicyAuthors['keys'][0], PolicyAuthors['keys'][0], PolicyAuthors['keys'][0]]
    const others: PolicyAuthors[] = [
      { ...authors, required: 1 },
      { ...authors, keys: [ada, ben] },
      { ...authors, keys: [ben, ada, cem] },
      { ...authors, keys: [ada, ben, { ...cem, name: 'eve' }] },
      { ...authors, keys: [ada, ben, { ...cem, key: keyOf('eve') }] },
    ]
    const hashes = [hashOf(bare), hashOf(lock), ...others.map((o) => hashOf({ ...bare, authors: o }))]
    expect(new Set(hashes).size).to.equal(hashes.length)
  })

  it('policy authors: the next lock keeps them unless it says otherwise, and then all must sign another hash', () => {
    expect(nextLock(lock, {}).authors).to.deep.equal(authors)
    expect(nextLock(lock, { authors: 'none' }).authors).to.equal(undefined)
    const fewer = { ...authors, required: 1 }
    expect(nextLock(lock, { authors: fewer }).authors).to.deep.equal(fewer)
    expect(() => verifyLock(nextLock(lock, { authors: 'none' }))).to.throw(/no valid signature/)
  })

  const faults: Record<string, (o: ReturnType<typeof plain>['authors']) => void> = {
    'more required than there are': (o) => (o.required = 4),
    'none required': (o) => (o.required = 0),
    'two of one name': (o) => (o.keys[1]!.name = 'ada'),
    'two with one key': (o) => (o.keys[1]!.key = o.keys[0]!.key),
    'the identity of a node': (o) => (o.keys[1]!.key.publicKey = toHex(keyOf('a').publicKey)),
    'a checkpoint key': (o) => (o.keys[1]!.key.publicKey = toHex(keyOf('a checkpoint').publicKey)),
    'no Ed25519 key': (o) =>
      (o.keys[1]!.key = { type: 'secp256k1', publicKey: `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}` }),
    'a point of small order': (o) => (o.keys[1]!.key.publicKey = `01${'00'.repeat(31)}`),
    seventeen: (o) =>
      o.keys.push(
        ...Array.from({ length: 14 }, (_, i) => ({ name: `x${i}`, key: { type: 'ed25519', publicKey: toHex(keyOf(`x${i}`).publicKey) } })),
      ),
    'an unknown field': (o) => Object.assign(o.keys[0]!, { role: 'boss' }),
    'no list': (o) => Object.assign(o, { keys: 'ada' }),
  }
  for (const [what, change] of Object.entries(faults))
    it(`policy authors: refused: ${what}`, () => {
      const o = plain()
      change(o.authors)
      expect(() => parseLock(o))
        .to.throw()
        .with.property('code')
        .that.is.oneOf(['BAD_LOCK', 'BAD_IDENTITY'])
    })

  it('policy authors: a signature is of one cluster, sequence, meaning and text', () => {
    const word = { clusterId: tagged('c'), sequence: 3, policyHash: tagged('p'), textHash: tagged('t') }
    const signature = ed25519.sign(policyFileHash(word), secretOf('ada'))
    expect(isSignedBy(author('ada'), word, signature)).to.equal(true)
    expect(isSignedBy(author('ben'), word, signature)).to.equal(false)
    for (const change of [{ clusterId: tagged('x') }, { sequence: 4 }, { policyHash: tagged('x') }, { textHash: tagged('x') }])
      expect(isSignedBy(author('ada'), { ...word, ...change }, signature)).to.equal(false)
    expect(isSignedBy(author('ada'), word, new Uint8Array(3))).to.equal(false)
  })
})
