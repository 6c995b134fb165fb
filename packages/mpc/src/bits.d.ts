/** Bit i of a string, least significant bit of the first byte first. */
export declare const bitOf: (bytes: Uint8Array, i: number) => number;
/** All ones when `bit` is 1, else zero: for selection without a branch. */
export declare const maskOf: (bit: number) => number;
/** `out ^= mask & bytes`. */
export declare function xorMasked(out: Uint8Array, bytes: Uint8Array, mask: number): void;
/** `bit ? one : zero`, without a branch. */
export declare function select(bit: number, zero: Uint8Array, one: Uint8Array): Uint8Array;
/**
 * Columns to rows: bit i of row j is bit j of column i.
 *
 * @param columns - KAPPA columns of N bits, one after the other.
 * @returns N rows of KAPPA bits, one after the other.
 */
export declare function transpose(columns: Uint8Array): Uint8Array;
