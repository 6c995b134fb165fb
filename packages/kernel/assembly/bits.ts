// Strings of bits: sums in GF(2^128) and the transposition of a matrix.

const ELEMENT: usize = 16

/** Word i of the elements at `at`, `at + stride` and so on becomes vector i at `out`. */
function gather(out: usize, at: usize, stride: usize): void {
  const a = v128.load(at), b = v128.load(at + stride), c = v128.load(at + 2 * stride), d = v128.load(at + 3 * stride)
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5), ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7)
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5), cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7)
  v128.store(out, i64x2.shuffle(ab0, cd0, 0, 2), 0)
  v128.store(out, i64x2.shuffle(ab0, cd0, 1, 3), 16)
  v128.store(out, i64x2.shuffle(ab1, cd1, 0, 2), 32)
  v128.store(out, i64x2.shuffle(ab1, cd1, 1, 3), 48)
}

/**
 * For each of `count`, a multiple of 4, strings of `k` + 1 elements: `sum_k chi_k block_k + block_last`.
 *
 * Four strings at once, by Horner's rule over the bits of all multipliers together, from the highest down.
 *
 * @param room - for 64 bytes for each block of a string. The caller wipes it.
 */
export function foldBlocks(out: usize, chi: usize, columns: usize, room: usize, count: usize, k: usize): void {
  const stride = ELEMENT * (k + 1)
  for (let i: usize = 0; i < count; i += 4) {
    for (let b: usize = 0; b <= k; b++) gather(room + 64 * b, columns + stride * i + ELEMENT * b, stride)
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    for (let bit: usize = 127; i32(bit) >= 0; bit--) {
      const over = v128.and(i32x4.shr_s(s3, 31), i32x4.splat(0x87))
      s3 = v128.or(i32x4.shl(s3, 1), i32x4.shr_u(s2, 31))
      s2 = v128.or(i32x4.shl(s2, 1), i32x4.shr_u(s1, 31))
      s1 = v128.or(i32x4.shl(s1, 1), i32x4.shr_u(s0, 31))
      s0 = v128.xor(i32x4.shl(s0, 1), over)
      for (let b: usize = 0; b < k; b++) {
        const mask = i32x4.splat(0 - ((load<u8>(chi + ELEMENT * b + (bit >> 3)) >> u8(bit & 7)) & 1))
        s0 = v128.xor(s0, v128.and(mask, v128.load(room + 64 * b, 0)))
        s1 = v128.xor(s1, v128.and(mask, v128.load(room + 64 * b, 16)))
        s2 = v128.xor(s2, v128.and(mask, v128.load(room + 64 * b, 32)))
        s3 = v128.xor(s3, v128.and(mask, v128.load(room + 64 * b, 48)))
      }
    }
    const end = room + 64 * k
    s0 = v128.xor(s0, v128.load(end, 0))
    s1 = v128.xor(s1, v128.load(end, 16))
    s2 = v128.xor(s2, v128.load(end, 32))
    s3 = v128.xor(s3, v128.load(end, 48))
    v128.store(end, s0, 0)
    v128.store(end, s1, 16)
    v128.store(end, s2, 32)
    v128.store(end, s3, 48)
    gather(out + ELEMENT * i, end, 16)
  }
}

function lows(a: v128, b: v128): v128 { return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23) }

function highs(a: v128, b: v128): v128 { return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31) }

const BYTES: usize = memory.data(512, 16)

/** One perfect shuffle of 16 vectors: four of them transpose 16 x 16 bytes. */
function interleave(from: usize, to: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    const a = v128.load(from + i), b = v128.load(from + i, 128)
    v128.store(to + 2 * i, lows(a, b), 0)
    v128.store(to + 2 * i, highs(a, b), 16)
  }
}

/**
 * Columns to rows: bit i of row j is bit j of column i.
 *
 * @param columns - `groups` times 16 of `bytes` each; 16 more bytes may be read.
 * @param out - 16 bytes a row, zero, for as many rows as `bytes` made a multiple of 16 has bits.
 */
export function transpose(out: usize, columns: usize, groups: usize, bytes: usize): void {
  for (let g: usize = 0; g < groups; g++) {
    for (let chunk: usize = 0; chunk < bytes; chunk += 16) {
      const from = columns + bytes * 16 * g + chunk
      for (let i: usize = 0; i < 16; i++) v128.store(BYTES + 16 * i, v128.load(from + bytes * i))
      interleave(BYTES, BYTES + 256)
      interleave(BYTES + 256, BYTES)
      interleave(BYTES, BYTES + 256)
      interleave(BYTES + 256, BYTES)
      for (let i: usize = 0; i < 16; i++) {
        let v = v128.load(BYTES + 16 * i)
        const row = out + 128 * (chunk + i) + 2 * g
        for (let bit: usize = 0; bit < 8; bit++) {
          store<u16>(row + 112 - 16 * bit, u16(i8x16.bitmask(v)))
          v = i8x16.shl(v, 1)
        }
      }
    }
  }
  memory.fill(BYTES, 0, 512)
}
