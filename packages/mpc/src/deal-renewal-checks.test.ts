import { type PartyId, utf8 } from '@conclave/core'
import { DealAttest, DealCommit, DealOpen, DealSubshare } from '@conclave/wire'
import { expect } from 'chai'
import { type Scalar, subScalars } from './arithmetic.ts'
import type { DealContext } from './deal-context.ts'
import { mulBase, pointToBytes } from './points.ts'
import { randomPolynomial } from './polynomial.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { attestAs, type DealOptions, type DealRun, runDeal } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { type Deviation, deviantDeal, proveAll } from './testing/deviant-dealer.ts'
import { expectRenewed, honestPolynomial, publicOf, refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import { edit, flip, type InFlight } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const COMMIT = { number: 1, message: DealCommit } as const
const OPEN = { number: 2, message: DealOpen } as const
const SUBSHARE = { number: 3, message: DealSubshare } as const
const ATTEST = { number: 4, message: DealAttest } as const
const SEED = 'renewal checks'

const { shares } = keyOf(3, 5)
const key = publicOf(shares)
const DEALER = 2
/** The two kinds; in the reshare 1 deals without a seat, 3, 4 and 8 have a seat and do not deal. */
const KINDS = {
  refresh: { spec: refreshOf(shares), others: [1, 3, 4, 5] },
  reshare: { spec: reshareOf(shares, [1, 2, 5], [2, 3, 4, 5, 8], 4), others: [1, 3, 4, 5, 8] },
} as const
const RENEWALS = [KINDS.refresh, KINDS.reshare] as const
type Kind = (typeof RENEWALS)[number]

const run = ({ spec }: Kind, options: DealOptions = {}): DealRun => runDeal(spec, SEED, options)
const fromDealer = (m: { from: PartyId }) => m.from === DEALER
const runDealer = (kind: Kind, make: (ctx: DealContext) => Deviation, dealer = DEALER): DealRun =>
  run(kind, { deviants: new Map([[dealer, (ctx) => deviantDeal(ctx, make(ctx))]]) })
const kindOf = ({ spec }: Kind) => spec.dealingOf(DEALER).kind
/** A dealing with one more coefficient or fewer, committed, proved and dealt as if that were right. */
const ofLength = (ctx: DealContext, change: number) => {
  const whole = honestPolynomial(ctx, ctx.threshold + Math.max(change, 0))
  return { polynomial: change < 0 ? whole.slice(0, change) : whole }
}

describe('renewal checks', () => {
  for (const kind of RENEWALS) {
    const name = kindOf(kind)

    it(`renewal checks: an honest ${name} passes`, () => {
      expectRenewed(run(kind), kind.spec, key)
    })

    it(`renewal checks: the dealer of these tests is accepted in a ${name} when it does not deviate`, () => {
      const { sessions, errors } = runDealer(kind, (ctx) => ({ polynomial: honestPolynomial(ctx) }))
      expect([...errors.values()].map(String)).to.deep.equal([])
      for (const j of kind.others) expect([sessions.get(j)?.round, sessions.get(j)?.waitingFor]).to.deep.equal([4, [DEALER]])
    })

    it(`renewal checks: 1.1, 1.6 two different commitments or openings in a ${name} stop everybody and name nobody`, () => {
      const twice = runDealer(kind, (ctx) => {
        const salts = [ctx.random.bytes(32), ctx.random.bytes(32)] as const
        return { polynomial: honestPolynomial(ctx), saltTo: (to) => salts[to === 4 ? 1 : 0] }
      })
      expectAborts(twice, kind.others, 'DEAL_ECHO_COMMIT')
      const first = name === 'refresh' ? 1 : 0
      const reproved = runDealer(kind, (ctx) => {
        const f = honestPolynomial(ctx)
        const proofs = (sid: Uint8Array) => proveAll(f.slice(first), sid, DEALER, ctx.random, first)
        return { polynomial: f, opening: (mine, { to, sid }) => (to === 4 ? { ...mine, proofs: proofs(sid) } : mine) }
      })
      expectAborts(reproved, kind.others, 'DEAL_ECHO_OPEN')
    })

    it(`renewal checks: 1.3, 1.5 a bad point and a bad proof in a ${name} name the dealer`, () => {
      const pointless = runDealer(kind, (ctx) => {
        const f = honestPolynomial(ctx)
        const sent = f.slice(name === 'refresh' ? 1 : 0).map((a) => pointToBytes(mulBase(a)))
        return { polynomial: f, coefficients: [...sent.slice(1), new Uint8Array(33)] }
      })
      expectAborts(pointless, kind.others, 'DEAL_IDENTITY_POINT', [DEALER])
      for (let k = 0; k < (name === 'refresh' ? 2 : 4); k++) {
        const bad = edit(OPEN, fromDealer, (o) => ({
          ...o,
          proofs: o.proofs.map((p, i) => (i === k ? { ...p, response: flip(p.response, 255) } : p)),
        }))
        expectAborts(run(kind, { tamper: bad }), kind.others, 'DEAL_BAD_PROOF', [DEALER])
      }
    })

    it(`renewal checks: 1.4 an opening of a ${name} that differs from its commitment names nobody`, () => {
      const tamper = edit(OPEN, fromDealer, (o) => ({ ...o, salt: flip(o.salt) }))
      expectAborts(run(kind, { tamper }), kind.others, 'DEAL_BAD_OPENING')
      const committed = edit(COMMIT, fromDealer, (c) => ({ ...c, commitment: flip(c.commitment) }))
      expectAborts(run(kind, { tamper: committed }), kind.others, 'DEAL_ECHO_COMMIT')
    })

    it(`renewal checks: 1.7 a wrong or missing subshare of a ${name} names the dealer, at the party that it was for`, () => {
      for (const change of [flip, () => new Uint8Array(0), () => new Uint8Array(32).fill(255)]) {
        const tamper = edit(
          SUBSHARE,
          (m) => fromDealer(m) && m.to === 4,
          (m) => ({ ...m, subshare: change(m.subshare) }),
        )
        const outcome = run(kind, { tamper })
        expectAborts(outcome, [4], 'DEAL_BAD_SUBSHARE', [DEALER])
        expect(outcome.results.size).to.equal(0)
      }
    })

    it(`renewal checks: 1.8 a wrong attestation of a ${name} names the attester, and one that does not come leaves nothing done`, () => {
      for (const sign of [(hash: Uint8Array) => attestAs(DEALER, flip(hash)), (hash: Uint8Array) => attestAs(3, hash)]) {
        let signature = utf8('no signature')
        const attest = (self: PartyId, hash: Uint8Array) => {
          if (self === DEALER) signature = Uint8Array.from(sign(hash))
          return attestAs(self, hash)
        }
        const outcome = run(kind, { attest, tamper: edit(ATTEST, fromDealer, () => ({ signature })) })
        expectAborts(outcome, kind.others, 'DEAL_BAD_ATTESTATION', [DEALER])
      }
      const silent = run(kind, { tamper: (m) => (m.round === 4 && fromDealer(m) ? undefined : m.body) })
      expect([...silent.results.keys()]).to.deep.equal([DEALER])
    })

    for (const change of [-2, -1, 1])
      it(`renewal checks: 7.1 a dealer of a ${name} with ${change > 0 ? '+' : ''}${change} coefficients is named`, () => {
        expectAborts(
          runDealer(kind, (ctx) => ofLength(ctx, change)),
          kind.others,
          'DEAL_WRONG_ROLE',
          [DEALER],
        )
      })

    it(`renewal checks: 7.1 a part of a chain code in a ${name} names who sent it`, () => {
      const tamper = edit(OPEN, fromDealer, (o) => ({ ...o, chainCodePart: new Uint8Array(32) }))
      expectAborts(run(kind, { tamper }), kind.others, 'DEAL_WRONG_ROLE', [DEALER])
    })
  }

  it('renewal checks: 7.1 a constant term in a refresh, even of zero sum with another one, names both dealers', () => {
    const extra = scalar(5n)
    const add = (ctx: DealContext, c: Scalar): Deviation => ({
      polynomial: [c, ...honestPolynomial(ctx).slice(1)],
      coefficients: [c, ...honestPolynomial(ctx).slice(1)].map((a) => pointToBytes(mulBase(a))),
    })
    const outcome = run(KINDS.refresh, {
      deviants: new Map([
        [2, (ctx: DealContext) => deviantDeal(ctx, add(ctx, extra))],
        [4, (ctx: DealContext) => deviantDeal(ctx, add(ctx, subScalars(scalar(0n), extra)))],
      ]),
    })
    expectAborts(outcome, [1, 3, 5], 'DEAL_WRONG_ROLE', [2, 4])
  })

  it('renewal checks: 7.1 a party that has nothing to deal and deals is named', () => {
    const uninvited = runDealer(KINDS.reshare, (ctx) => ({ polynomial: randomPolynomial(4, ctx.random) }), 8)
    expectAborts(uninvited, [1, 2, 3, 4, 5], 'DEAL_WRONG_ROLE', [8])
  })

  it('renewal checks: 1.7 a subshare of a party that does not deal, or to one without a seat, names who sent it', () => {
    const stray = (from: PartyId, to: PartyId) =>
      edit(
        SUBSHARE,
        (m: InFlight) => m.from === from && m.to === to,
        (m) => ({ ...m, subshare: new Uint8Array(32).fill(1) }),
      )
    expectAborts(run(KINDS.reshare, { tamper: stray(8, 3) }), [3], 'DEAL_BAD_SUBSHARE', [8])
    expectAborts(run(KINDS.reshare, { tamper: stray(2, 1) }), [1], 'DEAL_BAD_SUBSHARE', [2])
  })
})
