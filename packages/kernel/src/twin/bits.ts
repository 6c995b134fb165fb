import type { BitKernel } from '../kernel.ts'
import { bitOf, expand } from './hash.ts'

const SEED_BYTES = 32
const ELEMENT_BYTES = 16
/** x^128 = x^7 + x^2 + x + 1. */
const REDUCTION = 0x87n
const TOP = 1n << 128n

const slices = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
  Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(size * i, size * (i + 1)))
const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, b) => (value << 8n) | BigInt(b), 0n)

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n
  for (let power = a, rest = b; rest > 0n; rest >>= 1n) {
    if (rest & 1n) product ^= power
    power <<= 1n
    if (power >= TOP) power ^= TOP | REDUCTION
  }
  return product
}

function element(value: bigint): Uint8Array {
  return Uint8Array.from({ length: ELEMENT_BYTES }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

/** Bits one by one, field elements as BigInt. */
export const bits: BitKernel = {
  expandSeeds: (prefix, seeds, name, bytes) => {
    const streams = slices(seeds, SEED_BYTES).map((seed) => expand(prefix, [seed, name], bytes))
    return Uint8Array.from(Buffer.concat(streams))
  },
  foldBlocks(chi, columns) {
    const multipliers = slices(chi, ELEMENT_BYTES).map(littleEndian)
    const folded = slices(columns, chi.length + ELEMENT_BYTES).map((column) => {
      const blocks = slices(column, ELEMENT_BYTES).map(littleEndian)
      const last = blocks[multipliers.length] as bigint
      return element(multipliers.reduce((sum, m, k) => sum ^ multiply(m, blocks[k] as bigint), last))
    })
    return Uint8Array.from(Buffer.concat(folded))
  },
  transpose(columns, count) {
    const stride = columns.length / count
    const rows = new Uint8Array(8 * stride * ELEMENT_BYTES)
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < 8 * stride; j++) {
        const at = j * ELEMENT_BYTES + (i >> 3)
        rows[at] = (rows[at] as number) | (bitOf(columns.subarray(stride * i), j) << (i & 7))
      }
    }
    return rows
  },
}
