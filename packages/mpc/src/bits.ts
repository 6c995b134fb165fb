import { KAPPA, N, ROW_BYTES } from './constants.ts'

/** Bit i of a string, least significant bit of the first byte first. */
export const bitOf = (bytes: Uint8Array, i: number): number => ((bytes[i >> 3] as number) >> (i & 7)) & 1

/** All ones when `bit` is 1, else zero: for selection without a branch. */
export const maskOf = (bit: number): number => -bit & 0xff

/** `out ^= mask & bytes`. */
export function xorMasked(out: Uint8Array, bytes: Uint8Array, mask: number): void {
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) ^ ((bytes[i] as number) & mask)
}

/** `bit ? one : zero`, without a branch. */
export function select(bit: number, zero: Uint8Array, one: Uint8Array): Uint8Array {
  const mask = maskOf(bit)
  return zero.map((v, i) => v ^ ((v ^ (one[i] as number)) & mask))
}

/**
 * Columns to rows: bit i of row j is bit j of column i.
 *
 * @param columns - KAPPA columns of N bits, one after the other.
 * @returns N rows of KAPPA bits, one after the other.
 */
export function transpose(columns: Uint8Array): Uint8Array {
  const rows = new Uint8Array(N * ROW_BYTES)
  const stride = N / 8
  for (let i = 0; i < KAPPA; i++) {
    const place = i >> 3
    const shift = i & 7
    for (let j = 0; j < N; j++) {
      const bit = ((columns[i * stride + (j >> 3)] as number) >> (j & 7)) & 1
      rows[j * ROW_BYTES + place] = (rows[j * ROW_BYTES + place] as number) | (bit << shift)
    }
  }
  return rows
}
