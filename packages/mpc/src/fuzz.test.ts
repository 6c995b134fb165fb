import { ConclaveError, type PartyId } from '@conclave/core'
import { encode, KeyPublic, PairPublic } from '@conclave/wire'
import { expect } from 'chai'
import fc from 'fast-check'
import { scalarFromBytes } from './arithmetic.ts'
import { derive } from './derivation.ts'
import { verifies } from './ecdsa.ts'
import { checkKeyPublic, encodeShareSecret, type KeyShare, parseKeyShare } from './key.ts'
import { encodePairSecret, type PairState, parsePairState } from './pair-state.ts'
import { pointFromBytes } from './points.ts'
import { verifyKnowledge } from './schnorr.ts'
import { expectSane } from './testing/claims.fixture.ts'
import { runDeal, runDkg, runPair, runSign, testRequest } from './testing/cluster.ts'
import { committee, keyOf, pairOf } from './testing/committee.ts'
import { runCorrelate, TestPool } from './testing/pool.ts'
import { always } from './testing/property.fixture.ts'
import { refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import type { InFlight, Tamper } from './testing/run.ts'
import { q, toBigint } from './testing/scalars.fixture.ts'

/** Some bytes of a body written over, or the body cut or lengthened: what a deviating peer may send under its own name. */
interface Mutation {
  readonly round: number
  readonly edits: readonly (readonly [number, number])[]
  readonly cut: number
  readonly again: boolean
}
const mutation = (rounds: number): fc.Arbitrary<Mutation> =>
  fc.record({
    round: fc.integer({ min: 1, max: rounds }),
    edits: fc.array(fc.tuple(fc.nat(80_000), fc.nat(255)), { maxLength: 4 }),
    cut: fc.constantFrom(0, 0, 0, 1, 7),
    again: fc.boolean(),
  })

function mutate(body: Uint8Array, { edits, cut }: Mutation): Uint8Array {
  const out = body.slice(0, body.length - cut)
  for (const [at, value] of edits) if (out.length > 0) out[at % out.length] = value
  return out
}
/** Party 3 sends mutated bodies; when `again`, the good one after a bad one. */
const from3 =
  (m: Mutation): Tamper =>
  (sent) =>
    sent.from === 3 && sent.round === m.round ? mutate(sent.body, m) : sent.body
const first3 = (m: Mutation) => (sent: InFlight) =>
  sent.from === 3 && sent.round === m.round ? [{ ...sent, body: mutate(sent.body, m) }] : []
const options = (m: Mutation) => (m.again ? { inject: first3(m) } : { tamper: from3(m) })

/** Runs `act`; whatever escapes must be ours. */
function typed(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    expect(error).to.be.instanceOf(ConclaveError)
    expect((error as ConclaveError).code).to.not.be.oneOf(['INTERNAL', 'ASSERTION'])
  }
}
const junk = fc.uint8Array({ maxLength: 400 })
const near = (bytes: Uint8Array) =>
  fc
    .array(fc.tuple(fc.nat(bytes.length), fc.nat(255)), { maxLength: 3 })
    .map((edits) => mutate(bytes, { round: 0, edits, cut: 0, again: false }))

describe('panic instead of abort', () => {
  it('panic instead of abort: mutated messages of a dealer leave key generation in a sane state', () => {
    always(
      fc.property(mutation(4), (m) => expectSane(runDkg([1, 2, 3], 2, 'fuzz', options(m)))),
      { numRuns: 60 },
    )
  })

  it('panic instead of abort: mutated messages of a dealer leave refresh and reshare in a sane state', () => {
    const { shares } = keyOf(2, 3)
    // In the second, 3 deals without a seat; in the last it has a seat and does not deal.
    const specs = [refreshOf(shares), reshareOf(shares, [2, 3], [1, 2, 4], 2), reshareOf(shares, [1, 2], [1, 3, 4], 3)]
    for (const spec of specs)
      always(
        fc.property(mutation(4), (m) => expectSane(runDeal(spec, 'fuzz', options(m)))),
        { numRuns: 20 },
      )
  })

  it('panic instead of abort: mutated messages of a peer leave pair setup in a sane state', () => {
    always(
      fc.property(mutation(2), (m) => expectSane(runPair(1, 3, 'fuzz', options(m)))),
      { numRuns: 3 },
    )
  })

  it('panic instead of abort: mutated messages of a signer leave signing in a sane state', () => {
    always(
      fc.property(mutation(4), (m) => expectSane(runSign(committee(2, 3, [1, 3]), testRequest([1, 3]), 'fuzz', options(m)))),
      {
        numRuns: 16,
      },
    )
  })

  it('panic instead of abort: mutated messages of a signer leave signing with a pool in a sane state', () => {
    // Party 3 is offered entries that it has not, and offers some that party 5 does not expect.
    const play = (m: Mutation, keep: readonly PartyId[]) => {
      const pool = new TestPool()
      pool.fill(1, 3, 'fuzz', 1, keep)
      if (!keep.includes(3)) pool.fill(1, 3, 'fuzz others', 1, [3])
      return runSign(committee(2, 3, [1, 3]), testRequest([1, 3]), 'fuzz', { ...options(m), ...pool.options([1, 3]) })
    }
    always(
      fc.property(mutation(6), fc.constantFrom<readonly PartyId[]>([1, 3], [1]), (m, keep) => expectSane(play(m, keep))),
      { numRuns: 30 },
    )
  })

  it('panic instead of abort: mutated messages of a peer leave the filling of the pool in a sane state', () => {
    always(
      fc.property(mutation(3), (m) => expectSane(runCorrelate(1, 3, 'fuzz', 2, options(m)))),
      { numRuns: 12 },
    )
  })

  it('panic instead of abort: bytes that are no share, no key and no pair state are refused with typed errors only', () => {
    const share = keyOf(2, 3).shares.get(1) as KeyShare
    const pair = pairOf(1, 3).get(1) as PairState
    const publicKey = encode(KeyPublic, share.public)
    const [sealed, sealedPair] = [encodeShareSecret(share).bytes, encodePairSecret(pair).bytes]
    const publicPair = encode(PairPublic, pair.public)
    const self = fc.integer({ min: -1, max: 10 })
    always(
      fc.property(fc.oneof(junk, near(publicKey)), fc.oneof(junk, near(sealed)), self, (p, s, j) => typed(() => parseKeyShare(p, s, j))),
    )
    always(fc.property(fc.oneof(junk, near(publicPair)), fc.oneof(junk, near(sealedPair)), (p, s) => typed(() => parsePairState(p, s))))
  })

  it('panic instead of abort: key descriptions of any shape are refused with typed errors only', () => {
    const { public: key } = keyOf(2, 3).shares.get(1) as KeyShare
    const list = fc.array(fc.uint8Array({ minLength: 33, maxLength: 33 }), { maxLength: 4 })
    const change = fc.record(
      {
        keyId: fc.string(),
        threshold: fc.integer(),
        parties: fc.array(fc.integer({ min: -1, max: 11 }), { maxLength: 4 }),
        publicShares: list,
        origin: fc.string(),
        previousEpoch: fc.integer(),
        dealers: fc.array(fc.integer({ min: -1, max: 11 }), { maxLength: 4 }),
      },
      { requiredKeys: [] },
    )
    always(fc.property(change, (c) => typed(() => checkKeyPublic({ ...key, ...c }))))
  })

  it('panic instead of abort: readers of points, scalars, proofs, signatures and paths throw nothing untyped', () => {
    always(
      fc.property(junk, junk, fc.array(fc.double(), { maxLength: 9 }), (a, b, path) => {
        const scalar = scalarFromBytes(a)
        expect(scalar === undefined || toBigint(scalar) < q).to.equal(true)
        const point = pointFromBytes(a) ?? pointFromBytes(Uint8Array.from([2, ...new Uint8Array(31), 1]))
        expect(verifies(a, b, a)).to.equal(false)
        if (point !== undefined) expect(verifyKnowledge({ nonce: a, response: b }, point, [b])).to.equal(false)
        typed(() => derive(a, b, path))
      }),
    )
  })
})
