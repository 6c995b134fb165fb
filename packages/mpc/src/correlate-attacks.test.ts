import { CorrelateConfirm, CorrelateOt, CorrelateVole, decode, encode, type OtExtension, type Vole } from '@conclave/wire'
import { expect } from 'chai'
import { bitOf } from './bits.ts'
import { extendAlice } from './ot-extension.ts'
import { pairContext, secretsOf } from './pair-state.ts'
import { extensionMessage, prepareExtension } from './testing/cheating-extension.ts'
import { prepareVole, voleMessage } from './testing/cheating-vole.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { COUNT, choicesOf, nonceIn, of3, pairAt, poolIdOf, run, SEED, stops } from './testing/correlate.fixture.ts'
import { changed } from './testing/items.ts'
import { runCorrelate } from './testing/pool.ts'
import { edit, partyRandom, recorder, slotOf } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const OT = { number: 1, message: CorrelateOt } as const
const VOLE = { number: 2, message: CorrelateVole } as const
const CONFIRM = { number: 3, message: CorrelateConfirm } as const

describe('correlate attacks', () => {
  const earlier = recorder()
  before(() => {
    runCorrelate(1, 3, 'earlier', COUNT, { watch: earlier.watch })
  })
  const before3 = <M extends typeof OT | typeof VOLE | typeof CONFIRM>(round: M) =>
    decode(round.message, earlier.sent.get(slotOf(round.number, 3, 1)) as Uint8Array)

  for (const [round, code] of [
    [1, 'CORRELATE_MISMATCH'],
    [2, 'VOLE_CHECK'],
    [3, 'CORRELATE_UNCONFIRMED'],
  ] as const)
    it(`missing session id: round ${round} of an earlier run that fills the pool gives no entry and names at most who sent it (${code})`, () =>
      stops((m) => (of3(m) && m.round === round ? earlier.sent.get(slotOf(round, 3, 1)) : m.body), code, round === 2 ? [3] : []))

  it('missing session id: OT and VOLE messages of an earlier run inside messages of this one name their sender', () => {
    const { ots } = before3(OT) as { ots: readonly OtExtension[] }
    const { voles } = before3(VOLE) as { voles: readonly Vole[] }
    stops(
      edit(OT, of3, (m) => ({ ...m, ots: changed(m.ots, () => ots[1] as OtExtension, 1) })),
      'OT_CHECK',
      [3],
    )
    stops(
      edit(VOLE, of3, (m) => ({ voles: changed(m.voles, () => voles[1] as Vole, 1) })),
      'VOLE_CHECK',
      [3],
    )
  })

  it('missing session id: the messages of one entry in the place of another, or twice, name their sender', () => {
    const swap = <V>([a, b, ...rest]: readonly V[]) => [b, a, ...rest] as readonly V[]
    const twice = <V>([a, , ...rest]: readonly V[]) => [a, a, ...rest] as readonly V[]
    for (const mix of [swap, twice]) {
      stops(
        edit(OT, of3, (m) => ({ ...m, ots: mix(m.ots) })),
        'OT_CHECK',
        [3],
      )
      stops(
        edit(VOLE, of3, (m) => ({ voles: mix(m.voles) })),
        'VOLE_CHECK',
        [3],
      )
    }
  })

  for (const [round, code] of [
    [1, 'OT_CHECK'],
    [2, 'VOLE_CHECK'],
  ] as const)
    it(`missing session id: our own round ${round} sent back to us names at most who sent it (${code})`, () => {
      const said = recorder()
      const outcome = run((m) => (of3(m) && m.round === round ? said.sent.get(slotOf(round, 1, 3)) : m.body), said.watch)
      expectAborts(outcome, [1], code, [3])
    })

  it('OT selective failure: a flipped column in the second of three entries is caught exactly where the bit of Delta is 1, while entries are made', () => {
    const { delta } = secretsOf(pairAt(1))
    const { bobSeeds0: seeds0, bobSeeds1: seeds1 } = secretsOf(pairAt(3))
    const nonceOf = nonceIn(SEED)
    const draw = partyRandom('selective', 3)
    const held = prepareExtension(
      poolIdOf(nonceOf, 1),
      pairContext(pairAt(1).public, 1, 3),
      { seeds0, seeds1 },
      draw.bytes(32),
      draw.bytes(112),
    )
    const caught = [0, 1, 2, 3, 64, 127].map((column) => {
      const cheat = extensionMessage(held, { column, bit: 5, guess: 0 })
      const outcome = run(edit(OT, of3, (m) => ({ ...m, ots: changed(m.ots, () => cheat, 1) })))
      const code = outcome.errors.get(1)?.code
      // A cheat that passes is another Bob than party 3 itself is.
      expect(code === 'OT_CHECK').to.equal(bitOf(delta, column) === 1)
      return bitOf(delta, column)
    })
    expect(caught).to.include(0).and.include(1)
  })

  it('VOLE inconsistent rows: a wrong row in the third of three entries is caught exactly where the choice bit is 1, while entries are made', () => {
    const said = recorder()
    run(undefined, said.watch)
    const ot = decode(CorrelateOt, said.sent.get(slotOf(1, 1, 3)) as Uint8Array).ots[2] as OtExtension
    const { delta, aliceSeeds } = secretsOf(pairAt(3))
    const extended = extendAlice(poolIdOf(nonceIn(SEED), 2), pairContext(pairAt(1).public, 3, 1), { delta, seeds: aliceSeeds }, ot)
    if (extended === undefined) throw new Error('an honest extension failed')
    const inputs = prepareVole(extended.nu, ot, extended.rows, delta, partyRandom('rows', 3))
    const bits = choicesOf(2)
    const caught = [0, 1, 2, 3, 400, 767].map((row) => {
      const vole = voleMessage(inputs, { rows: new Set([row]), column: 0, error: scalar(7n), guess: 0 })
      const code = run(edit(VOLE, of3, (m) => ({ voles: changed(m.voles, () => vole, 2) }))).errors.get(1)?.code
      expect(code === 'VOLE_CHECK').to.equal(bitOf(bits, row) === 1)
      return bitOf(bits, row)
    })
    expect(caught).to.include(0).and.include(1)
  })

  it('panic instead of abort: a confirmation is compared as bytes, whatever it holds', () => {
    for (const names of [new Uint8Array(32), new Uint8Array(32).fill(255)])
      stops((m) => (of3(m) && m.round === 3 ? encode(CorrelateConfirm, { names }) : m.body), 'CORRELATE_UNCONFIRMED', [])
  })
})
