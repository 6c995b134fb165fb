import { LAST_SCHEDULES_BYTES, MESSAGES, prepare } from './hash.ts'
import type { Scalars, VectorKernel } from './kernel.ts'
import { countOf, ROW_BYTES, requireLengths, roundUp, SCALAR_BYTES } from './lengths.ts'
import { arena, type Exports, wasm } from './load.ts'

const LIMBS_BYTES = 72
const SUM_BYTES = 152
/** What the compiled code can add up before it reduces. */
const PRODUCTS_MAX = 2 ** 20

const calls = wasm as Exports<Exclude<keyof VectorKernel, 'foldColumns' | 'hold'>>
const INDEX = new Uint8Array(4)
const ROW = new Uint8Array(ROW_BYTES)
const INDEXED_ROW = new Uint8Array(INDEX.length + ROW_BYTES)
/** Blocks of output that make a scalar. */
const WIDE_BLOCKS = 2

/** Whether `bits` has a bit for each of `count`. */
const covers = (bits: Uint8Array, count: number): boolean => 8 * bits.length >= count

/** Vectors in WebAssembly. */
export const vectors: VectorKernel = {
  hold: (work) => arena.hold(work),
  hashRows(prefix, rows, offset, columns) {
    const count = countOf(rows, ROW_BYTES, 'hashRows')
    requireLengths((offset ?? ROW).length === ROW_BYTES, 'hashRows')
    const padded = roundUp(count, MESSAGES)
    const call = (out: number) => {
      const { words, blocks, first, counter, early } = prepare(arena, prefix, [INDEXED_ROW], 2)
      const [at, x] = [arena.put(rows, padded * ROW_BYTES), arena.put(offset ?? ROW)]
      const schedules = arena.reserve(columns * WIDE_BLOCKS * LAST_SCHEDULES_BYTES)
      calls.hashRows(out, at, x, schedules, padded, columns, words, blocks, first, counter, early)
    }
    return arena.result(count * columns * SCALAR_BYTES, call, padded * columns * SCALAR_BYTES)
  },
  hashIndices(prefix, count) {
    const padded = roundUp(count, MESSAGES)
    const call = (out: number) => {
      const { words, blocks, first, counter, early } = prepare(arena, prefix, [INDEX])
      calls.hashIndices(out, padded, words, blocks, first, counter, early)
    }
    return arena.result(count * SCALAR_BYTES, call, padded * SCALAR_BYTES)
  },
  maskedDifferences(t0, t1, offsets) {
    const columns = countOf(offsets, SCALAR_BYTES, 'maskedDifferences')
    const count = countOf(t0, columns * SCALAR_BYTES, 'maskedDifferences')
    requireLengths(t1.length === t0.length, 'maskedDifferences')
    return arena.result(t0.length, (out) => {
      calls.maskedDifferences(out, arena.put(t0), arena.put(t1), arena.put(offsets), count, columns)
    })
  },
  combineColumns: (table, weights) => combine(table, weights, 0),
  foldColumns: (table, weights) => combine(table, weights, 1),
  sumColumns(factors, table, columns) {
    const count = countOf(factors, SCALAR_BYTES, 'sumColumns')
    const width = countOf(table, count * SCALAR_BYTES, 'sumColumns')
    const used = columns ?? width
    requireLengths(count <= PRODUCTS_MAX && Number.isInteger(used) && used >= 0 && used <= width, 'sumColumns')
    return arena.result(used * SCALAR_BYTES, (out) => {
      calls.sumColumns(out, arena.put(factors), arena.put(table), arena.reserve(used * SUM_BYTES), count, used, width)
    })
  },
  addSelected(table, bits, other, columns) {
    const count = countOf(table, columns * SCALAR_BYTES, 'addSelected')
    requireLengths(other.length === table.length && covers(bits, count), 'addSelected')
    return arena.result(table.length, (out) => {
      calls.addSelected(out, arena.put(table), arena.put(bits), arena.put(other), count, columns)
    })
  },
  subSelected(values, bits, scalar) {
    const count = countOf(values, SCALAR_BYTES, 'subSelected')
    requireLengths(scalar.length === SCALAR_BYTES && covers(bits, count), 'subSelected')
    return arena.result(values.length, (out) => {
      calls.subSelected(out, arena.put(values), arena.put(bits), arena.put(scalar), count)
    })
  },
  sumSelected(factors, bits) {
    const count = countOf(factors, SCALAR_BYTES, 'sumSelected')
    requireLengths(covers(bits, count), 'sumSelected')
    return arena.result(SCALAR_BYTES, (out) => {
      calls.sumSelected(out, arena.put(factors), arena.put(bits), count)
    })
  },
}

/** @param more - columns of the table on top of those that have a weight. */
function combine(table: Scalars, weights: Scalars, more: number): Scalars {
  const columns = countOf(weights, SCALAR_BYTES, 'combineColumns')
  const width = columns + more
  const count = countOf(table, width * SCALAR_BYTES, 'combineColumns')
  requireLengths(columns <= PRODUCTS_MAX, 'combineColumns')
  return arena.result(count * SCALAR_BYTES, (out) => {
    calls.combineColumns(out, arena.put(table), arena.put(weights), arena.reserve(columns * LIMBS_BYTES), count, columns, width)
  })
}
