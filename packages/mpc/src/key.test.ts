import { InvalidArgument, utf8 } from '@conclave/core'
import { encode, KeyPublic } from '@conclave/wire'
import { expect } from 'chai'
import { addScalars, negate, type Scalar, scalarFromBytes } from './arithmetic.ts'
import {
  certificateHash,
  checkKeyPublic,
  encodeShareSecret,
  isCertified,
  type KeyShare,
  keyContext,
  keyPublicHash,
  parseKeyShare,
  publicShareOf,
} from './key.ts'
import { addPoints, mulBase, type Point, pointFromBytes, pointToBytes } from './points.ts'
import { CLUSTER_CONTEXT, identities } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { flip } from './testing/run.ts'
import { q, scalar } from './testing/scalars.fixture.ts'

const run = keyOf(2, 3)
const share = run.shares.get(2) as KeyShare
const key = share.public
const publicBytes = encode(KeyPublic, key)
const sealed = encodeShareSecret(share).bytes
const refused = (make: () => unknown, code: string) => expect(make).to.throw(InvalidArgument).with.property('code', code)

/** Every field of the public half changed, one at a time. */
const CHANGED: readonly KeyPublic[] = [
  { ...key, keyId: 'other' },
  { ...key, epoch: 1 },
  { ...key, threshold: 3 },
  { ...key, parties: [1, 2, 4] },
  { ...key, publicKey: key.publicShares[0] as Uint8Array },
  { ...key, chainCode: flip(key.chainCode) },
  { ...key, publicShares: [key.publicShares[1], key.publicShares[0], key.publicShares[2]] as Uint8Array[] },
  { ...key, nonce: flip(key.nonce) },
  { ...key, sidParts: [flip(key.sidParts[0] as Uint8Array), ...key.sidParts.slice(1)] },
  { ...key, transcript: flip(key.transcript) },
  { ...key, clusterContext: flip(key.clusterContext) },
  { ...key, origin: 'refresh' },
  { ...key, previous: new Uint8Array(32) },
  { ...key, previousEpoch: 1 },
  { ...key, dealers: [1, 2] },
]

describe('key', () => {
  it('key: a share is the same after it was sealed and opened', () => {
    const again = parseKeyShare(publicBytes, sealed, 2)
    expect(again.public).to.deep.equal(key)
    expect(again.secret.bytes).to.deep.equal(share.secret.bytes)
    expect(pointToBytes(mulBase(scalarFromBytes(again.secret.bytes) as Scalar))).to.deep.equal(publicShareOf(key, 2))
    expect(sealed).to.have.length(64)
  })

  it('key: a parsed share owns its bytes', () => {
    const opened = Uint8Array.from(sealed)
    const parsed = parseKeyShare(publicBytes, opened, 2)
    opened.fill(0)
    expect(parsed.secret.bytes).to.deep.equal(share.secret.bytes)
    expect(JSON.stringify(parsed.secret) + String(parsed.secret)).to.equal('"[secret]"[secret]')
  })

  it('key: a wrong share is refused', () => {
    const x = scalarFromBytes(share.secret.bytes) as Scalar
    const other = run.shares.get(3) as KeyShare
    for (const secret of [addScalars(x, scalar(1n)), negate(x), other.secret.bytes, new Uint8Array(32), new Uint8Array(32).fill(255)])
      refused(() => parseKeyShare(publicBytes, Uint8Array.from([...secret, ...sealed.subarray(32)]), 2), 'BAD_KEY')
  })

  it('key: a share of another party, and a party without a share, are refused', () => {
    refused(() => parseKeyShare(publicBytes, sealed, 1), 'BAD_KEY')
    for (const self of [0, 4, 9, -1, Number.NaN]) refused(() => parseKeyShare(publicBytes, sealed, self), 'BAD_PARTY')
  })

  it('key: any other public half than the one sealed with the share is refused', () => {
    for (const [i, changed] of CHANGED.entries())
      expect(() => parseKeyShare(encode(KeyPublic, changed), sealed, 2), String(i)).to.throw(InvalidArgument)
    // Only the binding stands between x_2 and these: they leave X_2 as it is.
    refused(() => parseKeyShare(encode(KeyPublic, { ...key, chainCode: flip(key.chainCode) }), sealed, 2), 'BAD_KEY')
    refused(() => parseKeyShare(publicBytes, flip(sealed, 256), 2), 'BAD_KEY')
  })

  it('key: any other length than 64 sealed bytes is refused', () => {
    for (const bytes of [sealed.subarray(0, 63), new Uint8Array(0), new Uint8Array(65), Uint8Array.from([...sealed, 0])])
      refused(() => parseKeyShare(publicBytes, bytes, 2), 'BAD_KEY')
  })

  it('key: committees with an index 0, above 9, repeated or out of order are refused', () => {
    for (const parties of [
      [0, 1, 2],
      [1, 1, 2],
      [1, 2, 2],
      [1, 2, 10],
      [1, 2, -1],
      [1, 2, 2.5],
      [1, 2, Number(q)],
      [1, 2, 1 + Number(q)],
    ])
      expect(() => checkKeyPublic({ ...key, parties }), String(parties))
        .to.throw(InvalidArgument)
        .with.property('code')
        .that.is.oneOf(['BAD_PARTY', 'BAD_PARTY_SET'])
    refused(() => checkKeyPublic({ ...key, parties: [2, 1, 3] }), 'BAD_KEY')
  })

  it('key: thresholds, counts, points and ids that do not fit are refused', () => {
    for (const threshold of [0, 1, 4, 2.5]) refused(() => checkKeyPublic({ ...key, threshold }), 'BAD_THRESHOLD')
    refused(() => checkKeyPublic({ ...key, publicShares: key.publicShares.slice(1) }), 'BAD_KEY')
    refused(() => checkKeyPublic({ ...key, sidParts: key.sidParts.slice(1) }), 'BAD_KEY')
    refused(() => checkKeyPublic({ ...key, publicKey: new Uint8Array(33) }), 'BAD_KEY')
    refused(() => checkKeyPublic({ ...key, publicShares: [...key.publicShares.slice(1), new Uint8Array(33)] }), 'BAD_KEY')
    refused(() => checkKeyPublic({ ...key, keyId: 'Not An Id' }), 'BAD_KEY_ID')
    expect(checkKeyPublic(key)).to.equal(key)
  })

  it('key: an origin that cannot be is refused', () => {
    const refresh = { ...key, origin: 'refresh', epoch: 3, previousEpoch: 2, previous: new Uint8Array(32) }
    const reshare = { ...refresh, origin: 'reshare', dealers: [1, 4], sidParts: [...key.sidParts, key.nonce] }
    for (const good of [refresh, reshare, { ...reshare, dealers: [4, 5], sidParts: [...reshare.sidParts, key.nonce] }])
      expect(checkKeyPublic(good)).to.equal(good)
    for (const bad of [
      { ...key, epoch: 1 },
      { ...key, previousEpoch: 1 },
      { ...key, previous: new Uint8Array(32) },
      { ...key, dealers: [1, 2] },
      { ...key, dealers: [1, 2, 4] },
      { ...key, origin: '' },
      { ...key, origin: 'recover' },
      { ...key, clusterContext: new Uint8Array(31) },
      { ...key, nonce: new Uint8Array(0) },
      { ...refresh, origin: 'create' },
      { ...refresh, origin: 'recover' },
      { ...refresh, origin: '' },
      { ...refresh, epoch: 2 },
      { ...refresh, epoch: 1 },
      { ...refresh, previous: new Uint8Array(0) },
      { ...refresh, dealers: [1, 2] },
      { ...refresh, dealers: [1, 2, 4], sidParts: [...key.sidParts, key.nonce] },
      { ...reshare, sidParts: key.sidParts },
      { ...reshare, dealers: [4, 1] },
      { ...reshare, dealers: [4] },
      { ...reshare, dealers: [], sidParts: key.sidParts },
      { ...reshare, epoch: 2 },
    ])
      refused(() => checkKeyPublic(bad), 'BAD_KEY')
    for (const dealers of [
      [0, 1],
      [1, 1],
      [1, 10],
    ])
      expect(() => checkKeyPublic({ ...reshare, dealers })).to.throw(InvalidArgument)
  })

  it('key: public shares that are not shares of the public key are refused', () => {
    const { public: five } = keyOf(3, 5).shares.get(1) as KeyShare
    const shares = five.publicShares as readonly Uint8Array[]
    const other = keyOf(3, 3).shares.get(1) as KeyShare
    expect(checkKeyPublic(five)).to.equal(five)
    refused(() => checkKeyPublic({ ...five, publicKey: other.public.publicKey }), 'BAD_KEY')
    refused(() => checkKeyPublic({ ...five, parties: [1, 2, 3, 4, 6], dealers: [1, 2, 3, 4, 6] }), 'BAD_KEY')
    // The shares lie on a polynomial of degree 2, so they are consistent with any higher threshold, and with no lower one.
    refused(() => checkKeyPublic({ ...five, threshold: 2 }), 'BAD_KEY')
    for (const [i, share] of shares.entries()) {
      const bumped = pointToBytes(addPoints(pointFromBytes(share) as Point, mulBase(scalar(1n))))
      refused(() => checkKeyPublic({ ...five, publicShares: shares.map((s, k) => (k === i ? bumped : s)) }), 'BAD_KEY')
    }
  })

  it('key: the hash of a public half names all of its fields', () => {
    const hashes = [key, ...CHANGED].map((k) => Buffer.from(keyPublicHash(k)).toString('hex'))
    expect(new Set(hashes).size).to.equal(hashes.length)
  })

  it('key: the certificate binds every field of the key and the cluster', () => {
    const hashes = [certificateHash(key), ...CHANGED.map((k) => certificateHash(k))]
    expect(new Set(hashes.map((h) => Buffer.from(h).toString('hex'))).size).to.equal(hashes.length)
  })

  it('key: keyCtx binds cluster, id, point, epoch, threshold, parties, chain code and shares', () => {
    const bound = CHANGED.slice(0, 7)
    const contexts = [keyContext(CLUSTER_CONTEXT, key), keyContext(utf8('other'), key), ...bound.map((k) => keyContext(CLUSTER_CONTEXT, k))]
    expect(new Set(contexts.map((h) => Buffer.from(h).toString('hex'))).size).to.equal(bound.length + 2)
    expect(bound).to.have.length(7)
  })

  it('key: a certificate needs the valid attestation of every party of the committee', () => {
    const attestations = [...(run.results.get(1)?.attestations ?? [])]
    const known = identities([1, 2, 3])
    const certified = (list = attestations, k = key, ids = known) => isCertified(k, list, ids)
    expect(certified()).to.equal(true)
    expect(certified([...attestations].reverse())).to.equal(true)
    for (const missing of [0, 1, 2]) {
      expect(certified(attestations.filter((_, i) => i !== missing))).to.equal(false)
      expect(certified(attestations.map((a, i) => (i === missing ? { ...a, signature: flip(a.signature) } : a)))).to.equal(false)
      expect(
        certified(attestations.map((a, i) => (i === missing ? { ...a, signature: attestations[(i + 1) % 3]!.signature } : a))),
      ).to.equal(false)
    }
    expect(certified([])).to.equal(false)
    for (const changed of CHANGED) expect(certified(attestations, changed)).to.equal(false)
    expect(certified(attestations, key, identities([1, 2]))).to.equal(false)
  })
})
