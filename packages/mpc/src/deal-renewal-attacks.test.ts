import type { PartyId } from '@conclave/core'
import { DealOpen } from '@conclave/wire'
import { expect } from 'chai'
import { type Scalar, subScalars } from './arithmetic.ts'
import { deal } from './deal.ts'
import type { DealContext } from './deal-context.ts'
import { mulBase, pointToBytes } from './points.ts'
import { randomPolynomial } from './polynomial.ts'
import { expectAborts, expectNoOutput } from './testing/claims.fixture.ts'
import { type DealOptions, type DealSpec, dealContext, runDeal } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { type Deviation, deviantDeal, proveAll } from './testing/deviant-dealer.ts'
import { honestPolynomial, refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import { edit, type InFlight, recorder, slotOf } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const OPEN = { number: 2, message: DealOpen } as const
const SEED = 'renewal attacks'

const { shares } = keyOf(3, 5)
const REFRESH = refreshOf(shares)
/** 1 deals without a seat; 3, 4 and 8 have a seat and do not deal. */
const RESHARE = reshareOf(shares, [1, 2, 5], [2, 3, 4, 5, 8], 3)

const runWith = (spec: DealSpec, dealers: readonly PartyId[], make: (ctx: DealContext) => Deviation, options: DealOptions = {}) =>
  runDeal(spec, SEED, { ...options, deviants: new Map(dealers.map((j) => [j, (ctx) => deviantDeal(ctx, make(ctx))])) })

describe('renewal attacks', () => {
  describe('refresh threshold downgrade (CVE-2025-58359)', () => {
    it('refresh threshold downgrade: dealers that all deal for a lower t are all named by the one that does not (7.1)', () => {
      const outcome = runWith(REFRESH, [2, 3, 4, 5], (ctx) => ({ polynomial: honestPolynomial(ctx, 2) }))
      expectAborts(outcome, [1], 'DEAL_WRONG_ROLE', [2, 3, 4, 5])
    })

    it('refresh threshold downgrade: parties that were told different thresholds get no shares', () => {
      const lower = (ctx: DealContext) => deal({ ...ctx, threshold: 2 })
      const outcome = runDeal(RESHARE, SEED, { deviants: new Map([1, 2, 5].map((j) => [j, lower])) })
      expect(outcome.shares.size).to.equal(0)
      expectNoOutput(outcome, [3, 4, 8], [])
    })
  })

  describe('threshold raise', () => {
    for (const [name, spec, honest] of [
      ['refresh', REFRESH, [1, 3, 4]],
      ['reshare', RESHARE, [1, 3, 4, 8]],
    ] as const)
      it(`threshold raise: two colluders of a ${name} whose extra terms cancel are both named (7.1)`, () => {
        const outcome = runWith(spec, [2, 5], (ctx) => ({
          polynomial: [...honestPolynomial(ctx), ctx.self === 2 ? scalar(5n) : subScalars(scalar(0n), scalar(5n))],
        }))
        expectAborts(outcome, honest, 'DEAL_WRONG_ROLE', [2, 5])
      })

    it('threshold raise: colluders of a refresh who deal from polynomials with constants that cancel are named (1.7)', () => {
      const outcome = runWith(REFRESH, [2, 5], (ctx) => {
        const [, ...tail] = honestPolynomial(ctx)
        return { polynomial: [ctx.self === 2 ? scalar(5n) : subScalars(scalar(0n), scalar(5n)), ...tail] }
      })
      expectAborts(outcome, [1, 3, 4], 'DEAL_BAD_SUBSHARE', [2, 5])
    })

    it('threshold raise: a dealer that deals from a longer polynomial than it has committed to is named (1.7)', () => {
      for (const [spec, honest, first] of [
        [REFRESH, [1, 3, 4, 5], 1],
        [RESHARE, [3, 4, 5, 8], 0],
      ] as const) {
        const outcome = runWith(spec, [2], (ctx) => {
          const f = honestPolynomial(ctx, 4)
          return {
            polynomial: f,
            coefficients: f.slice(first, 3).map((a) => pointToBytes(mulBase(a))),
            opening: (mine) => ({ ...mine, proofs: mine.proofs.slice(0, 3 - first) }),
          }
        })
        expectAborts(outcome, honest, 'DEAL_BAD_SUBSHARE', [2])
      }
    })
  })

  it('empty or short proof list: of a refresh or reshare, from none to one too many, name the dealer (7.1)', () => {
    for (const [spec, honest] of [
      [REFRESH, [1, 3, 4, 5]],
      [RESHARE, [1, 3, 4, 5, 8]],
    ] as const) {
      for (const change of [-3, -2, -1, 1]) {
        const tamper = edit(
          OPEN,
          (m) => m.from === 2,
          (o) => ({
            ...o,
            proofs: change > 0 ? [...o.proofs, ...o.proofs.slice(0, 1)] : o.proofs.slice(0, Math.max(0, o.proofs.length + change)),
          }),
        )
        expectAborts(runDeal(spec, SEED, { tamper }), honest, 'DEAL_WRONG_ROLE', [2])
      }
      const nothing = edit(
        OPEN,
        (m) => m.from === 2,
        (o) => ({ ...o, proofs: [], coefficients: [] }),
      )
      expectAborts(runDeal(spec, SEED, { tamper: nothing }), honest, 'DEAL_WRONG_ROLE', [2])
    }
  })

  describe('proof copied under another id', () => {
    it('proof copied under another id: a dealer of a refresh with the coefficients and proofs of another is named (1.5)', () => {
      const copied = honestPolynomial(dealContext(REFRESH, SEED, 1)).slice(1)
      const outcome = runWith(REFRESH, [2], (ctx) => ({
        polynomial: honestPolynomial(ctx),
        coefficients: copied.map((a) => pointToBytes(mulBase(a))),
        rushing: true,
        opening: (mine, { openings }) => ({ ...mine, proofs: openings.get(1)?.proofs ?? [] }),
      }))
      expectAborts(outcome, [1, 3, 4, 5], 'DEAL_BAD_PROOF', [2])
    })

    it('proof copied under another id: a proof for another power of the same dealer is refused (1.5)', () => {
      // Counted from 0, as when a key is made: the refresh counts from 1.
      const outcome = runWith(REFRESH, [2], (ctx) => {
        const f = honestPolynomial(ctx)
        return { polynomial: f, opening: (mine, { sid }) => ({ ...mine, proofs: proveAll(f.slice(1), sid, 2, ctx.random, 0) }) }
      })
      expectAborts(outcome, [1, 3, 4, 5], 'DEAL_BAD_PROOF', [2])
    })

    it('proof copied under another id: the whole commitment and opening of another dealer open nothing (1.4)', () => {
      for (const [spec, honest] of [
        [REFRESH, [1, 3, 4]],
        [RESHARE, [1, 3, 4, 8]],
      ] as const) {
        const said = recorder()
        const copy = (m: InFlight) =>
          m.from === 2 && m.round <= 2 ? (said.sent.get(slotOf(m.round, 1, m.to === 1 ? 3 : m.to)) ?? m.body) : m.body
        expectAborts(runDeal(spec, SEED, { watch: said.watch, tamper: copy }), honest, 'DEAL_BAD_OPENING')
      }
    })
  })

  it('rogue key: a rushing dealer of a reshare that opens another polynomial than it committed to gains nothing (1.4)', () => {
    const outcome = runWith(RESHARE, [2], (ctx) => ({
      polynomial: honestPolynomial(ctx),
      rushing: true,
      opening: (mine, { sid }) => {
        const [constant] = honestPolynomial(ctx)
        const f = [constant as Scalar, ...randomPolynomial(2, ctx.random)]
        return { ...mine, coefficients: f.map((a) => pointToBytes(mulBase(a))), proofs: proveAll(f, sid, 2, ctx.random) }
      },
    }))
    expectAborts(outcome, [1, 3, 4, 5, 8], 'DEAL_BAD_OPENING')
  })
})
