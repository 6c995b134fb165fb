import { type PartyId, SecretBytes } from '@conclave/core'
import {
  type Opening,
  type OtExtension,
  type PartialSignature,
  SignCommit,
  SignOpen,
  SignPartial,
  SignVole,
  type Vole,
} from '@conclave/wire'
import { expect } from 'chai'
import type { AbortCode } from './abort.ts'
import { burnsPairs } from './abort.ts'
import { addScalars, randomScalar, type Scalar, scalarFromBytes, subScalars, sumScalars } from './arithmetic.ts'
import { sign } from './sign.ts'
import type { SignContext } from './sign-request.ts'
import { BURNING, expectAborts } from './testing/claims.fixture.ts'
import { runSign, type SignOptions, signerRandom, testRequest } from './testing/cluster.ts'
import { committee } from './testing/committee.ts'
import { changed, inList } from './testing/items.ts'
import { edit, flip, type InFlight, type Tamper } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const COMMIT = { number: 1, message: SignCommit } as const
const VOLE = { number: 2, message: SignVole } as const
const OPEN = { number: 3, message: SignOpen } as const
const PARTIAL = { number: 4, message: SignPartial } as const

const QUORUM = [1, 3, 5]
const CHEAT = 3
const HONEST = [1, 5]
const SEED = 'checks'

const run = (options: SignOptions) => runSign(committee(3, 5, QUORUM), testRequest(QUORUM), SEED, options)
const fromCheat = (m: InFlight) => m.from === CHEAT
const plusOne = (b: Uint8Array) => addScalars(scalarFromBytes(b) as Scalar, scalar(1n))

/** The cheat's messages are changed; every honest party stops with `code`, and says nothing after round `last`. */
function stops(tamper: Tamper, code: AbortCode, culprits: readonly PartyId[], last: number): void {
  const said = new Set<number>()
  const outcome = run({ tamper, watch: (m) => HONEST.includes(m.from) && said.add(m.round) })
  expectAborts(outcome, HONEST, code, culprits)
  expect(Math.max(...said)).to.equal(last)
  expect(burnsPairs(code)).to.equal(BURNING.includes(code))
}

describe('sign checks', () => {
  it('sign checks: an honest run passes', () => {
    const { results, errors } = run({})
    expect([...results.keys()]).to.deep.equal(QUORUM)
    expect(errors.size).to.equal(0)
  })

  it('sign checks: 3.0 another context stops everybody before anything depends on Delta, names nobody and burns nothing', () => {
    stops(
      edit(COMMIT, fromCheat, (m) => ({ ...m, context: flip(m.context) })),
      'SIGN_PAIR_MISMATCH',
      [],
      1,
    )
  })

  it('sign checks: 3.1 an inconsistent OT extension names the cheat and burns', () => {
    stops(
      edit(
        COMMIT,
        fromCheat,
        inList('ots', (ot: OtExtension) => ({ ...ot, checkHash: flip(ot.checkHash) })),
      ),
      'OT_CHECK',
      [CHEAT],
      1,
    )
  })

  it('sign checks: 3.1 two cheats are named together', () => {
    const tamper = edit(
      COMMIT,
      (m) => m.from !== 1,
      inList('ots', (ot: OtExtension) => ({ ...ot, check: flip(ot.check) })),
    )
    expectAborts(run({ tamper }), [1], 'OT_CHECK', [3, 5])
  })

  it('sign checks: 4.1 an inconsistent VOLE message names the cheat and burns', () => {
    stops(
      edit(
        VOLE,
        fromCheat,
        inList('voles', (v: Vole) => ({ ...v, maskHash: flip(v.maskHash) })),
      ),
      'VOLE_CHECK',
      [CHEAT],
      2,
    )
  })

  it('sign checks: 0 a VOLE scalar of q or more names the cheat without burning', () => {
    stops(
      edit(
        VOLE,
        fromCheat,
        inList('voles', (v: Vole) => ({ ...v, mask: new Uint8Array(32).fill(255) })),
      ),
      'SIGN_MALFORMED',
      [CHEAT],
      2,
    )
  })

  it('sign checks: 5.1 comes before 0 and 4.1, so that a party which fails several learns nothing', () => {
    const tamper = edit(VOLE, fromCheat, (m) => ({
      ...m,
      echo: flip(m.echo),
      voles: changed(m.voles, (v) => ({ ...v, maskHash: flip(v.maskHash), mask: new Uint8Array(32).fill(255) })),
    }))
    stops(tamper, 'SIGN_ECHO', [], 2)
  })

  it('sign checks: 5.1 an echo that nobody else computes stops everybody in round 2, naming nobody', () => {
    stops(
      edit(VOLE, fromCheat, (m) => ({ ...m, echo: flip(m.echo) })),
      'SIGN_ECHO',
      [],
      2,
    )
  })

  it('sign checks: 5.1 the echo is checked again in round 3, before any partial is sent', () => {
    stops(
      edit(OPEN, fromCheat, (m) => ({ ...m, echo: flip(m.echo) })),
      'SIGN_ECHO',
      [],
      3,
    )
  })

  it('sign checks: 5.2 an opening that does not fit its commitment names nobody', () => {
    stops(
      edit(
        OPEN,
        fromCheat,
        inList('openings', (o: Opening) => ({ ...o, salt: flip(o.salt) })),
      ),
      'SIGN_BAD_OPENING',
      [],
      3,
    )
  })

  it('sign checks: 5.3 another nonce in the multiplication than was committed to names the cheat and burns', () => {
    // gamma_u = (k + 1) - alpha: the multiplication is with k + 1.
    stops(
      edit(
        OPEN,
        fromCheat,
        inList('openings', (o: Opening) => ({ ...o, gammaU: plusOne(o.gammaU) })),
      ),
      'SIGN_NONCE_PRODUCT',
      [CHEAT],
      3,
    )
  })

  it('sign checks: 5.4 another key share in the multiplication than was committed to names the cheat and burns', () => {
    stops(
      edit(
        OPEN,
        fromCheat,
        inList('openings', (o: Opening) => ({ ...o, gammaV: plusOne(o.gammaV) })),
      ),
      'SIGN_KEY_PRODUCT',
      [CHEAT],
      3,
    )
  })

  it('sign checks: 5.3 and 5.4 a cheat against one party only is found by that party', () => {
    const outcome = run({
      tamper: edit(
        OPEN,
        (m) => fromCheat(m) && m.to === 5,
        inList('openings', (o: Opening) => ({ ...o, gammaV: plusOne(o.gammaV) })),
      ),
    })
    expectAborts(outcome, [5], 'SIGN_KEY_PRODUCT', [CHEAT])
    expect(outcome.results.size).to.equal(0)
    expect(outcome.errors.has(1)).to.equal(false)
  })

  it('sign checks: 5.5 another key share, committed and multiplied consistently, names nobody', () => {
    const other = (ctx: SignContext): SignContext => {
      const x = addScalars(scalarFromBytes(ctx.share.secret.bytes) as Scalar, scalar(1n))
      return { ...ctx, share: { ...ctx.share, secret: new SecretBytes(x) } }
    }
    const partials: PartyId[] = []
    const outcome = run({
      deviants: new Map([[CHEAT, (ctx) => sign(other(ctx))]]),
      watch: (m) => m.round === PARTIAL.number && partials.push(m.from),
    })
    expectAborts(outcome, QUORUM, 'SIGN_KEY_SUM')
    expect(partials).to.deep.equal([])
  })

  it('sign checks: 5.6 a nonce that cancels those of all others names nobody', () => {
    const others = sumScalars(HONEST.map((j) => randomScalar(signerRandom(SEED, j))))
    const k = subScalars(scalar(0n), others)
    const outcome = run({ deviants: new Map([[CHEAT, (ctx) => sign({ ...ctx, random: drawing(k, ctx.random) })]]) })
    expectAborts(outcome, QUORUM, 'SIGN_ZERO_NONCE')
  })

  it('sign checks: 5.7 a wrong partial names nobody, and no signature leaves', () => {
    for (const part of ['u', 'w'] as const)
      stops(
        edit(
          PARTIAL,
          fromCheat,
          inList('partials', (p: PartialSignature) => ({ ...p, [part]: plusOne(p[part]) })),
        ),
        'SIGN_INVALID',
        [],
        4,
      )
  })
})

/** Draws `k` first and then what the inner source gives: real code with a chosen nonce. */
function drawing(k: Scalar, inner: SignContext['random']): SignContext['random'] {
  let first = true
  return {
    bytes(length) {
      const out = inner.bytes(length)
      if (!first) return out
      first = false
      out.fill(0)
      out.set(k, length - 32)
      return out
    },
  }
}
