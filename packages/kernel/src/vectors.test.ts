import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { same } from './check/compare.ts'
import { Draw, ORDER } from './check/draw.ts'
import { kernel } from './index.ts'
import { arena, wasm } from './load.ts'
import { toBigint, toScalar, unpack } from './twin/scalars.ts'

const COUNTS = [0, 1, 3, 4, 5, 7, 8, 9, 767, 768, 769]
const draw = new Draw(20260101)
const scalarsOf = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => draw.scalar()))
const ones = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(255)
/** The greatest scalar, so often. */
const greatest = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => toScalar(-1n)))

/** Lays four numbers out as the compiled hash leaves them: word by word, a lane for each. */
function reduceDigests(four: readonly bigint[]): readonly bigint[] {
  const words = new Uint8Array(12 * 16)
  const view = new DataView(words.buffer)
  for (const [lane, value] of four.entries())
    for (let i = 0; i < 12; i++) view.setUint32(16 * i + 4 * lane, Number((value >> BigInt(352 - 32 * i)) & 0xffffffffn), true)
  return arena.run(() => {
    const [out, upper] = [arena.reserve(4 * 32), arena.put(words)]
    wasm.reduceDigests?.(out, 32, upper, upper + 128)
    return unpack(arena.take(out, 4 * 32))
  })
}

describe('vectors', () => {
  it('hashRows: every length of the prefix up to three blocks, with one to four columns', () => {
    for (let length = 0; length <= 192; length++) {
      same('hashRows', draw.bytes(length), draw.bytes(16 * (1 + (length % 9))), length % 2 ? draw.bytes(16) : undefined, 1 + (length % 4))
    }
  })

  it('hashRows: every count of rows that fills the lanes or does not', () => {
    for (const count of COUNTS)
      for (const columns of [1, 3]) same('hashRows', draw.bytes(95), draw.bytes(16 * count), draw.bytes(16), columns)
  })

  it('hashRows: what the specification says, written down with node:crypto', () => {
    const [prefix, row] = [Buffer.from('conclave/v1/pad'), draw.bytes(16)]
    const digest = (n: number) =>
      createHash('sha256')
        .update(prefix)
        .update(Buffer.from('000000000000001400000001', 'hex'))
        .update(row)
        .update(Buffer.from(`0000000000000004000000020000000000000004${n.toString(16).padStart(8, '0')}`, 'hex'))
        .digest()
    const rows = Buffer.concat([draw.bytes(16), row])
    const expected = toScalar(toBigint(Buffer.concat([digest(0), digest(1).subarray(0, 16)])))
    expect(Buffer.from(kernel.hashRows(prefix, rows, undefined, 3).subarray(-32))).to.deep.equal(Buffer.from(expected))
  })

  it('hashRows: digests around multiples of q, which none will ever be, reduce right', () => {
    const edges = [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n, 2n ** 256n, 2n ** 128n * ORDER, 2n ** 384n - 1n]
    const values = edges
      .flatMap((v) => [v, v + ORDER, v + 2n ** 261n, v * (2n ** 128n - 1n), v + 2n ** 383n])
      .map((v) => BigInt.asUintN(384, v))
    for (let i = 0; i < values.length; i++) {
      const four = Array.from({ length: 4 }, (_, lane) => values[(i + lane * lane) % values.length] as bigint)
      expect(reduceDigests(four)).to.deep.equal(four.map((v) => toBigint(toScalar(v))))
    }
  })

  it('hashIndices: every length of the prefix up to three blocks, and every count', () => {
    for (let length = 0; length <= 192; length++) same('hashIndices', draw.bytes(length), 1 + (length % 9))
    for (const count of COUNTS) same('hashIndices', draw.bytes(138), count)
  })

  it('maskedDifferences, addSelected: every count of rows, one to four columns', () => {
    for (const count of COUNTS) {
      const columns = 1 + (count % 4)
      const [a, b] = [scalarsOf(count * columns), scalarsOf(count * columns)]
      same('maskedDifferences', a, b, scalarsOf(columns))
      same('addSelected', a, draw.bytes(Math.ceil(count / 8)), b, columns)
      same('addSelected', a, ones(Math.ceil(count / 8)), b, columns)
    }
  })

  it('maskedDifferences: every triple of edges', () => {
    const edges = [0n, 1n, 2n, ORDER - 1n, ORDER - 2n, ORDER / 2n, 2n ** 64n, 2n ** 128n - 1n, 2n ** 255n, ORDER - 2n ** 192n].map(toScalar)
    const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const))
    for (const offset of edges) {
      const [t0, t1] = [Buffer.concat(pairs.map(([a]) => a)), Buffer.concat(pairs.map(([, b]) => b))]
      same('maskedDifferences', t0, t1, offset)
    }
  })

  it('combineColumns, foldColumns, sumColumns: every count of rows, one to thirteen columns', () => {
    for (const count of COUNTS.slice(1)) {
      const columns = 1 + (count % 13)
      same('combineColumns', scalarsOf(count * columns), scalarsOf(columns))
      same('foldColumns', scalarsOf(count * columns), scalarsOf(columns - 1))
      same('sumColumns', scalarsOf(count), scalarsOf(count * columns))
      for (let used = 0; used <= columns; used += 3) same('sumColumns', scalarsOf(count), scalarsOf(count * columns), used)
    }
  })

  it('combineColumns, foldColumns, sumColumns: sums of the greatest products carry right', () => {
    for (const count of [...COUNTS.slice(1), 5000]) {
      same('combineColumns', greatest(count), greatest(count))
      same('foldColumns', greatest(count), greatest(count - 1))
      same('sumColumns', greatest(count), greatest(2 * count))
    }
  })

  it('subSelected, sumSelected: every count, with bits of all kinds', () => {
    for (const count of COUNTS) {
      for (const bits of [draw.bytes(112), ones(112), new Uint8Array(112)]) {
        same('subSelected', scalarsOf(count), bits, draw.scalar())
        same('sumSelected', scalarsOf(count), bits)
      }
    }
  })

  it('vectors: lengths that do not fit together are refused', () => {
    const [one, two, bits] = [scalarsOf(1), scalarsOf(2), ones(1)]
    const none = new Uint8Array(0)
    for (const call of [
      () => kernel.hashRows(none, ones(17), undefined, 1),
      () => kernel.hashRows(none, ones(16), ones(15), 1),
      () => kernel.maskedDifferences(two, one, one),
      () => kernel.maskedDifferences(one, one, none),
      () => kernel.maskedDifferences(one, one, two),
      () => kernel.combineColumns(one, two),
      () => kernel.combineColumns(one, none),
      () => kernel.foldColumns(one, one),
      () => kernel.sumColumns(two, one),
      () => kernel.sumColumns(one, two, 3),
      () => kernel.sumColumns(one, two, -1),
      () => kernel.sumColumns(new Uint8Array(32 * (2 ** 20 + 1)), none),
      () => kernel.combineColumns(none, new Uint8Array(32 * (2 ** 20 + 1))),
      () => kernel.addSelected(two, bits, one, 1),
      () => kernel.addSelected(two, none, two, 1),
      () => kernel.addSelected(one, bits, one, 2),
      () => kernel.subSelected(two, none, one),
      () => kernel.subSelected(two, bits, two),
      () => kernel.sumSelected(ones(31), bits),
      () => kernel.sumSelected(scalarsOf(9), bits),
    ])
      expect(call, String(call)).to.throw(RangeError)
  })
})
