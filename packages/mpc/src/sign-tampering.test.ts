import type { PartyId } from '@conclave/core'
import { decode, type MessageField, type Opening, SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import { expect } from 'chai'
import { type AbortCode, burnsPairs } from './abort.ts'
import { addScalars, type Scalar, scalarFromBytes } from './arithmetic.ts'
import type { KeyShare } from './key.ts'
import { mulBase, type Point, pointFromBytes, pointToBytes, sumPoints } from './points.ts'
import { echoHash } from './protocol.ts'
import { commitmentOf } from './sign-maths.ts'
import { signSid } from './sign-request.ts'
import { BURNING, expectAborts } from './testing/claims.fixture.ts'
import { CLUSTER_CONTEXT, runSign, testRequest } from './testing/cluster.ts'
import { committee, keyOf } from './testing/committee.ts'
import { changed, inList } from './testing/items.ts'
import { allOf, edit, flip, type InFlight, recorder, slotOf, type Tamper } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const ROUNDS = { 1: SignCommit, 2: SignVole, 3: SignOpen, 4: SignPartial } as const
const QUORUM = [1, 3]
const SEED = 'tampering'
const of3 = (m: InFlight) => m.from === 3
const run = (tamper: Tamper, watch?: (m: InFlight) => void) =>
  runSign(committee(2, 3, QUORUM), testRequest(QUORUM), SEED, watch === undefined ? { tamper } : { tamper, watch })

const TOO_LARGE = new Uint8Array(32).fill(255)
const NO_POINT = new Uint8Array(33)
const plusOne = (b: Uint8Array) => addScalars(scalarFromBytes(b) as Scalar, scalar(1n))
const plusG = (b: Uint8Array) => pointToBytes(sumPoints([pointFromBytes(b) as Point, mulBase(scalar(1n))]))
const constant = (value: Uint8Array) => () => value

/** Field, what is done to it, the code at the honest party, whether the sender is named. */
type Row = readonly [round: keyof typeof ROUNDS, path: string, change: (b: Uint8Array) => Uint8Array, code: AbortCode, named: boolean]
const TABLE: readonly Row[] = [
  [1, 'context', flip, 'SIGN_PAIR_MISMATCH', false],
  [1, 'commitments', flip, 'SIGN_ECHO', false],
  [1, 'ots.salt', flip, 'OT_CHECK', true],
  [1, 'ots.columns', flip, 'OT_CHECK', true],
  [1, 'ots.check', flip, 'OT_CHECK', true],
  [1, 'ots.checkHash', flip, 'OT_CHECK', true],
  [2, 'echo', flip, 'SIGN_ECHO', false],
  [2, 'voles.salt', flip, 'VOLE_CHECK', true],
  [2, 'voles.rows', (b) => flip(b, 255), 'VOLE_CHECK', true],
  [2, 'voles.rows', () => new Uint8Array(768 * 3 * 32).fill(255), 'SIGN_MALFORMED', true],
  [2, 'voles.maskHash', flip, 'VOLE_CHECK', true],
  [2, 'voles.mask', plusOne, 'VOLE_CHECK', true],
  [2, 'voles.mask', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'openings.noncePoint', plusG, 'SIGN_BAD_OPENING', false],
  [3, 'openings.keyPoint', plusG, 'SIGN_BAD_OPENING', false],
  [3, 'openings.salt', flip, 'SIGN_BAD_OPENING', false],
  [3, 'openings.gammaU', plusOne, 'SIGN_NONCE_PRODUCT', true],
  [3, 'openings.gammaU', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'openings.gammaV', plusOne, 'SIGN_KEY_PRODUCT', true],
  [3, 'openings.gammaV', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'openings.checkU', plusG, 'SIGN_NONCE_PRODUCT', true],
  [3, 'openings.checkU', constant(NO_POINT), 'SIGN_MALFORMED', true],
  [3, 'openings.checkV', plusG, 'SIGN_KEY_PRODUCT', true],
  [3, 'openings.checkV', constant(NO_POINT), 'SIGN_MALFORMED', true],
  [3, 'openings.psi', plusOne, 'SIGN_INVALID', false],
  [3, 'openings.psi', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'echo', flip, 'SIGN_ECHO', false],
  [4, 'partials.u', plusOne, 'SIGN_INVALID', false],
  [4, 'partials.u', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [4, 'partials.w', plusOne, 'SIGN_INVALID', false],
  [4, 'partials.w', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
]

/** What is empty without a pool: sign-pool-lies.test.ts. */
const POOL = [[1, 'offer'], ...['salt', 'columns', 'check', 'checkHash'].map((name) => [2, `ots.${name}`])]

type Plain = { readonly [name: string]: Value }
type Value = Uint8Array | Plain | readonly Value[]
/** Changes the field at `path`; of a list, the first entry. */
function put(value: Value, path: readonly string[], change: (b: Uint8Array) => Uint8Array): Value {
  if (Array.isArray(value)) return changed(value as readonly Value[], (first) => put(first, path, change))
  if (value instanceof Uint8Array) return change(value)
  const [name, ...rest] = path as [string, ...string[]]
  return { ...value, [name]: put((value as Plain)[name] as Value, rest, change) }
}

function fieldsOf(type: MessageField, prefix = ''): readonly string[] {
  return Object.entries(type.fields).flatMap(([name, f]) => {
    const inner = f.kind === 'list' ? f.item : f
    return inner.kind === 'message' ? fieldsOf(inner, `${prefix}${name}.`) : [prefix + name]
  })
}

describe('Gamma, psi, gamma, pk tampering', () => {
  it('Gamma, psi, gamma, pk tampering: the table names every field of every message', () => {
    for (const [round, type] of Object.entries(ROUNDS))
      expect(new Set([...POOL, ...TABLE].filter(([r]) => r === Number(round)).map(([, path]) => path))).to.deep.equal(
        new Set(fieldsOf(type)),
      )
  })

  for (const [round, path, change, code, named] of TABLE) {
    const kind = code === 'SIGN_MALFORMED' ? 'not canonical' : 'changed'
    it(`Gamma, psi, gamma, pk tampering: round ${round} ${path} ${kind}: ${code}, ${named ? 'the sender' : 'nobody'} named`, () => {
      const type: MessageField = ROUNDS[round]
      const tamper = edit({ number: round, message: type }, of3, (m) => put(m as Plain, path.split('.'), change) as never)
      expectAborts(run(tamper), [1], code, named ? [3] : [])
      expect(burnsPairs(code)).to.equal(BURNING.includes(code))
    })
  }

  describe('with the commitment made anew', () => {
    const said = recorder()
    const sid = signSid(CLUSTER_CONTEXT, (keyOf(2, 3).shares.get(1) as KeyShare).public, testRequest(QUORUM))
    const sent = <M extends MessageField>(round: number, from: PartyId, message: M) =>
      decode(message, said.sent.get(slotOf(round, from, 4 - from)) as Uint8Array)

    before(() => {
      run((m) => m.body, said.watch)
    })

    /** Party 3 commits to other points from the start and opens them; its echoes are what party 1 expects. */
    function recommit(change: (o: Opening) => Opening): Tamper {
      const opening = change(sent(3, 3, SignOpen).openings[0] as Opening)
      const commitment = commitmentOf(sid, 3, opening)
      const echo = echoHash(
        'sign-echo',
        sid,
        new Map([
          [1, sent(1, 1, SignCommit).commitments[0] as Uint8Array],
          [3, commitment],
        ]),
      )
      const of1 = (m: InFlight) => m.from === 1
      const own = sent(2, 3, SignVole).echo
      return allOf(
        // Party 3 runs on: it is shown the echo that belongs to what it has really said.
        edit({ number: 2, message: SignVole }, of1, (m) => ({ ...m, echo: own })),
        edit({ number: 3, message: SignOpen }, of1, (m) => ({ ...m, echo: own })),
        edit(
          { number: 1, message: SignCommit },
          of3,
          inList('commitments', () => commitment),
        ),
        edit({ number: 2, message: SignVole }, of3, (m) => ({ ...m, echo })),
        edit({ number: 3, message: SignOpen }, of3, (m) => ({ openings: changed(m.openings, change), echo })),
      )
    }

    for (const [what, change, code, named] of [
      ['no change', (o) => o, undefined, false],
      ['another salt', (o) => ({ ...o, salt: flip(o.salt) }), undefined, false],
      ['another nonce point', (o) => ({ ...o, noncePoint: plusG(o.noncePoint) }), 'SIGN_NONCE_PRODUCT', true],
      ['another key point', (o) => ({ ...o, keyPoint: plusG(o.keyPoint) }), 'SIGN_KEY_PRODUCT', true],
      ['a nonce point that is none', (o) => ({ ...o, noncePoint: NO_POINT }), 'SIGN_MALFORMED', true],
      ['a key point that is none', (o) => ({ ...o, keyPoint: NO_POINT }), 'SIGN_MALFORMED', true],
      [
        'key points and products moved by G',
        (o) => ({ ...o, keyPoint: plusG(o.keyPoint), gammaV: plusOne(o.gammaV) }),
        'SIGN_KEY_SUM',
        false,
      ],
      [
        'nonce points and products moved by G',
        (o) => ({ ...o, noncePoint: plusG(o.noncePoint), gammaU: plusOne(o.gammaU) }),
        'SIGN_INVALID',
        false,
      ],
    ] as const satisfies readonly (readonly [string, (o: Opening) => Opening, AbortCode | undefined, boolean])[])
      it(`Gamma, psi, gamma, pk tampering: ${what}, committed to and opened: ${code === undefined ? 'accepted' : `${code}, ${named ? 'the sender' : 'nobody'} named`}`, () => {
        const outcome = run(recommit(change))
        if (code === undefined) expect(outcome.results.has(1)).to.equal(true)
        else expectAborts(outcome, [1], code, named ? [3] : [])
      })
  })
})
