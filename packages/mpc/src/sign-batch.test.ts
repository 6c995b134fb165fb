import type { PartyId } from '@conclave/core'
import {
  DIGESTS_MAX,
  decode,
  encode,
  type Opening,
  OtExtension,
  type PartialSignature,
  ROUND_BODY_BYTES_MAX,
  SignCommit,
  SignLate,
  SignOpen,
  SignPartial,
  SignVole,
  Vole,
} from '@conclave/wire'
import { expect } from 'chai'
import { type AbortCode, burnsPairs } from './abort.ts'
import { addScalars, randomScalar, type Scalar, scalarFromBytes, subScalars } from './arithmetic.ts'
import { derive } from './derivation.ts'
import type { EcdsaSignature } from './ecdsa.ts'
import { addPoints, mulBase, type Point, pointFromBytes, pointToBytes } from './points.ts'
import { of } from './protocol.ts'
import { sign } from './sign.ts'
import { commitmentOf } from './sign-maths.ts'
import { itemId, type SignContext, type SignItem } from './sign-request.ts'
import { AT, COUNT, ITEMS, idAt, keyPublic, messageOf, PATHS, run, SEED, seenAs, sid, TWO } from './testing/batch.fixture.ts'
import { BURNING, expectAborts } from './testing/claims.fixture.ts'
import { runSign, type SignOptions, signerRandom, testRequest } from './testing/cluster.ts'
import { committee } from './testing/committee.ts'
import { inList } from './testing/items.ts'
import { TestPool } from './testing/pool.ts'
import { allOf, edit, flip, type InFlight, recorder, slotOf, type Tamper } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'
import { expectSignature } from './testing/verify.fixture.ts'

const COMMIT = { number: 1, message: SignCommit } as const
const VOLE = { number: 2, message: SignVole } as const
const OPEN = { number: 3, message: SignOpen } as const
const PARTIAL = { number: 4, message: SignPartial } as const
const of3 = (m: InFlight) => m.from === 3
const plusOne = (b: Uint8Array) => addScalars(scalarFromBytes(b) as Scalar, scalar(1n))
const plusG = (b: Uint8Array) => pointToBytes(addPoints(pointFromBytes(b) as Point, mulBase(scalar(1n))))

const pooled = (): SignOptions => {
  const pool = new TestPool()
  pool.fill(1, 3, SEED, COUNT)
  return pool.options(TWO, COUNT)
}
/** With and without a pool: what does not depend on it. */
const BOTH: readonly (readonly [string, () => SignOptions])[] = [
  ['full', () => ({})],
  ['pooled', pooled],
]

/** Party 1 stops with this abort, says nothing after round `last`, and no signature of any item leaves it. */
function stops(options: SignOptions, code: AbortCode, culprits: readonly PartyId[], last: number): void {
  const said = new Set<number>()
  const outcome = run({ ...options, watch: (m) => m.from === 1 && said.add(m.round) })
  expectAborts(outcome, [1], code, culprits)
  expect(Math.max(...said)).to.equal(last)
  expect(burnsPairs(code)).to.equal(BURNING.includes(code))
}

describe('sign batch', () => {
  for (const [kind, options] of BOTH)
    it(`sign batch: ${kind}: three digests under two paths give three signatures, each under its own key`, () => {
      const { results, errors } = run(options())
      expect([...errors]).to.deep.equal([])
      const made = of(results, 1)
      expect(of(results, 3)).to.deep.equal(made)
      const { publicKey, chainCode } = keyPublic()
      for (const [i, path] of PATHS.entries())
        expectSignature(derive(publicKey, chainCode, path).publicKey, messageOf(i), made[i] as EcdsaSignature)
    })

  it('sign batch: nonces, key points, salts, names and products are of one item only', () => {
    const said = recorder()
    run({ watch: said.watch })
    const openings = TWO.flatMap((j) => decode(SignOpen, said.sent.get(slotOf(3, j, 4 - j)) as Uint8Array).openings)
    const salts = TWO.flatMap((j) => {
      const { ots } = decode(SignCommit, said.sent.get(slotOf(1, j, 4 - j)) as Uint8Array)
      const { voles } = decode(SignVole, said.sent.get(slotOf(2, j, 4 - j)) as Uint8Array)
      return [...ots, ...voles].map((m) => m.salt)
    })
    const once = [...openings.flatMap((o) => Object.values(o)), ...salts].map((b) => Buffer.from(b).toString('hex'))
    // Items 0 and 2 are under one key: their shares of it are masked differently all the same.
    expect(new Set(once).size).to.equal(8 * 2 * COUNT + 4 * COUNT)
    expect(new Set([0, 1, 2].map((i) => Buffer.from(idAt(i)).toString('hex'))).size).to.equal(COUNT)
  })

  it('sign batch: the session of one item is that of the specification, and one digest twice is two signatures', () => {
    expect(itemId(sid(), 0, 1)).to.deep.equal(sid())
    const [item] = ITEMS as [SignItem]
    const { results } = runSign(committee(2, 3, TWO), testRequest(TWO, { items: [item, item] }), SEED)
    const [a, b] = of(results, 1) as [EcdsaSignature, EcdsaSignature]
    expect(a.signature).not.to.deep.equal(b.signature)
    for (const made of [a, b]) expectSignature(keyPublic().publicKey, messageOf(0), made)
  })

  it('sign batch: the longest message of the most items, late OT and VOLE together, is within the limit', () => {
    const ot = { salt: new Uint8Array(32), columns: new Uint8Array(128 * 112), check: new Uint8Array(16), checkHash: new Uint8Array(32) }
    const vole = { salt: new Uint8Array(32), rows: new Uint8Array(768 * 3 * 32), maskHash: new Uint8Array(32), mask: new Uint8Array(32) }
    const body = encode(SignLate, { ots: new Array(DIGESTS_MAX).fill(ot), voles: new Array(DIGESTS_MAX).fill(vole) })
    expect(body.length).to.be.within(0.95 * ROUND_BODY_BYTES_MAX, ROUND_BODY_BYTES_MAX)
    expect([encode(OtExtension, ot).length, encode(Vole, vole).length]).to.deep.equal([14_425, 73_834])
  })
})

describe('sign batch checks', () => {
  it('sign batch checks: 3.1 an inconsistent OT extension of the second of three items names the cheat and burns', () =>
    stops(
      {
        tamper: edit(
          COMMIT,
          of3,
          inList('ots', (ot: OtExtension) => ({ ...ot, checkHash: flip(ot.checkHash) }), AT),
        ),
      },
      'OT_CHECK',
      [3],
      1,
    ))

  it('sign batch checks: 4.1 an inconsistent VOLE message of the second of three items names the cheat and burns', () =>
    stops(
      {
        tamper: edit(
          VOLE,
          of3,
          inList('voles', (v: Vole) => ({ ...v, maskHash: flip(v.maskHash) }), AT),
        ),
      },
      'VOLE_CHECK',
      [3],
      2,
    ))

  it('sign batch checks: 0 a VOLE scalar of q or more in the second of three items names the cheat without burning', () => {
    const mask = new Uint8Array(32).fill(255)
    stops(
      {
        tamper: edit(
          VOLE,
          of3,
          inList('voles', (v: Vole) => ({ ...v, mask }), AT),
        ),
      },
      'SIGN_MALFORMED',
      [3],
      2,
    )
  })

  const NO_SCALAR = new Uint8Array(32).fill(255)
  for (const [kind, options] of BOTH) {
    it(`sign batch checks: ${kind}: 5.1 another commitment to the second of three items stops everybody, naming nobody`, () =>
      stops(
        {
          ...options(),
          tamper: edit(
            COMMIT,
            of3,
            inList('commitments', (c: Uint8Array) => flip(c), AT),
          ),
        },
        'SIGN_ECHO',
        [],
        2,
      ))

    for (const [check, what, change, code, named] of [
      ['5.2', 'another salt', (o) => ({ ...o, salt: flip(o.salt) }), 'SIGN_BAD_OPENING', false],
      ['5.2', 'another nonce point', (o) => ({ ...o, noncePoint: plusG(o.noncePoint) }), 'SIGN_BAD_OPENING', false],
      ['0', 'a scalar of q or more', (o) => ({ ...o, psi: NO_SCALAR }), 'SIGN_MALFORMED', true],
      ['0', 'no point', (o) => ({ ...o, checkU: new Uint8Array(33) }), 'SIGN_MALFORMED', true],
      ['5.3', 'another nonce in the product', (o) => ({ ...o, gammaU: plusOne(o.gammaU) }), 'SIGN_NONCE_PRODUCT', true],
      ['5.4', 'another key share in the product', (o) => ({ ...o, gammaV: plusOne(o.gammaV) }), 'SIGN_KEY_PRODUCT', true],
    ] as const satisfies readonly (readonly [string, string, (o: Opening) => Opening, AbortCode, boolean])[])
      it(`sign batch checks: ${kind}: ${check} ${what} in the opening of the second of three items: ${code}, ${named ? 'the sender' : 'nobody'} named`, () =>
        stops({ ...options(), tamper: edit(OPEN, of3, inList('openings', change, AT)) }, code, named ? [3] : [], 3))

    for (const [check, what, change, code] of [
      ['5.5', 'key points', (o) => ({ ...o, keyPoint: plusG(o.keyPoint), gammaV: plusOne(o.gammaV) }), 'SIGN_KEY_SUM'],
      ['5.7', 'nonce points', (o) => ({ ...o, noncePoint: plusG(o.noncePoint), gammaU: plusOne(o.gammaU) }), 'SIGN_INVALID'],
    ] as const satisfies readonly (readonly [string, string, (o: Opening) => Opening, AbortCode])[])
      it(`sign batch checks: ${kind}: ${check} ${what} and products of the second of three items moved by G, committed to and opened: ${code}, nobody named`, () => {
        const tamper = recommit(options, change)
        stops({ ...options(), tamper }, code, [], code === 'SIGN_KEY_SUM' ? 3 : 4)
      })

    it(`sign batch checks: ${kind}: 5.6 a nonce of the second of three items that cancels that of the other names nobody`, () => {
      const deviants = new Map([
        [3, (ctx: SignContext) => sign({ ...ctx, random: drawing(subScalars(scalar(0n), nonceOf(1)), ctx.random) })],
      ])
      stops({ ...options(), deviants }, 'SIGN_ZERO_NONCE', [], 3)
    })

    it(`sign batch checks: ${kind}: 5.7 a wrong partial of the second of three items names nobody, and no signature of any item leaves`, () => {
      for (const part of ['u', 'w'] as const)
        stops(
          {
            ...options(),
            tamper: edit(
              PARTIAL,
              of3,
              inList('partials', (p: PartialSignature) => ({ ...p, [part]: plusOne(p[part]) }), AT),
            ),
          },
          'SIGN_INVALID',
          [],
          4,
        )
    })
  }
})

/** Party 3 commits to another opening of the attacked item from the start and opens it; echoes are what each end expects. */
function recommit(options: () => SignOptions, change: (o: Opening) => Opening): Tamper {
  const said = recorder()
  run({ ...options(), watch: said.watch })
  const { openings } = decode(SignOpen, said.sent.get(slotOf(3, 3, 1)) as Uint8Array)
  const { commitments } = decode(SignCommit, said.sent.get(slotOf(1, 3, 1)) as Uint8Array)
  const other = commitments.map((c, i) => (i === AT ? commitmentOf(idAt(i), 3, change(openings[i] as Opening)) : c))
  return allOf(
    edit(COMMIT, of3, (m) => ({ ...m, commitments: other })),
    edit(OPEN, of3, inList('openings', change, AT)),
    seenAs(said, other),
  )
}

/** k of the attacked item, as a party of the seed draws it: k, phi and a salt for each item. */
function nonceOf(j: PartyId): Scalar {
  const draw = signerRandom(SEED, j)
  const drawn = ITEMS.map(() => {
    const k = randomScalar(draw)
    randomScalar(draw)
    draw.bytes(32)
    return k
  })
  return drawn[AT] as Scalar
}

/** The third scalar that is drawn, k of the attacked item, is `k`; the rest is what the inner source gives. */
function drawing(k: Scalar, inner: SignContext['random']): SignContext['random'] {
  let scalars = 0
  return {
    bytes(length) {
      const out = inner.bytes(length)
      if (length !== 48 || scalars++ !== 2 * AT) return out
      out.fill(0)
      out.set(k, length - 32)
      return out
    },
  }
}
