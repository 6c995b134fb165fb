import { LAST_SCHEDULES_BYTES, MESSAGES, prepare } from './hash.ts'
import type { BitKernel } from './kernel.ts'
import { countOf, ROW_BYTES, requireLengths, roundUp } from './lengths.ts'
import { arena, type Exports, wasm } from './load.ts'

const LANES = 4
const SEED_BYTES = 32
const DIGEST_BYTES = 32
const ELEMENT_BYTES = 16
/** Columns that are transposed at once, and bytes of each. */
const GROUP = 16
const COLUMNS_MAX = 8 * ROW_BYTES

const calls = wasm as Exports<keyof BitKernel>
const SEED = new Uint8Array(SEED_BYTES)

/** Strings of bits in WebAssembly. */
export const bits: BitKernel = {
  expandSeeds(prefix, seeds, name, bytes) {
    const count = countOf(seeds, SEED_BYTES, 'expandSeeds')
    requireLengths(Number.isInteger(bytes) && bytes >= 0, 'expandSeeds')
    const [padded, digests] = [roundUp(count, MESSAGES), Math.ceil(bytes / DIGEST_BYTES)]
    const call = (out: number) => {
      const { words, blocks, first, counter, early } = prepare(arena, prefix, [SEED, name])
      const [schedules, at] = [arena.reserve(digests * LAST_SCHEDULES_BYTES), arena.put(seeds, padded * SEED_BYTES)]
      calls.expandSeeds(out, at, schedules, padded, bytes, words, blocks, first, counter, early)
    }
    return arena.result(count * bytes, call, padded * digests * DIGEST_BYTES)
  },
  foldBlocks(chi, columns) {
    const k = countOf(chi, ELEMENT_BYTES, 'foldBlocks')
    const stride = chi.length + ELEMENT_BYTES
    const count = countOf(columns, stride, 'foldBlocks')
    const padded = roundUp(count, LANES)
    const call = (out: number) => {
      const room = arena.reserve(LANES * stride)
      calls.foldBlocks(out, arena.put(chi), arena.put(columns, padded * stride), room, padded, k)
    }
    return arena.result(count * ELEMENT_BYTES, call, padded * ELEMENT_BYTES)
  },
  transpose(columns, count) {
    requireLengths(count > 0 && count <= COLUMNS_MAX && columns.length % count === 0, 'transpose')
    const bytes = columns.length / count
    const call = (out: number) => {
      const groups = Math.ceil(count / GROUP)
      calls.transpose(out, arena.put(columns, groups * GROUP * bytes + GROUP), groups, bytes)
    }
    return arena.result(8 * bytes * ROW_BYTES, call, 8 * roundUp(bytes, GROUP) * ROW_BYTES)
  },
}
