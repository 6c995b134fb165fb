import { createHash } from 'node:crypto'

/** Bit i of a string, least significant bit of the first byte first. */
export const bitOf = (bytes: Uint8Array, i: number): number => ((bytes[i >> 3] as number) >> (i & 7)) & 1

/** SHA-256 in counter mode over `prefix`, the length-prefixed parts, and the 32-bit number of the block as a last part. */
export function expand(prefix: Uint8Array, parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  for (let block = 0; 32 * block < bytes; block++) {
    const state = createHash('sha256').update(prefix)
    for (const part of [...parts, Uint8Array.of(block >>> 24, block >>> 16, block >>> 8, block)]) {
      const length = Buffer.alloc(8)
      length.writeUInt32BE(part.length, 4)
      state.update(length).update(part)
    }
    out.set(state.digest().subarray(0, bytes - 32 * block), 32 * block)
  }
  return out
}
