import { expect } from 'chai'
import { Draw } from './check/draw.ts'
import { kernel } from './index.ts'
import { wasm } from './load.ts'
import { twin } from './twin/index.ts'

const memory = (wasm as unknown as { readonly memory: WebAssembly.Memory }).memory
const draw = new Draw(20260202)
const scalars = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => draw.scalar()))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const isZero = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0)

const [prefix, rows, weights, chi] = [draw.bytes(95), draw.bytes(160), scalars(2), draw.bytes(96)]
const [bits, factors, seeds] = [draw.bytes(2), scalars(10), draw.bytes(128 * 32)]

/** Every function of vectors and bits, each with what others gave. */
function chain(of: typeof kernel): readonly Uint8Array[] {
  const table = of.hashRows(prefix, rows, undefined, 3)
  const other = of.hashRows(prefix, rows, rows.subarray(0, 16), 3)
  const differences = of.maskedDifferences(table, other, table.subarray(0, 96))
  const selected = of.addSelected(table, bits, differences, 3)
  const folded = of.foldColumns(selected, weights)
  const less = of.subSelected(folded, bits, folded.subarray(32, 64))
  const indices = of.hashIndices(folded, 10)
  const combined = of.combineColumns(selected, of.sumColumns(indices, selected))
  const columns = of.expandSeeds(prefix, seeds, combined, 112)
  const picked = of.sumSelected(factors, columns)
  return [
    table,
    other,
    differences,
    selected,
    folded,
    less,
    indices,
    combined,
    columns,
    picked,
    of.foldBlocks(chi, columns),
    of.transpose(columns, 128),
  ]
}

describe('hold', () => {
  it('what is held and read in place is what the twin gives', () => {
    const held = kernel.hold(() => chain(kernel).map(hex))
    expect(held).to.deep.equal(chain(twin).map(hex))
  })

  it('results are views of one memory until the end, and wiped then', () => {
    let views: readonly Uint8Array[] = []
    kernel.hold(() => {
      views = chain(kernel)
      for (const view of views) expect(view.buffer).to.equal(memory.buffer)
      expect(views.some(isZero)).to.equal(false)
    })
    expect(views.every(isZero)).to.equal(true)
  })

  it('they are wiped when the work throws, and the next one is not held', () => {
    let view: Uint8Array = Uint8Array.of(1)
    const fails = () => {
      view = kernel.hashRows(prefix, rows, undefined, 3)
      throw new Error('no')
    }
    expect(() => kernel.hold(fails)).to.throw('no')
    expect(isZero(view)).to.equal(true)
    expect(kernel.hashRows(prefix, rows, undefined, 3).buffer).not.to.equal(memory.buffer)
  })

  it('what is held outside stays when an inner hold ends', () => {
    kernel.hold(() => {
      const outer = kernel.hashRows(prefix, rows, undefined, 3)
      const before = hex(outer)
      const inner = kernel.hold(() => kernel.hashRows(prefix, rows, undefined, 3))
      expect([hex(outer), isZero(inner)]).to.deep.equal([before, true])
      expect(hex(kernel.hashRows(prefix, rows, undefined, 3))).to.equal(before)
    })
  })

  it('a result that is written to is read as it was written', () => {
    const [table, offsets] = [scalars(3), scalars(3)]
    const sum = kernel.hold(() => {
      const held = kernel.maskedDifferences(table, table, offsets)
      held.set(table)
      return hex(kernel.maskedDifferences(held, offsets, offsets))
    })
    expect(sum).to.equal(hex(table))
  })

  it('nothing is left in memory that depends on what was held', () => {
    const run = (seed: number) =>
      kernel.hold(() =>
        kernel.maskedDifferences(...([0, 1, 2].map((i) => new Draw(seed + i).scalar()) as [Uint8Array, Uint8Array, Uint8Array])),
      )
    run(1)
    const left = Buffer.from(memory.buffer.slice(0))
    run(9)
    expect(left.equals(Buffer.from(memory.buffer))).to.equal(true)
  })

  it('more than there is room for is refused: it would empty the views', () => {
    kernel.hold(() => undefined)
    const before = memory.buffer.byteLength
    const endless = () => {
      for (;;) kernel.expandSeeds(prefix, seeds, prefix, 112)
    }
    expect(() => kernel.hold(endless)).to.throw(RangeError)
    expect(memory.buffer.byteLength).to.equal(before)
    const held = kernel.hold(() => Array.from({ length: 100 }, () => kernel.expandSeeds(prefix, seeds, prefix, 112).length))
    expect(held.length).to.equal(100)
  })
})
