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
 * For every i: `string i of out ^= bit i * string i of other`, the strings lying one after the other.
 *
 * @param out - on a word, as a fresh array is; `count` strings of a multiple of 4 bytes.
 * @param other - as long as `out`, or one string for all i.
 * @param bits - all strings take part when left out.
 */
export function xorStrings(out: Uint8Array, count: number, other: Uint8Array, bits?: Uint8Array): void {
  const isOnWord = other.byteOffset % 4 === 0
  const source = isOnWord ? other : Uint8Array.from(other)
  const into = new Uint32Array(out.buffer, out.byteOffset, out.length / 4)
  const from = new Uint32Array(source.buffer, source.byteOffset, source.length / 4)
  const width = into.length / count
  const stride = from.length === into.length ? width : 0
  for (let i = 0; i < count; i++) {
    const mask = bits === undefined ? -1 : -bitOf(bits, i)
    for (let w = 0; w < width; w++) into[i * width + w] = (into[i * width + w] as number) ^ ((from[i * stride + w] as number) & mask)
  }
  if (!isOnWord) source.fill(0)
}
