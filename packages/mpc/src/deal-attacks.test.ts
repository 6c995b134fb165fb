import type { PartyId, Random } from '@conclave/core'
import { DealOpen } from '@conclave/wire'
import { expect } from 'chai'
import { randomScalar, type Scalar, subScalars } from './arithmetic.ts'
import { mulBase, type Point, pointFromBytes, pointToBytes, subPoints, sumPoints } from './points.ts'
import { type Polynomial, randomPolynomial } from './polynomial.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { type DealRun, dealerRandom, runDkg } from './testing/cluster.ts'
import { type Deviation, deviantDeal } from './testing/deviant-dealer.ts'
import { edit, type InFlight, recorder, slotOf } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const OPEN = { number: 2, message: DealOpen } as const
const PARTIES = [1, 2, 3, 4]
const THRESHOLD = 2
const SEED = 'attacks'
const dealtBy = (j: PartyId): Polynomial => randomPolynomial(THRESHOLD, dealerRandom(SEED, j))
const points = (f: Polynomial) => f.map((a) => pointToBytes(mulBase(a)))

function runDealers(dealers: readonly PartyId[], make: (self: PartyId, random: Random) => Deviation): DealRun {
  return runDkg(PARTIES, THRESHOLD, SEED, { deviants: new Map(dealers.map((j) => [j, (ctx) => deviantDeal(ctx, make(j, ctx.random))])) })
}

describe('deal attacks', () => {
  describe('rogue key', () => {
    /** A[0] = X - sum of the others, X being a key that the dealer knows alone. */
    const rogue = (constants: readonly Point[], x: Scalar) => pointToBytes(subPoints(mulBase(x), sumPoints(constants)))

    it('rogue key: a rushing dealer that opens X - sum A_j has not committed to it (1.4)', () => {
      const outcome = runDealers([2], (_, random) => ({
        polynomial: randomPolynomial(THRESHOLD, random),
        rushing: true,
        opening: (mine, { openings }) => {
          const constants = [...openings.values()].map((o) => pointFromBytes(o.coefficients[0] as Uint8Array) as Point)
          return { ...mine, coefficients: [rogue(constants, randomScalar(random)), ...mine.coefficients.slice(1)] }
        },
      }))
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_OPENING')
    })

    it('rogue key: a dealer that has guessed the others and committed to X - sum A_j cannot prove it (1.5)', () => {
      const constants = [1, 3, 4].map((j) => mulBase(dealtBy(j)[0] as Scalar))
      const outcome = runDealers([2], (_, random) => {
        const f = randomPolynomial(THRESHOLD, random)
        return { polynomial: f, coefficients: [rogue(constants, randomScalar(random)), ...points(f).slice(1)] }
      })
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_PROOF', [2])
    })
  })

  describe('threshold raise', () => {
    it('threshold raise: two colluders whose extra terms cancel are both named (1.2)', () => {
      const outcome = runDealers([3, 4], (self, random) => {
        const extra = dealtBy(1)[0] as Scalar
        return { polynomial: [...randomPolynomial(THRESHOLD, random), self === 3 ? extra : subScalars(scalar(0n), extra)] }
      })
      expectAborts(outcome, [1, 2], 'DEAL_WRONG_DEGREE', [3, 4])
    })

    it('threshold raise: vectors shorter and longer by one at two dealers at once are both named (1.2)', () => {
      const outcome = runDealers([3, 4], (self, random) => ({ polynomial: randomPolynomial(THRESHOLD + (self === 3 ? 1 : -1), random) }))
      expectAborts(outcome, [1, 2], 'DEAL_WRONG_DEGREE', [3, 4])
    })

    it('threshold raise: a dealer that deals from a longer polynomial than it has committed to is named (1.7)', () => {
      const outcome = runDealers([2], (_, random) => {
        const f = randomPolynomial(THRESHOLD + 1, random)
        return {
          polynomial: f,
          coefficients: points(f.slice(0, THRESHOLD)),
          opening: (mine) => ({ ...mine, proofs: mine.proofs.slice(0, THRESHOLD) }),
        }
      })
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_SUBSHARE', [2])
    })
  })

  it('empty or short proof list: 0, t - 1 and t + 1 proofs name the dealer (1.2)', () => {
    const lists: ((p: readonly { nonce: Uint8Array; response: Uint8Array }[]) => typeof p)[] = [
      () => [],
      (p) => p.slice(1),
      (p) => p.slice(0, -1),
      (p) => [...p, p[0] as (typeof p)[0]],
    ]
    for (const change of lists) {
      const tamper = edit(
        OPEN,
        (m) => m.from === 2,
        (o) => ({ ...o, proofs: change(o.proofs) }),
      )
      expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { tamper }), [1, 3, 4], 'DEAL_WRONG_DEGREE', [2])
    }
    const empty = edit(
      OPEN,
      (m) => m.from === 2,
      (o) => ({ ...o, proofs: [], coefficients: [] }),
    )
    expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { tamper: empty }), [1, 3, 4], 'DEAL_WRONG_DEGREE', [2])
  })

  describe('proof copied under another id', () => {
    it('proof copied under another id: a dealer with the coefficients and the proofs of another is named (1.5)', () => {
      const outcome = runDealers([2], (_, random) => ({
        polynomial: randomPolynomial(THRESHOLD, random),
        coefficients: points(dealtBy(1)),
        rushing: true,
        opening: (mine, { openings }) => ({ ...mine, proofs: openings.get(1)?.proofs ?? [] }),
      }))
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_PROOF', [2])
    })

    it('proof copied under another id: proofs of one dealer in another order name it (1.5)', () => {
      const tamper = edit(
        OPEN,
        (m) => m.from === 2,
        (o) => ({ ...o, proofs: [...o.proofs].reverse() }),
      )
      expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { tamper }), [1, 3, 4], 'DEAL_BAD_PROOF', [2])
    })

    it('proof copied under another id: a whole commitment and opening of another party open nothing (1.4)', () => {
      const said = recorder()
      const copy = (m: InFlight) =>
        m.from === 2 && m.round <= 2 ? (said.sent.get(slotOf(m.round, 1, m.to === 1 ? 3 : m.to)) ?? m.body) : m.body
      const outcome = runDkg(PARTIES, THRESHOLD, SEED, { watch: said.watch, tamper: copy })
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_OPENING')
    })
  })

  describe('missing session id', () => {
    const earlier = recorder()
    before(() => {
      runDkg(PARTIES, THRESHOLD, 'an earlier session', { watch: earlier.watch })
    })

    for (const [round, code, culprits] of [
      [1, 'DEAL_ECHO_COMMIT', []],
      [2, 'DEAL_ECHO_COMMIT', []],
      [3, 'DEAL_ECHO_OPEN', []],
      [4, 'DEAL_BAD_ATTESTATION', [2]],
    ] as const)
      it(`missing session id: round ${round} of an earlier DKG sent again by its author gives no key (${code})`, () => {
        const tamper = (m: InFlight) => (m.from === 2 && m.round === round ? earlier.sent.get(slotOf(round, 2, m.to)) : m.body)
        expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { tamper }), [1, 3, 4], code, culprits)
      })

    it('missing session id: every message under another round or sender, and every message twice, is dropped and changes nothing', () => {
      const clean = runDkg(PARTIES, THRESHOLD, SEED)
      // A commitment has the layout of a subshare; that one has a test of its own.
      const others = (round: number) => [0, 1, 2, 3, 4, 5].filter((r) => r !== round && !(round === 1 && r === 3))
      const copies = (m: InFlight): InFlight[] => [
        ...others(m.round).map((round) => ({ ...m, round })),
        ...[0, m.to, 5, 9].map((from) => ({ ...m, from })),
        { ...m, body: m.body.subarray(1) },
        m,
      ]
      let injected = 0
      const inject = (m: InFlight) => {
        injected += copies(m).length
        return copies(m)
      }
      const noisy = runDkg(PARTIES, THRESHOLD, SEED, { inject })
      expect(noisy.results).to.deep.equal(clean.results)
      const dropped = [...noisy.sessions.values()].flatMap((s) => Object.values(s.dropped))
      // The first good copy of a message takes its place, so the message itself is dropped.
      expect(dropped.reduce((a, b) => a + b)).to.equal(injected)
      expect(injected).to.equal(12 * (10 + 3 * 11))
    })

    it('missing session id: a commitment sent again as a subshare stops the run, naming nobody (1.6)', () => {
      const inject = (m: InFlight) => (m.round === 1 && m.from === 2 ? [{ ...m, round: 3 }] : [])
      expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { inject }), [1, 3, 4], 'DEAL_ECHO_OPEN')
    })
  })

  it('index 0, q, i + q, duplicate: a subshare that is not below q names the dealer, so one scalar has one encoding (1.7)', () => {
    const q = Uint8Array.from(subScalars(scalar(0n), scalar(1n)))
    q[31] = (q[31] as number) + 1
    const tamper = (m: InFlight) =>
      m.round === 3 && m.from === 2 ? Uint8Array.from([...m.body.subarray(0, 2), ...q, ...m.body.subarray(34)]) : m.body
    expectAborts(runDkg(PARTIES, THRESHOLD, SEED, { tamper }), [1, 3, 4], 'DEAL_BAD_SUBSHARE', [2])
  })
})
