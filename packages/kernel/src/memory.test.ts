import { expect } from 'chai'
import { Draw } from './check/draw.ts'
import { kernel } from './index.ts'
import { wasm } from './load.ts'

const memory = (wasm as unknown as { readonly memory: WebAssembly.Memory }).memory
const scalars = (draw: Draw, count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => draw.scalar()))

/** Every call that sees secrets, on values that a seed gives; lengths are always the same. */
const CALLS: Readonly<Record<string, (draw: Draw) => void>> = {
  addScalars: (draw) => kernel.addScalars(draw.scalar(), draw.scalar()),
  subScalars: (draw) => kernel.subScalars(draw.scalar(), draw.scalar()),
  mulScalars: (draw) => kernel.mulScalars(draw.scalar(), draw.scalar()),
  invertScalar: (draw) => kernel.invertScalar(kernel.reduceWide(draw.bytes(31))),
  reduceWide: (draw) => kernel.reduceWide(draw.bytes(48)),
  areCanonical: (draw) => kernel.areCanonical(draw.bytes(96)),
  'hashRows, of which the rows share the last block': (draw) => kernel.hashRows(draw.bytes(95), draw.bytes(160), draw.bytes(16), 3),
  'hashRows, with last blocks of their own': (draw) => kernel.hashRows(draw.bytes(62), draw.bytes(160), draw.bytes(16), 3),
  hashIndices: (draw) => kernel.hashIndices(draw.bytes(138), 9),
  maskedDifferences: (draw) => kernel.maskedDifferences(scalars(draw, 6), scalars(draw, 6), scalars(draw, 3)),
  combineColumns: (draw) => kernel.combineColumns(scalars(draw, 6), scalars(draw, 3)),
  foldColumns: (draw) => kernel.foldColumns(scalars(draw, 6), scalars(draw, 2)),
  sumColumns: (draw) => kernel.sumColumns(scalars(draw, 2), scalars(draw, 6)),
  addSelected: (draw) => kernel.addSelected(scalars(draw, 6), draw.bytes(1), scalars(draw, 6), 3),
  subSelected: (draw) => kernel.subSelected(scalars(draw, 6), draw.bytes(1), draw.scalar()),
  sumSelected: (draw) => kernel.sumSelected(scalars(draw, 6), draw.bytes(1)),
  expandSeeds: (draw) => kernel.expandSeeds(draw.bytes(15), draw.bytes(96), draw.bytes(32), 112),
  foldBlocks: (draw) => kernel.foldBlocks(draw.bytes(96), draw.bytes(336)),
  transpose: (draw) => kernel.transpose(draw.bytes(24 * 17), 24),
}

describe('memory of the kernel', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name}: what is left does not depend on what went in`, () => {
      call(new Draw(1))
      const left = Buffer.from(memory.buffer.slice(0))
      call(new Draw(2))
      expect(left.equals(Buffer.from(memory.buffer))).to.equal(true)
    })
  }
})
