import type { PartyId, Random } from '@conclave/core'
import { expect } from 'chai'
import { addScalars, invertScalar, mulScalars, type Scalar, subScalars, sumScalars } from './arithmetic.ts'
import { checkNewKey } from './deal-checks.ts'
import { coefficientCount, type DealContext } from './deal-context.ts'
import { addPoints, mulBase, type Point, pointFromBytes } from './points.ts'
import { evaluate, lagrange, type Polynomial, randomPolynomial } from './polynomial.ts'
import { expectAbort, expectAborts } from './testing/claims.fixture.ts'
import { type DealOptions, type DealRun, type DealSpec, dealContext, dealerRandom, runDeal } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { type Deviation, deviantDeal } from './testing/deviant-dealer.ts'
import { honestPolynomial, publicOf, refreshOf, reshareOf, scalarOf } from './testing/renewal.fixture.ts'
import type { InFlight } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const SEED = 'renewal sums'

const { shares } = keyOf(3, 5)
const DEALER = 2
/** The two kinds; in the reshare 1 deals without a seat, 3, 4 and 8 have a seat and do not deal. */
const KINDS = {
  refresh: { spec: refreshOf(shares), others: [1, 3, 4, 5] },
  reshare: { spec: reshareOf(shares, [1, 2, 5], [2, 3, 4, 5, 8], 4), others: [1, 3, 4, 5, 8] },
} as const

const run = ({ spec }: { readonly spec: DealSpec }, options: DealOptions = {}): DealRun => runDeal(spec, SEED, options)
const fromDealer = (m: { from: PartyId }) => m.from === DEALER
const runDealer = (kind: { readonly spec: DealSpec }, make: (ctx: DealContext) => Deviation, dealer = DEALER): DealRun =>
  run(kind, { deviants: new Map([[dealer, (ctx) => deviantDeal(ctx, make(ctx))]]) })

describe('renewal sums', () => {
  describe('constant term', () => {
    const moved = (change: (ctx: DealContext) => Scalar, dealer = DEALER) =>
      runDealer(
        KINDS.reshare,
        (ctx) => {
          const [, ...tail] = honestPolynomial(ctx)
          return { polynomial: [change(ctx), ...tail] }
        },
        dealer,
      )
    const x = scalarOf(shares.get(DEALER))

    for (const [what, value] of [
      ['its share without the coefficient', x],
      ['its share with the coefficient of another quorum', mulScalars(lagrange(DEALER, [1, 2, 3]), x)],
      ['a share of its own invention', scalar(7n)],
      ['one more than its share', addScalars(mulScalars(lagrange(DEALER, [1, 2, 5]), x), scalar(1n))],
      ['the negative of its share', subScalars(scalar(0n), mulScalars(lagrange(DEALER, [1, 2, 5]), x))],
    ] as const)
      it(`renewal sums: 7.2 a dealer that deals ${what} is named`, () => {
        expectAborts(
          moved(() => value),
          KINDS.reshare.others,
          'DEAL_WRONG_CONSTANT',
          [DEALER],
        )
      })

    it('renewal sums: 7.2 a dealer without a seat is held to its share as well', () => {
      expectAborts(
        moved(() => scalar(7n), 1),
        [2, 3, 4, 5, 8],
        'DEAL_WRONG_CONSTANT',
        [1],
      )
    })

    it('renewal sums: 7.2 two dealers whose errors cancel, so that the key would stay, are both named', () => {
      const shift = (by: Scalar) => (ctx: DealContext) => {
        const [constant, ...tail] = honestPolynomial(ctx)
        return deviantDeal(ctx, { polynomial: [addScalars(constant as Scalar, by), ...tail] })
      }
      const deviants = new Map([
        [2, shift(scalar(9n))],
        [5, shift(subScalars(scalar(0n), scalar(9n)))],
      ])
      expectAborts(run(KINDS.reshare, { deviants }), [1, 3, 4, 8], 'DEAL_WRONG_CONSTANT', [2, 5])
    })
  })

  describe('new key', () => {
    // 7.1, 7.2 and 1.7 leave no way to get here with messages alone: the check is for what they may have missed.
    const fresh = publicOf(run(KINDS.reshare).shares)
    const ctx = dealContext(KINDS.reshare.spec, SEED, 3)
    const point = (b: Uint8Array) => pointFromBytes(b) as Point
    const points = fresh.publicShares.map(point)
    const publicKey = point(fresh.publicKey)
    const abortOfCheck = (act: () => void) => {
      try {
        act()
      } catch (error) {
        return error as never
      }
      return undefined
    }

    it('renewal sums: 7.3 another key, or shares that are not shares of the key, stop everybody and name nobody', () => {
      expect(abortOfCheck(() => checkNewKey(ctx, publicKey, points))).to.equal(undefined)
      const G = mulBase(scalar(1n))
      expectAbort(
        abortOfCheck(() => checkNewKey(ctx, addPoints(publicKey, G), points)),
        'DEAL_WRONG_KEY',
      )
      // Another key with shares of its own is consistent by itself.
      expectAbort(
        abortOfCheck(() =>
          checkNewKey(
            ctx,
            addPoints(publicKey, G),
            points.map((p) => addPoints(p, G)),
          ),
        ),
        'DEAL_WRONG_KEY',
      )
      for (let i = 0; i < points.length; i++) {
        const off = points.map((p, k) => (k === i ? addPoints(p, G) : p))
        expectAbort(
          abortOfCheck(() => checkNewKey(ctx, publicKey, off)),
          'DEAL_WRONG_KEY',
        )
      }
    })

    it('renewal sums: 7.4 a refresh that leaves one party with a share of zero stops everybody and names nobody', () => {
      const victim = 4
      /** What the honest deal to the victim: known to a test, and to nobody else. */
      const dealt = (j: PartyId): Polynomial => [
        scalar(0n),
        ...randomPolynomial(coefficientCount(dealContext(KINDS.refresh.spec, SEED, j), j), dealerRandom(SEED, j)),
      ]
      const sum = sumScalars([scalarOf(shares.get(victim)), ...KINDS.refresh.others.map((j) => evaluate(dealt(j), victim))])
      const outcome = runDealer(KINDS.refresh, ({ random }: { random: Random }) => {
        const [square] = randomPolynomial(1, random) as readonly [Scalar]
        const line = mulScalars(subScalars(subScalars(scalar(0n), sum), mulScalars(square, scalar(16n))), invertScalar(scalar(4n)))
        return { polynomial: [scalar(0n), line, square] }
      })
      expectAborts(outcome, KINDS.refresh.others, 'DEAL_IDENTITY_SHARE')
    })

    it('renewal sums: 7.4 a reshare that leaves one party with a share of zero stops everybody and names nobody', () => {
      const victim = 8
      const honest = [1, 5].map((j) => honestPolynomial(dealContext(KINDS.reshare.spec, SEED, j)))
      const outcome = runDealer(KINDS.reshare, (dealer) => {
        const f = honestPolynomial(dealer)
        const sum = sumScalars([...honest, f].map((g) => evaluate(g, victim)))
        const [constant, line, ...rest] = f as readonly [Scalar, Scalar, ...Scalar[]]
        return { polynomial: [constant, subScalars(line, mulScalars(sum, invertScalar(scalar(BigInt(victim))))), ...rest] }
      })
      expectAborts(outcome, KINDS.reshare.others, 'DEAL_IDENTITY_SHARE')
    })
  })

  it('renewal sums: 7.5 a party whose own share changed under its hands stores nothing and names nobody', () => {
    const { shares: own } = runDeal(refreshOf(shares), 'spoilt')
    const spoil = (m: InFlight) => {
      // After it has dealt: what it said is right, what it would store is not.
      const bytes = own.get(DEALER)?.secret.bytes as Uint8Array
      if (m.round === 3 && fromDealer(m) && m.to === 1) bytes[31] = (bytes[31] as number) ^ 1
      return m.body
    }
    const outcome = runDeal(refreshOf(own), SEED, { tamper: spoil })
    expectAborts(outcome, [DEALER], 'DEAL_WRONG_SHARE')
    expect(outcome.shares.has(DEALER)).to.equal(false)
    expect(outcome.results.size).to.equal(0)
  })
})
