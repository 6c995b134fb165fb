import { toScalar } from '../twin/scalars.ts'

/** Orders and bounds whose neighbours are worth a try: p, q, lambda of the endomorphism and 2^256. */
export const FIELD_PRIME = 2n ** 256n - 2n ** 32n - 977n
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
export const LAMBDA = 0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n

const EDGES: readonly bigint[] = [0n, ORDER / 2n, ORDER, LAMBDA, ORDER - LAMBDA, LAMBDA / 2n, FIELD_PRIME, 2n ** 256n, 2n ** 128n]
const NEAR = 3
const BITS = 256

/** Values from a seed: uniform ones, and often such as break arithmetic. The same seed draws the same values. */
export class Draw {
  readonly #state: Uint32Array

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, seed ^ 0x9e3779b9, 0x243f6a88, 1)
    for (let i = 0; i < 12; i++) this.u32()
  }

  /** Chris Doty-Humphrey's sfc32. */
  u32(): number {
    const [a, b, c, n] = this.#state as unknown as [number, number, number, number]
    const out = (a + b + n) >>> 0
    this.#state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + out, n + 1])
    return out
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return this.u32() % bound
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff)
  }

  /** A number below 2^256: uniform, near an edge, few or many ones in a row, or one pattern in every limb. */
  wide(): bigint {
    switch (this.below(6)) {
      case 0:
        return BigInt.asUintN(BITS, this.pick(EDGES) + BigInt(this.below(2 * NEAR + 1) - NEAR))
      case 1:
        return BigInt.asUintN(BITS, (1n << BigInt(this.below(BITS + 1))) - BigInt(this.below(2)))
      case 2:
        return BigInt.asUintN(BITS, -(1n << BigInt(this.below(BITS + 1))) + BigInt(this.below(2)))
      case 3:
        return this.#limbs(this.pick([26, 28, 29, 30, 32, 52, 64]))
      default:
        return this.#limbs(32, 0)
    }
  }

  #limbs(width: number, special = 4): bigint {
    let value = 0n
    for (let i = 0; i * width < BITS; i++) {
      const limb = [0n, -1n, 1n, 1n << BigInt(width - 1)][this.below(special === 0 ? 1 : special)] as bigint
      const word = special === 0 || this.below(4) === 0 ? (BigInt(this.u32()) << 32n) | BigInt(this.u32()) : limb
      value |= BigInt.asUintN(width, word) << BigInt(i * width)
    }
    return BigInt.asUintN(BITS, value)
  }

  /** In [0, q). */
  scalar(): Uint8Array {
    return toScalar(this.wide())
  }
}
