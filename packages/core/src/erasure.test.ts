import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import { toHex } from './bytes.ts'
import type { ClusterLock } from './cluster-lock.ts'
import { ERASURE_BYTES_MAX } from './document-limits.ts'
import { type Erasure, readErasure, signErasure, verifyErasure } from './erasure.ts'
import { codeOf } from './errors.ts'
import { tagged } from './hash.ts'
import type { IdentitySigner } from './identity.ts'

const SECRET = tagged('erasure-test')
const signer: IdentitySigner = {
  key: { type: 'ed25519', publicKey: ed25519.getPublicKey(SECRET) },
  sign: async (message) => ed25519.sign(message, SECRET),
}
const LOCK = {
  clusterId: 'ab'.repeat(32),
  nodes: [
    { name: 'zurich', identity: signer.key },
    { name: 'oslo', identity: { type: 'ed25519', publicKey: ed25519.getPublicKey(tagged('other')) } },
  ],
} as unknown as ClusterLock
const FACTS = {
  clusterId: LOCK.clusterId,
  node: 'zurich',
  keyId: 'treasury',
  publicKey: `02${'11'.repeat(32)}`,
  epochs: [0, 4],
  kek: { destroyed: 3, hsms: ['primary', 'backup'], without: [] },
  at: '2026-11-21T15:00:00.000Z',
}

const code = (act: () => unknown): string => {
  try {
    act()
    return 'OK'
  } catch (error) {
    return codeOf(error)
  }
}
const check = (erasure: unknown, lock = LOCK) => code(() => verifyErasure(lock, readErasure(JSON.stringify(erasure))))

describe('erasure record', () => {
  let erasure: Erasure
  before(async () => {
    erasure = await signErasure(FACTS, signer)
  })

  it('erasure record: is read back, verifies under the lock, and says that backups may still hold the share', () => {
    const text = JSON.stringify(erasure)
    expect(text.length).to.be.below(ERASURE_BYTES_MAX)
    expect(readErasure(text)).to.deep.equal(erasure)
    expect(check(erasure)).to.equal('OK')
    expect(erasure).to.deep.include({ ...FACTS, backups: 'a backup that was made before may still hold the share' })
  })

  it('erasure record: the order in which its fields are written does not matter', () => {
    const reversed = Object.fromEntries(Object.entries(erasure).reverse())
    expect(check({ ...reversed, kek: Object.fromEntries(Object.entries(erasure.kek).reverse()) })).to.equal('OK')
  })

  const changes: readonly Partial<Record<keyof Erasure, unknown>>[] = [
    { keyId: 'other' },
    { publicKey: `03${'11'.repeat(32)}` },
    { publicKey: null },
    { epochs: [0] },
    { epochs: [4, 0] },
    { kek: { ...FACTS.kek, destroyed: 4 } },
    { kek: { ...FACTS.kek, hsms: ['primary'] } },
    { kek: { ...FACTS.kek, without: ['old'] } },
    { at: '2026-11-21T15:00:00.001Z' },
    { node: 'oslo' },
  ]
  for (const change of changes) {
    it(`erasure record: with another ${JSON.stringify(change)} it is forged`, () => {
      expect(check({ ...erasure, ...change })).to.equal('ERASURE_FORGED')
    })
  }

  it('erasure record: any bit of the signature counts', () => {
    for (let at = 0; at < erasure.signature.length; at++) {
      const digit = (Number.parseInt(erasure.signature[at] as string, 16) ^ 1).toString(16)
      const signature = erasure.signature.slice(0, at) + digit + erasure.signature.slice(at + 1)
      expect(check({ ...erasure, signature }), String(at)).to.equal('ERASURE_FORGED')
    }
  })

  it('erasure record: of another cluster, or of a node that the lock does not have, it is refused', () => {
    expect(check(erasure, { ...LOCK, clusterId: 'cd'.repeat(32) })).to.equal('ERASURE_OTHER_CLUSTER')
    expect(check(erasure, { ...LOCK, nodes: [] })).to.equal('ERASURE_UNKNOWN_NODE')
  })

  it('erasure record: what is malformed, unbounded or has an unknown field is not one', async () => {
    const bad: readonly unknown[] = [
      null,
      [],
      {},
      { ...erasure, extra: 1 },
      { ...erasure, kek: { ...erasure.kek, extra: 1 } },
      { ...erasure, format: 'conclave-erasure/2' },
      { ...erasure, backups: 'none' },
      { ...erasure, epochs: [] },
      { ...erasure, epochs: [1.5] },
      { ...erasure, keyId: 'A' },
      { ...erasure, signature: '' },
      { ...erasure, signature: toHex(new Uint8Array(73)) },
      { ...erasure, at: 'yesterday' },
    ]
    for (const value of bad) expect(check(value), JSON.stringify(value)).to.equal('BAD_ERASURE')
    expect(code(() => readErasure('not JSON'))).to.equal('BAD_ERASURE')
    expect(code(() => readErasure(' '.repeat(ERASURE_BYTES_MAX + 1)))).to.equal('BAD_ERASURE')
    const unsigned = await signErasure({ ...FACTS, epochs: [] }, signer).catch(codeOf)
    expect(unsigned).to.equal('BAD_ERASURE')
  })
})
