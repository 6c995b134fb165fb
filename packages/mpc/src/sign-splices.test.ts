import { decode, type MessageField, SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import type { AbortCode } from './abort.ts'
import { ITEMS, run, SEED, seenAs, TWO } from './testing/batch.fixture.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { runSign, testRequest } from './testing/cluster.ts'
import { committee } from './testing/committee.ts'
import { allOf, edit, type InFlight, recorder, slotOf } from './testing/run.ts'

const MESSAGES: Readonly<Record<number, MessageField>> = { 1: SignCommit, 2: SignVole, 3: SignOpen, 4: SignPartial }
const COMMIT = { number: 1, message: SignCommit } as const
const OPEN = { number: 3, message: SignOpen } as const
const of3 = (m: InFlight) => m.from === 3

type Lists = Readonly<Record<string, readonly unknown[]>>
/** Changes one list of party 3's message of a round. */
const editList = (round: number, field: string, change: (list: readonly unknown[]) => readonly unknown[]) =>
  edit({ number: round, message: MESSAGES[round] as MessageField }, of3, (m) => {
    const lists = m as unknown as Lists
    return { ...lists, [field]: change(lists[field] ?? []) } as never
  })

describe('sign batch splices', () => {
  type Mix = <V>(list: readonly V[]) => readonly V[]
  const MIXES: readonly (readonly [string, Mix])[] = [
    ['exchanged', ([a, b, ...rest]) => [b, a, ...rest] as never],
    ['one in the place of the other', ([a, , ...rest]) => [a, a, ...rest] as never],
  ]
  for (const [what, mix] of MIXES) {
    for (const [round, field, code, named] of [
      [1, 'ots', 'OT_CHECK', true],
      [2, 'voles', 'VOLE_CHECK', true],
      [1, 'commitments', 'SIGN_ECHO', false],
      [3, 'openings', 'SIGN_BAD_OPENING', false],
      [4, 'partials', 'SIGN_INVALID', false],
    ] as const)
      it(`missing session id: ${field} of items 0 and 1 of a session, ${what}: ${code}, ${named ? 'the sender' : 'nobody'} named`, () => {
        const tamper = editList(round, field, mix)
        expectAborts(run({ tamper }), [1], code, named ? [3] : [])
      })

    it(`missing session id: the opening of item 0 under item 1, ${what}, committed to in that place: nobody named, since a commitment binds its item`, () => {
      const said = recorder()
      run({ watch: said.watch })
      const commitments = mix(decode(SignCommit, said.sent.get(slotOf(1, 3, 1)) as Uint8Array).commitments)
      const tamper = allOf(
        edit(COMMIT, of3, (m) => ({ ...m, commitments })),
        edit(OPEN, of3, (m) => ({ ...m, openings: mix(m.openings) })),
        seenAs(said, commitments),
      )
      expectAborts(run({ tamper }), [1], 'SIGN_BAD_OPENING')
    })
  }

  it('missing session id: openings, partials and multiplications of a session of one item do nothing in a session of several with that item', () => {
    const said = recorder()
    runSign(committee(2, 3, TWO), testRequest(TWO, { items: ITEMS.slice(0, 1) }), SEED, { watch: said.watch })
    for (const [round, field, code, culprits] of [
      [1, 'ots', 'OT_CHECK', [3]],
      [2, 'voles', 'VOLE_CHECK', [3]],
      [3, 'openings', 'SIGN_BAD_OPENING', []],
      [4, 'partials', 'SIGN_INVALID', []],
    ] as const satisfies readonly (readonly [number, string, AbortCode, readonly number[]])[]) {
      const alone = decode(MESSAGES[round] as MessageField, said.sent.get(slotOf(round, 3, 1)) as Uint8Array) as unknown as Lists
      const tamper = editList(round, field, (list) => list.map((own, i) => (i === 0 ? alone[field]?.[0] : own)))
      expectAborts(run({ tamper }), [1], code, culprits)
    }
  })
})
