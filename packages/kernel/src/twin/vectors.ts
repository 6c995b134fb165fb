import type { VectorKernel } from '../kernel.ts'
import { bitOf, expand } from './hash.ts'
import { pack, toBigint, unpack } from './scalars.ts'

const ROW_BYTES = 16
/** So many hashed bytes make a scalar. */
const WIDE_BYTES = 48

const u32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
const at = (values: readonly bigint[], i: number): bigint => values[i] as bigint
const sum = (terms: readonly bigint[]): bigint => terms.reduce((total, t) => total + t, 0n)
const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i)

/** Vectors as arrays of BigInt. */
export const vectors: VectorKernel = {
  hold: (work) => work(),
  hashRows(prefix, rows, offset, columns) {
    const rowOf = (j: number) => rows.slice(ROW_BYTES * j, ROW_BYTES * (j + 1)).map((b, i) => b ^ (offset?.[i] ?? 0))
    return pack(
      range(rows.length / ROW_BYTES).flatMap((j) =>
        range(columns).map((c) => toBigint(expand(prefix, [Buffer.concat([u32(j), rowOf(j)]), u32(c)], WIDE_BYTES))),
      ),
    )
  },
  hashIndices: (prefix, n) => pack(range(n).map((j) => toBigint(expand(prefix, [u32(j)], WIDE_BYTES)))),
  maskedDifferences(t0, t1, offsets) {
    const [a, b, o] = [unpack(t0), unpack(t1), unpack(offsets)]
    return pack(a.map((v, i) => v - at(b, i) + at(o, i % o.length)))
  },
  combineColumns(table, weights) {
    const [t, w] = [unpack(table), unpack(weights)]
    return pack(range(t.length / w.length).map((j) => sum(w.map((v, c) => v * at(t, w.length * j + c)))))
  },
  foldColumns(table, weights) {
    const [t, w] = [unpack(table), [...unpack(weights), 1n]]
    return pack(range(t.length / w.length).map((j) => sum(w.map((v, c) => v * at(t, w.length * j + c)))))
  },
  sumColumns(factors, table, columns) {
    const [f, t] = [unpack(factors), unpack(table)]
    const width = t.length / f.length
    return pack(range(columns ?? width).map((c) => sum(f.map((v, j) => v * at(t, width * j + c)))))
  },
  addSelected(table, bits, other, columns) {
    const o = unpack(other)
    return pack(unpack(table).map((v, i) => v + BigInt(bitOf(bits, Math.floor(i / columns))) * at(o, i)))
  },
  subSelected: (values, bits, scalar) => pack(unpack(values).map((v, j) => v - BigInt(bitOf(bits, j)) * toBigint(scalar))),
  sumSelected: (factors, bits) => pack([sum(unpack(factors).map((v, j) => BigInt(bitOf(bits, j)) * v))]),
}
