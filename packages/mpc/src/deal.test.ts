import { seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { type Scalar, scalarFromBytes } from './arithmetic.ts'
import { DEAL_ROUNDS, type DealResult, deal } from './deal.ts'
import type { DealContext } from './deal-context.ts'
import { certificateHash, checkKeyPublic, isCertified, type KeyPublic, type KeyShare, publicShareOf } from './key.ts'
import { isIdentity, mulBase, mulPublic, type Point, pointFromBytes, pointToBytes, sumPoints } from './points.ts'
import { lagrange } from './polynomial.ts'
import { Session } from './session.ts'
import { CLUSTER_CONTEXT, type DealRun, identities, runDkg } from './testing/cluster.ts'
import { keyOf, partiesOf } from './testing/committee.ts'
import { always } from './testing/property.fixture.ts'

const CONTEXT = {
  epoch: 0,
  dealing: { kind: 'create' },
  clusterContext: CLUSTER_CONTEXT,
  keyId: 'test-key',
  nonce: new Uint8Array(32),
  identities: identities([1, 2, 3]),
} as const
const parsed = (b: Uint8Array) => pointFromBytes(b) as Point

function subsets(of: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]]
  return of.flatMap((first, i) => subsets(of.slice(i + 1), size - 1).map((rest) => [first, ...rest]))
}

/** sum lambda_j X_j over `quorum`: the public key exactly when the quorum is large enough. */
const interpolate = (key: KeyPublic, quorum: readonly number[]) =>
  sumPoints(quorum.map((j) => mulPublic(parsed(publicShareOf(key, j)), lagrange(j, quorum))))

function expectKey(run: DealRun, threshold: number, parties: readonly number[]): void {
  const key = run.results.get(parties[0] as number)?.public as KeyPublic
  expect([...run.results.keys()]).to.deep.equal(parties)
  for (const j of parties) {
    const { public: described, secret } = run.shares.get(j) as KeyShare
    expect(described).to.deep.equal(key)
    expect(run.results.get(j)?.public).to.deep.equal(key)
    expect(pointToBytes(mulBase(scalarFromBytes(secret.bytes) as Scalar))).to.deep.equal(publicShareOf(key, j))
    expect(isCertified(key, run.results.get(j)?.attestations ?? [], identities(parties))).to.equal(true)
  }
  expect([key.threshold, key.parties, key.epoch]).to.deep.equal([threshold, parties, 0])
  expect(checkKeyPublic(key)).to.equal(key)
  for (const quorum of subsets(parties, threshold).slice(0, 12))
    expect(pointToBytes(interpolate(key, quorum)), String(quorum)).to.deep.equal(key.publicKey)
  for (const few of subsets(parties, threshold - 1).slice(0, 6))
    expect(pointToBytes(interpolate(key, few)), String(few)).not.to.deep.equal(key.publicKey)
}

/** Party 1's session of a committee that may be nonsense; it must say nothing. */
function runOne(parties: readonly number[], threshold: number, change: Partial<DealContext> = {}) {
  const protocol = deal({ ...CONTEXT, self: 1, parties, threshold, random: seededRandom(utf8('one')), ...change })
  const session = new Session({ self: 1, peers: [2, 3], rounds: DEAL_ROUNDS, protocol })
  expect(session.start()).to.deep.equal([])
  return session.error?.code
}

describe('deal', () => {
  for (const [t, n] of [
    [2, 2],
    [2, 3],
    [3, 3],
    [3, 5],
    [4, 5],
    [4, 7],
  ] as const)
    it(`deal: ${t} of ${n}: any ${t} shares interpolate to the key in the exponent, and fewer do not`, () => {
      expectKey(keyOf(t, n), t, partiesOf(n))
    })

  it('deal: a committee need not be 1..n', () => {
    expectKey(runDkg([2, 5, 9], 2, 'sparse'), 2, [2, 5, 9])
  })

  it('deal: the same seed gives the same key in any order of delivery', () => {
    const expected = keyOf(2, 3).results.get(1)
    for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const { results, sessions } = runDkg([1, 2, 3], 2, 'committee/2/3', { order: seededRandom(utf8(seed)) })
      expect(results.get(1), seed).to.deep.equal(expected)
      expect(results.get(3), seed).to.deep.equal(expected)
      for (const s of sessions.values()) expect(Object.values(s.dropped)).to.deep.equal([0, 0, 0, 0, 0])
    }
  })

  it('deal: another seed, threshold or key id gives another key, chain code and certificate', () => {
    const keys = [keyOf(2, 3), keyOf(3, 3), runDkg([1, 2, 3], 2, 'other')].map((r) => r.results.get(1)?.public as KeyPublic)
    for (const part of ['publicKey', 'chainCode', 'transcript'] as const)
      expect(new Set(keys.map((k) => Buffer.from(k[part]).toString('hex'))).size, part).to.equal(3)
    expect(new Set(keys.map((k) => Buffer.from(certificateHash(k)).toString('hex'))).size).to.equal(3)
  })

  it('deal: shares of zero do not exist and no share is another', () => {
    const { publicShares, publicKey } = (keyOf(3, 5).results.get(1) as DealResult).public
    const points = [publicKey, ...publicShares].map(parsed)
    expect(points.some(isIdentity)).to.equal(false)
    expect(new Set(points.map((p) => Buffer.from(pointToBytes(p)).toString('hex'))).size).to.equal(6)
  })

  it('deal: the share is handed over before the attestation is sent, and nothing is sent without one', () => {
    const sent: number[] = []
    const never = undefined as never
    const { sessions, shares } = runDkg([1, 2], 2, 'unattested', { attest: never, watch: (m) => sent.push(m.round) })
    for (const s of sessions.values()) {
      expect(s.state).to.equal('attesting')
      expect(s.attest?.pending).to.have.nested.property('secret.bytes.length', 32)
    }
    expect(sent.sort()).to.deep.equal([1, 1, 2, 2, 3, 3])
    expect(shares.size).to.equal(0)
  })

  it('deal: committees with an index 0, above 9, repeated, out of order or without oneself are refused before anything is sent', () => {
    const bad = [
      [0, 1],
      [0, 1, 2],
      [1, 1, 2],
      [1, 2, 2],
      [2, 1, 3],
      [1, 2, 10],
      [1, -1, 2],
      [1, 1.5, 2],
      [1, 2, 1 + 2 ** 53],
    ]
    for (const parties of bad) {
      expect(runOne(parties, 2), String(parties)).to.be.oneOf(['BAD_PARTY', 'BAD_PARTY_SET'])
    }
    expect(runOne([2, 3], 2)).to.equal('BAD_PARTY_SET')
  })

  it('deal: thresholds below 2 or above n are refused before anything is sent', () => {
    always(
      fc.property(fc.oneof(fc.integer({ max: 1 }), fc.integer({ min: 4 }), fc.constantFrom(2.5, Number.NaN)), (threshold) => {
        expect(runOne([1, 2, 3], threshold)).to.equal('BAD_THRESHOLD')
      }),
    )
  })

  it('deal: a nonce of another length, an unknown identity or a bad key id are refused before anything is sent', () => {
    for (const n of [0, 31, 33]) expect(runOne([1, 2, 3], 2, { nonce: new Uint8Array(n) })).to.equal('BAD_COMMITTEE')
    expect(runOne([1, 2, 3], 2, { identities: identities([1, 2]) })).to.equal('BAD_COMMITTEE')
    for (const keyId of ['', 'A', '-a', 'a b', 'x'.repeat(64)]) expect(runOne([1, 2, 3], 2, { keyId })).to.equal('BAD_KEY_ID')
  })
})
