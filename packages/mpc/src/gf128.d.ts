/**
 * GF(2^128) with x^128 + x^7 + x^2 + x + 1. An element is 16 bytes, bit i (least significant first) the coefficient of x^i.
 *
 * Works on four 32-bit words and masks: no branch and no index depends on a value.
 */
type Words = Uint32Array;
/** A fixed multiplier with its 128 doublings laid out, for many products. */
export declare class Multiplier {
    #private;
    constructor(chi: Uint8Array);
    /** `sum ^= chi * a`, a being the 16 bytes of `bytes` at `at`. */
    accumulate(sum: Words, bytes: Uint8Array, at: number): void;
}
/**
 * `sum_k chi_k block_k + block_last` over consecutive 16-byte blocks of `bytes` (one block more than multipliers).
 *
 * @returns 16 bytes.
 */
export declare function fold(multipliers: readonly Multiplier[], bytes: Uint8Array): Uint8Array;
export {};
