import type { PartyId } from '@conclave/core'
import { decode, type MessageField, SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
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
  [1, 'commitment', flip, 'SIGN_ECHO', false],
  [1, 'ot.salt', flip, 'OT_CHECK', true],
  [1, 'ot.columns', flip, 'OT_CHECK', true],
  [1, 'ot.check', flip, 'OT_CHECK', true],
  [1, 'ot.checkHash', flip, 'OT_CHECK', true],
  [2, 'echo', flip, 'SIGN_ECHO', false],
  [2, 'vole.salt', flip, 'VOLE_CHECK', true],
  [2, 'vole.rows', (b) => flip(b, 255), 'VOLE_CHECK', true],
  [2, 'vole.rows', () => new Uint8Array(768 * 3 * 32).fill(255), 'SIGN_MALFORMED', true],
  [2, 'vole.maskHash', flip, 'VOLE_CHECK', true],
  [2, 'vole.mask', plusOne, 'VOLE_CHECK', true],
  [2, 'vole.mask', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'noncePoint', plusG, 'SIGN_BAD_OPENING', false],
  [3, 'keyPoint', plusG, 'SIGN_BAD_OPENING', false],
  [3, 'salt', flip, 'SIGN_BAD_OPENING', false],
  [3, 'gammaU', plusOne, 'SIGN_NONCE_PRODUCT', true],
  [3, 'gammaU', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'gammaV', plusOne, 'SIGN_KEY_PRODUCT', true],
  [3, 'gammaV', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'checkU', plusG, 'SIGN_NONCE_PRODUCT', true],
  [3, 'checkU', constant(NO_POINT), 'SIGN_MALFORMED', true],
  [3, 'checkV', plusG, 'SIGN_KEY_PRODUCT', true],
  [3, 'checkV', constant(NO_POINT), 'SIGN_MALFORMED', true],
  [3, 'psi', plusOne, 'SIGN_INVALID', false],
  [3, 'psi', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [3, 'echo', flip, 'SIGN_ECHO', false],
  [4, 'u', plusOne, 'SIGN_INVALID', false],
  [4, 'u', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
  [4, 'w', plusOne, 'SIGN_INVALID', false],
  [4, 'w', constant(TOO_LARGE), 'SIGN_MALFORMED', true],
]

type Plain = { readonly [name: string]: Uint8Array | Plain }
function put(value: Plain, [name, ...rest]: readonly string[], change: (b: Uint8Array) => Uint8Array): Plain {
  const field = value[name as string]
  const changed = rest.length > 0 ? put(field as Plain, rest, change) : change(field as Uint8Array)
  return { ...value, [name as string]: changed }
}

function fieldsOf(type: MessageField, prefix = ''): readonly string[] {
  return Object.entries(type.fields).flatMap(([name, f]) => (f.kind === 'message' ? fieldsOf(f, `${name}.`) : [prefix + name]))
}

describe('Gamma, psi, gamma, pk tampering', () => {
  it('Gamma, psi, gamma, pk tampering: the table names every field of every message', () => {
    for (const [round, type] of Object.entries(ROUNDS))
      expect(new Set(TABLE.filter(([r]) => r === Number(round)).map(([, path]) => path))).to.deep.equal(new Set(fieldsOf(type)))
  })

  for (const [round, path, change, code, named] of TABLE) {
    const kind = code === 'SIGN_MALFORMED' ? 'not canonical' : 'changed'
    it(`Gamma, psi, gamma, pk tampering: round ${round} ${path} ${kind}: ${code}, ${named ? 'the sender' : 'nobody'} named`, () => {
      const type: MessageField = ROUNDS[round]
      const tamper = edit({ number: round, message: type }, of3, (m) => put(m as Plain, path.split('.'), change))
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
    function recommit(change: (o: SignOpen) => SignOpen): Tamper {
      const opening = change(sent(3, 3, SignOpen))
      const commitment = commitmentOf(sid, 3, opening)
      const echo = echoHash(
        'sign-echo',
        sid,
        new Map([
          [1, sent(1, 1, SignCommit).commitment],
          [3, commitment],
        ]),
      )
      const of1 = (m: InFlight) => m.from === 1
      const own = sent(2, 3, SignVole).echo
      return allOf(
        // Party 3 runs on: it is shown the echo that belongs to what it has really said.
        edit({ number: 2, message: SignVole }, of1, (m) => ({ ...m, echo: own })),
        edit({ number: 3, message: SignOpen }, of1, (m) => ({ ...m, echo: own })),
        edit({ number: 1, message: SignCommit }, of3, (m) => ({ ...m, commitment })),
        edit({ number: 2, message: SignVole }, of3, (m) => ({ ...m, echo })),
        edit({ number: 3, message: SignOpen }, of3, (m) => ({ ...change(m), echo })),
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
    ] as const satisfies readonly (readonly [string, (o: SignOpen) => SignOpen, AbortCode | undefined, boolean])[])
      it(`Gamma, psi, gamma, pk tampering: ${what}, committed to and opened: ${code === undefined ? 'accepted' : `${code}, ${named ? 'the sender' : 'nobody'} named`}`, () => {
        const outcome = run(recommit(change))
        if (code === undefined) expect(outcome.results.has(1)).to.equal(true)
        else expectAborts(outcome, [1], code, named ? [3] : [])
      })
  })
})
