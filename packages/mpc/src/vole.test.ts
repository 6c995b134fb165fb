import { seededRandom, utf8 } from '@conclave/core'
import type { OtExtension, Vole } from '@conclave/wire'
import { expect } from 'chai'
import { addScalars, mulScalars, type Scalar, scalarFromBytes, subScalars } from './arithmetic.ts'
import { bitOf } from './bits.ts'
import { COLUMNS, M, N, ROW_BYTES, SCALAR_BYTES } from './constants.ts'
import { extendAlice, extendBob } from './ot-extension.ts'
import { prepareVole, voleMessage } from './testing/cheating-vole.ts'
import { correlation } from './testing/correlation.ts'
import { isWiped, outputsOf } from './testing/kernel-outputs.fixture.ts'
import { flip } from './testing/run.ts'
import { bytesOf, q, scalar, toBigint } from './testing/scalars.fixture.ts'
import { type BobVole, voleAlice, voleBob } from './vole.ts'

const { sid, pairCtx, alice, bob } = correlation('vole')
const extended = extendBob(sid, pairCtx, bob, seededRandom(utf8('bob')))
const { nu } = extended
const rows = extendAlice(sid, pairCtx, alice, extended.message)?.rows as Uint8Array
const run = (ot: OtExtension = extended.message) => voleAlice(nu, ot, rows, alice.delta, seededRandom(utf8('alice')))
const receive = (message: Vole, ot: OtExtension = extended.message) => voleBob(nu, ot, extended, message)
const honest = run()
const made = receive(honest.message) as BobVole
const all = Array.from({ length: M }, (_, j) => j)
const rowsWith = (bit: number) => all.filter((j) => bitOf(extended.choices, j) === bit)
const products = (a: typeof honest, b: BobVole) => [0, 1].map((c) => addScalars(a.t[c] as Scalar, b.r[c] as Scalar))
const expected = (a: typeof honest, b: BobVole) => [0, 1].map((c) => mulScalars(a.alpha[c] as Scalar, b.beta))
const scalarAt = (message: Vole, i: number) => scalarFromBytes(message.rows.subarray(i * SCALAR_BYTES, (i + 1) * SCALAR_BYTES)) as Scalar
const ALL_ONES = new Uint8Array(SCALAR_BYTES).fill(255)

describe('vole', () => {
  it('vole: t + r = alpha * beta in both columns', () => {
    expect(products(honest, made)).to.deep.equal(expected(honest, made))
    expect(made.beta).not.to.deep.equal(scalar(0n))
    expect(honest.alpha[0]).not.to.deep.equal(honest.alpha[1])
  })

  it('vole: the Alice of these tests says what the real one says when she does not cheat', () => {
    const inputs = prepareVole(nu, extended.message, rows, alice.delta, seededRandom(utf8('alice')))
    expect(voleMessage(inputs)).to.deep.equal(honest.message)
    expect(inputs.alpha.slice(0, 2)).to.deep.equal(honest.alpha)
  })

  it('vole: 4.1 any changed field is inconsistent', () => {
    const { message } = honest
    expect(receive({ ...message, salt: flip(message.salt) })).to.equal('inconsistent')
    expect(receive({ ...message, maskHash: flip(message.maskHash) })).to.equal('inconsistent')
    expect(receive({ ...message, mask: flip(message.mask, 255) })).to.equal('inconsistent')
    for (const i of [0, 1, 2, M * COLUMNS - 1])
      expect(receive({ ...message, rows: flip(message.rows, i * 256 + 255) }), `scalar ${i}`).to.equal('inconsistent')
  })

  it('vole: scalars of q or more are malformed, which depends on no secret', () => {
    const { message } = honest
    expect(receive({ ...message, mask: ALL_ONES })).to.equal('malformed')
    for (const i of [0, 1000, M * COLUMNS - 1]) {
      const bad = Uint8Array.from(message.rows)
      bad.set(ALL_ONES, i * SCALAR_BYTES)
      expect(receive({ ...message, rows: bad }), `scalar ${i}`).to.equal('malformed')
    }
  })

  describe('VOLE inconsistent rows', () => {
    const inputs = prepareVole(nu, extended.message, rows, alice.delta, seededRandom(utf8('cheat')))
    const tell = (cheated: readonly number[], column: 0 | 1 | 2, guess: 0 | 1) =>
      receive(voleMessage(inputs, { rows: new Set(cheated), column, error: scalar(12345n), guess }))

    it('VOLE inconsistent rows: a cheat in every row at once passes exactly when every choice bit was guessed', () => {
      for (const guess of [0, 1] as const) expect(tell(rowsWith(guess), 0, guess)).not.to.be.a('string')
      for (const guess of [0, 1] as const) expect(tell(all, 0, guess)).to.equal('inconsistent')
    })

    for (const guess of [0, 1] as const)
      it(`VOLE inconsistent rows: a cheat in one row, betting on ${guess}, is caught exactly where the choice bit is ${1 - guess}`, () => {
        const sample = [...rowsWith(0).slice(0, 6), ...rowsWith(1).slice(0, 6), 0, M - 1]
        for (const [i, j] of sample.entries()) {
          const outcome = tell([j], (i % COLUMNS) as 0 | 1 | 2, guess)
          expect(outcome === 'inconsistent', `row ${j}`).to.equal(bitOf(extended.choices, j) !== guess)
        }
      })

    it('VOLE inconsistent rows: one wrong guess among all others right is caught', () => {
      const [first] = rowsWith(1)
      expect(tell([...rowsWith(0), first as number], 1, 0)).to.equal('inconsistent')
    })
  })

  it('mutating the OT message: chi changes, so Alice and Bob with different ones do not agree', () => {
    const { message: ot } = extended
    for (const part of ['salt', 'columns', 'check', 'checkHash'] as const)
      expect(receive(honest.message, { ...ot, [part]: flip(ot[part]) }), part).to.equal('inconsistent')
  })

  it('mutating the OT message: the gadget vector changes although rows, salts and inputs are the same', () => {
    const other = { ...extended.message, checkHash: flip(extended.message.checkHash) }
    const again = run(other)
    expect(again.alpha).to.deep.equal(honest.alpha)
    expect(again.message.rows).to.deep.equal(honest.message.rows)
    expect(again.message.mask).not.to.deep.equal(honest.message.mask)
    const outcome = receive(again.message, other) as BobVole
    expect(outcome.beta).not.to.deep.equal(made.beta)
    expect(products(again, outcome)).to.deep.equal(expected(again, outcome))
  })

  it('mutating the VOLE message: one changed scalar that no check sees changes the gadget vector', () => {
    const inputs = prepareVole(nu, extended.message, rows, alice.delta, seededRandom(utf8('alice')))
    const [unseen] = rowsWith(0)
    const message = voleMessage(inputs, { rows: new Set([unseen as number]), column: 0, error: scalar(1n), guess: 0 })
    expect(message.salt).to.deep.equal(honest.message.salt)
    // Bob's bits are the same, so beta tells the gadget vectors apart.
    expect((receive(message) as BobVole).beta).not.to.deep.equal(made.beta)
  })

  it('missing row index: identical rows give pads that are distinct in every row and column', () => {
    const same = new Uint8Array(N * ROW_BYTES).fill(0x5a)
    const { message, alpha } = voleAlice(nu, extended.message, same, alice.delta, seededRandom(utf8('same')))
    // Q - alpha is the difference of the two pads of a row and column.
    const pads = all.flatMap((j) => [0, 1].map((c) => subScalars(scalarAt(message, COLUMNS * j + c), alpha[c] as Scalar)))
    expect(new Set(pads.map(toBigint)).size).to.equal(2 * M)
    const masks = all.map((j) => scalarAt(message, COLUMNS * j + 2))
    expect(new Set(masks.map(toBigint)).size).to.equal(M)
  })

  it('vole: pads bind both salts', () => {
    const { message, alpha } = honest
    const fixed = (salt: Uint8Array) => {
      const inner = seededRandom(utf8('alice'))
      let first = true
      const bytes = (n: number) => {
        const drawn = inner.bytes(n)
        const out = first ? salt : drawn
        first = false
        return out
      }
      return { bytes }
    }
    const other = voleAlice(nu, extended.message, rows, alice.delta, fixed(new Uint8Array(32)))
    expect(other.alpha).to.deep.equal(alpha)
    const elsewhere = voleAlice(flip(nu), extended.message, rows, alice.delta, fixed(message.salt))
    expect(elsewhere.alpha).to.deep.equal(alpha)
    for (const i of [0, 1, 2, 2303]) {
      expect(scalarAt(other.message, i)).not.to.deep.equal(scalarAt(message, i))
      expect(scalarAt(elsewhere.message, i)).not.to.deep.equal(scalarAt(message, i))
    }
  })

  it('vole: pads, masked rows and sums are wiped when either side ends, well or not', () => {
    const sides = [
      { act: () => run(), calls: { hashRows: 2, foldColumns: 2, sumColumns: 1 } },
      { act: () => receive(honest.message), calls: { hashRows: 1, addSelected: 1, foldColumns: 1, subSelected: 1, sumColumns: 1 } },
      {
        act: () => receive({ ...honest.message, mask: flip(honest.message.mask, 255) }),
        calls: { hashRows: 1, addSelected: 1, foldColumns: 1, subSelected: 1 },
      },
    ]
    for (const { act, calls } of sides) {
      const seen = outputsOf(act)
      for (const [name, count] of Object.entries(calls) as [keyof typeof seen, number][])
        expect(seen[name].map(isWiped), name).to.deep.equal(new Array(count).fill(true))
    }
  })

  it('vole: scalars are read canonically at the border', () => {
    const border = Uint8Array.from(honest.message.rows)
    border.set(bytesOf(q - 1n), 0)
    expect(receive({ ...honest.message, rows: border })).to.equal('inconsistent')
    border.set(bytesOf(q), 0)
    expect(receive({ ...honest.message, rows: border })).to.equal('malformed')
  })
})
