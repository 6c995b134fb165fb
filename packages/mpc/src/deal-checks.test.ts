import { type PartyId, type Random, utf8 } from '@conclave/core'
import { DealAttest, DealCommit, DealOpen, DealSubshare } from '@conclave/wire'
import { expect } from 'chai'
import { addScalars, type Scalar, scalarFromBytes, subScalars, sumScalars } from './arithmetic.ts'
import type { DealResult } from './deal.ts'
import type { DealContext } from './deal-context.ts'
import { mulBase, pointToBytes } from './points.ts'
import { evaluate, type Polynomial, randomPolynomial } from './polynomial.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { attestAs, type DealRun, type Deviants, dealerRandom, runDkg } from './testing/cluster.ts'
import { type Deviation, deviantDeal, proveAll } from './testing/deviant-dealer.ts'
import { edit, flip, type RunOptions } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const COMMIT = { number: 1, message: DealCommit } as const
const OPEN = { number: 2, message: DealOpen } as const
const SUBSHARE = { number: 3, message: DealSubshare } as const
const ATTEST = { number: 4, message: DealAttest } as const

const PARTIES = [1, 2, 3, 4]
const THRESHOLD = 3
const DEALER = 2
const HONEST = [1, 3, 4]
const SEED = 'checks'

const run = (options: RunOptions & { deviants?: Deviants<DealContext, DealResult> } = {}): DealRun =>
  runDkg(PARTIES, THRESHOLD, SEED, options)
/** The real protocol at all parties but one, whose messages are changed on the way. */
const fromDealer = (m: { from: PartyId }) => m.from === DEALER
/** A run with one dealer of our own. */
const runDealer = (make: (random: Random) => Deviation): DealRun =>
  run({ deviants: new Map([[DEALER, (ctx) => deviantDeal(ctx, make(ctx.random))]]) })
const polynomial = (random: Random, length = THRESHOLD): Polynomial => randomPolynomial(length, random)
/** What party j deals in these runs: known to a test, and to nobody else. */
const dealtBy = (j: PartyId): Polynomial => randomPolynomial(THRESHOLD, dealerRandom(SEED, j))
const encoded = (f: Polynomial) => f.map((a) => pointToBytes(mulBase(a)))

describe('deal checks', () => {
  it('deal checks: an honest run passes', () => {
    expect([...run().results.keys()]).to.deep.equal(PARTIES)
  })

  it('deal checks: the dealer of these tests is accepted when it does not deviate', () => {
    const { sessions, errors, shares } = runDealer((random) => ({ polynomial: polynomial(random) }))
    expect(errors.size).to.equal(0)
    expect([...shares.keys()]).to.have.members(HONEST)
    // Only its attestation is missing.
    for (const j of HONEST) expect([sessions.get(j)?.round, sessions.get(j)?.waitingFor]).to.deep.equal([4, [DEALER]])
  })

  it('deal checks: 1.1 two commitments, each opened as committed, stop everybody and name nobody', () => {
    const outcome = runDealer((random) => {
      const salts = new Map(PARTIES.map((j) => [j, random.bytes(32)]))
      return { polynomial: polynomial(random), saltTo: (to) => salts.get(to === 4 ? 4 : 1) as Uint8Array }
    })
    expectAborts(outcome, HONEST, 'DEAL_ECHO_COMMIT')
  })

  it('deal checks: 1.1 an echo that nobody else computes stops everybody and names nobody', () => {
    const tamper = edit(OPEN, fromDealer, (o) => ({ ...o, echo: flip(o.echo) }))
    expectAborts(run({ tamper }), HONEST, 'DEAL_ECHO_COMMIT')
  })

  for (const length of [1, THRESHOLD - 1, THRESHOLD + 1])
    it(`deal checks: 1.2 ${length} coefficients in place of ${THRESHOLD}, committed, proved and dealt, name the dealer`, () => {
      expectAborts(
        runDealer((random) => ({ polynomial: polynomial(random, length) })),
        HONEST,
        'DEAL_WRONG_DEGREE',
        [DEALER],
      )
    })

  it('deal checks: 1.2 an opening without a part of the chain code names the dealer', () => {
    const tamper = edit(OPEN, fromDealer, (o) => ({ ...o, chainCodePart: new Uint8Array(0) }))
    expectAborts(run({ tamper }), HONEST, 'DEAL_WRONG_DEGREE', [DEALER])
  })

  it('deal checks: 1.7 an empty subshare names the dealer', () => {
    const tamper = edit(SUBSHARE, fromDealer, (m) => ({ ...m, subshare: new Uint8Array(0) }))
    expectAborts(run({ tamper }), HONEST, 'DEAL_BAD_SUBSHARE', [DEALER])
  })

  for (const [what, bytes] of [
    ['the identity', new Uint8Array(33)],
    ['a point off the curve', Uint8Array.from([2, ...scalar(5n)])],
  ] as const)
    it(`deal checks: 1.3 ${what} as a coefficient, committed and opened, names the dealer`, () => {
      for (const k of [0, THRESHOLD - 1]) {
        const outcome = runDealer((random) => {
          const f = polynomial(random)
          return { polynomial: f, coefficients: encoded(f).map((c, i) => (i === k ? bytes : c)) }
        })
        expectAborts(outcome, HONEST, 'DEAL_IDENTITY_POINT', [DEALER])
      }
    })

  it('deal checks: 1.4 an opening that differs from its commitment in any part stops everybody and names nobody', () => {
    for (const part of ['salt', 'chainCodePart'] as const)
      expectAborts(run({ tamper: edit(OPEN, fromDealer, (o) => ({ ...o, [part]: flip(o[part]) })) }), HONEST, 'DEAL_BAD_OPENING')
    const tamper = edit(COMMIT, fromDealer, (c) => ({ ...c, commitment: flip(c.commitment) }))
    const fixed = runDealer((random) => ({ polynomial: polynomial(random), opening: (mine) => ({ ...mine, salt: flip(mine.salt) }) }))
    expectAborts(fixed, HONEST, 'DEAL_BAD_OPENING')
    // Changed on its way to everybody: the dealer itself has seen another one, so its own echo says so first.
    expectAborts(run({ tamper }), HONEST, 'DEAL_ECHO_COMMIT')
  })

  it('deal checks: 1.4 other coefficients than committed, validly proved, stop everybody and name nobody', () => {
    const outcome = runDealer((random) => {
      const other = polynomial(random)
      return {
        polynomial: polynomial(random),
        opening: (mine, { sid }) => ({ ...mine, coefficients: encoded(other), proofs: proveAll(other, sid, DEALER, random) }),
      }
    })
    expectAborts(outcome, HONEST, 'DEAL_BAD_OPENING')
  })

  it('deal checks: 1.5 one bad proof of any coefficient names the dealer', () => {
    for (let k = 0; k < THRESHOLD; k++) {
      for (const part of ['nonce', 'response'] as const) {
        const tamper = edit(OPEN, fromDealer, (o) => ({
          ...o,
          proofs: o.proofs.map((p, i) => (i === k ? { ...p, [part]: flip(p[part], 255) } : p)),
        }))
        expectAborts(run({ tamper }), HONEST, 'DEAL_BAD_PROOF', [DEALER])
      }
    }
  })

  it('deal checks: 1.6 two openings, both valid, stop everybody and name nobody', () => {
    const outcome = runDealer((random) => {
      const f = polynomial(random)
      return {
        polynomial: f,
        opening: (mine, { to, sid }) => (to === 4 ? { ...mine, proofs: proveAll(f, sid, DEALER, random) } : mine),
      }
    })
    expectAborts(outcome, HONEST, 'DEAL_ECHO_OPEN')
  })

  it('deal checks: 1.6 an echo that nobody else computes stops everybody and names nobody', () => {
    expectAborts(run({ tamper: edit(SUBSHARE, fromDealer, (m) => ({ ...m, echo: flip(m.echo) })) }), HONEST, 'DEAL_ECHO_OPEN')
  })

  it('deal checks: 1.7 subshares off their polynomial name the dealer', () => {
    const plusOne = (b: Uint8Array) => addScalars(scalarFromBytes(b) as Scalar, scalar(1n))
    for (const change of [plusOne, () => new Uint8Array(32), () => new Uint8Array(32).fill(255)]) {
      const tamper = edit(SUBSHARE, fromDealer, (m) => ({ ...m, subshare: change(m.subshare) }))
      expectAborts(run({ tamper }), HONEST, 'DEAL_BAD_SUBSHARE', [DEALER])
    }
  })

  it('deal checks: 1.7 a wrong subshare to one party stops that party, and then nobody has a key', () => {
    const tamper = edit(
      SUBSHARE,
      (m) => fromDealer(m) && m.to === 4,
      (m) => ({ ...m, subshare: flip(m.subshare) }),
    )
    const outcome = run({ tamper })
    expectAborts(outcome, [4], 'DEAL_BAD_SUBSHARE', [DEALER])
    expect(outcome.results.size).to.equal(0)
    expect(outcome.sessions.get(1)?.waitingFor).to.deep.equal([4])
  })

  it('deal checks: 1.7 two dealers with wrong subshares are both named', () => {
    const tamper = edit(
      SUBSHARE,
      (m) => m.from === 2 || m.from === 4,
      (m) => ({ ...m, subshare: flip(m.subshare) }),
    )
    expectAborts(run({ tamper }), [1, 3], 'DEAL_BAD_SUBSHARE', [2, 4])
  })

  it('deal checks: 1.8 an attestation of another hash, by another party, or of no form names the attester', () => {
    const wrong: ((hash: Uint8Array) => Uint8Array)[] = [
      (hash) => attestAs(DEALER, flip(hash)),
      (hash) => attestAs(3, hash),
      (hash) => flip(attestAs(DEALER, hash), 300),
      () => utf8('no signature'),
      () => new Uint8Array(64),
    ]
    for (const sign of wrong) {
      let signature = new Uint8Array(64)
      const attest = (self: PartyId, hash: Uint8Array) => {
        if (self === DEALER) signature = Uint8Array.from(sign(hash))
        return attestAs(self, hash)
      }
      const outcome = run({ attest, tamper: edit(ATTEST, fromDealer, () => ({ signature })) })
      expectAborts(outcome, HONEST, 'DEAL_BAD_ATTESTATION', [DEALER])
    }
  })

  it('deal checks: 1.8 a party whose own identity signs wrongly finds out before anything is sent', () => {
    const rounds: number[] = []
    const outcome = run({
      attest: (self, hash) => attestAs(self === DEALER ? 1 : self, hash),
      watch: (m) => m.from === DEALER && rounds.push(m.round),
    })
    expect(outcome.errors.get(DEALER)?.code).to.equal('BAD_SIGNATURE')
    expect(rounds).not.to.include(4)
    expect(outcome.results.size).to.equal(0)
  })

  it('deal checks: 1.8 an attestation that does not come leaves no key', () => {
    const { results, sessions } = run({ tamper: (m) => (m.round === ATTEST.number && m.from === DEALER ? undefined : m.body) })
    expect([...results.keys()]).to.deep.equal([DEALER])
    for (const j of HONEST) expect(sessions.get(j)?.waitingFor).to.deep.equal([DEALER])
  })

  it('deal checks: 1.9 a constant term that cancels those of all others stops everybody and names nobody', () => {
    const others = sumScalars(HONEST.map((j) => dealtBy(j)[0] as Scalar))
    const outcome = runDealer((random) => ({ polynomial: [subScalars(scalar(0n), others), ...polynomial(random).slice(1)] }))
    expectAborts(outcome, HONEST, 'DEAL_IDENTITY_KEY')
  })

  it('deal checks: 1.9 a dealing that leaves one party with a share of zero stops everybody and names nobody', () => {
    const atVictim = sumScalars(HONEST.map((j) => evaluate(dealtBy(j), 4)))
    const outcome = runDealer((random) => {
      const f = [scalar(0n), ...polynomial(random).slice(1)]
      return { polynomial: [subScalars(scalar(0n), addScalars(atVictim, evaluate(f, 4))), ...f.slice(1)] }
    })
    expectAborts(outcome, HONEST, 'DEAL_IDENTITY_KEY')
  })
})
