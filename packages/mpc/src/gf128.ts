/**
 * GF(2^128) with x^128 + x^7 + x^2 + x + 1. An element is 16 bytes, bit i (least significant first) the coefficient of x^i.
 *
 * Works on four 32-bit words and masks: no branch and no index depends on a value.
 */

type Words = Uint32Array

const load = (b: Uint8Array, at: number): Words => {
  const view = new DataView(b.buffer, b.byteOffset + at, 16)
  return Uint32Array.of(view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true))
}

/** x * a, in place. */
function double(a: Words): void {
  const carry = -((a[3] as number) >>> 31)
  a[3] = ((a[3] as number) << 1) | ((a[2] as number) >>> 31)
  a[2] = ((a[2] as number) << 1) | ((a[1] as number) >>> 31)
  a[1] = ((a[1] as number) << 1) | ((a[0] as number) >>> 31)
  a[0] = ((a[0] as number) << 1) ^ (carry & 0x87)
}

/** A fixed multiplier with its 128 doublings laid out, for many products. */
export class Multiplier {
  readonly #powers: Words

  constructor(chi: Uint8Array) {
    const powers = new Uint32Array(512)
    const p = load(chi, 0)
    for (let i = 0; i < 128; i++) {
      powers.set(p, 4 * i)
      double(p)
    }
    this.#powers = powers
  }

  /** `sum ^= chi * a`, a being the 16 bytes of `bytes` at `at`. */
  accumulate(sum: Words, bytes: Uint8Array, at: number): void {
    const a = load(bytes, at)
    const p = this.#powers
    let [s0, s1, s2, s3] = sum as unknown as [number, number, number, number]
    for (let i = 0; i < 128; i++) {
      const mask = -(((a[i >> 5] as number) >>> (i & 31)) & 1)
      s0 ^= (p[4 * i] as number) & mask
      s1 ^= (p[4 * i + 1] as number) & mask
      s2 ^= (p[4 * i + 2] as number) & mask
      s3 ^= (p[4 * i + 3] as number) & mask
    }
    sum[0] = s0
    sum[1] = s1
    sum[2] = s2
    sum[3] = s3
  }
}

/**
 * `sum_k chi_k block_k + block_last` over consecutive 16-byte blocks of `bytes` (one block more than multipliers).
 *
 * @returns 16 bytes.
 */
export function fold(multipliers: readonly Multiplier[], bytes: Uint8Array): Uint8Array {
  const sum = load(bytes, 16 * multipliers.length)
  for (const [k, chi] of multipliers.entries()) chi.accumulate(sum, bytes, 16 * k)
  const out = new Uint8Array(16)
  const view = new DataView(out.buffer)
  for (let w = 0; w < 4; w++) view.setUint32(4 * w, sum[w] as number, true)
  return out
}
