// Scalars as 64-bit words: the lanes of two vectors.

/** Turns 16 bytes round. */
export function turn(v: v128): v128 {
  return i8x16.shuffle(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
}

export function low(v: v128): u64 { return i64x2.extract_lane(v, 0) }

export function high(v: v128): u64 { return i64x2.extract_lane(v, 1) }

export function pair(w0: u64, w1: u64): v128 { return i64x2.replace_lane(i64x2.splat(w0), 1, w1) }
