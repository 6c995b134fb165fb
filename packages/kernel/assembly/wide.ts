// Digests to scalars: 384 bits mod q, for messages in the lanes of vectors. Limbs of 29 bits as in columns.ts, two numbers in the
// 64-bit lanes of a vector. Straight lines and masks.
import { D0, D1, D2, D3, D4, E0, E1, E2, E3, E4, LIMB } from './columns'

/** Limbs of four numbers, in lanes of 32 bits. */
const LIMBS: usize = memory.data(14 * 16, 16)

/** 29 bits of a word and the one above, from bit `shift` of the lower one on. */
function cross(low: v128, high: v128, shift: i32): v128 {
  return v128.and(v128.or(i32x4.shr_u(low, shift), i32x4.shl(high, 32 - shift)), i32x4.splat(i32(LIMB)))
}

/** Word i of four numbers, the most significant one first. */
function word(digests: usize, i: usize): v128 { return v128.load(digests + 16 * i) }

/** Splits 12 words into limbs: 8 words at `upper`, 4 at `lower`. */
function split(upper: usize, lower: usize): void {
  const w0 = word(lower, 3), w1 = word(lower, 2), w2 = word(lower, 1), w3 = word(lower, 0)
  const w4 = word(upper, 7), w5 = word(upper, 6), w6 = word(upper, 5), w7 = word(upper, 4)
  const w8 = word(upper, 3), w9 = word(upper, 2), w10 = word(upper, 1), w11 = word(upper, 0)
  v128.store(LIMBS, v128.and(w0, i32x4.splat(i32(LIMB))), 0)
  v128.store(LIMBS, cross(w0, w1, 29), 16)
  v128.store(LIMBS, cross(w1, w2, 26), 32)
  v128.store(LIMBS, cross(w2, w3, 23), 48)
  v128.store(LIMBS, cross(w3, w4, 20), 64)
  v128.store(LIMBS, cross(w4, w5, 17), 80)
  v128.store(LIMBS, cross(w5, w6, 14), 96)
  v128.store(LIMBS, cross(w6, w7, 11), 112)
  v128.store(LIMBS, cross(w7, w8, 8), 128)
  v128.store(LIMBS, cross(w8, w9, 5), 144)
  v128.store(LIMBS, cross(w9, w10, 2), 160)
  v128.store(LIMBS, cross(w9, w10, 31), 176)
  v128.store(LIMBS, cross(w10, w11, 28), 192)
  v128.store(LIMBS, i32x4.shr_u(w11, 25), 208)
}

// Constants come from memory: that is faster than to make vectors of them in registers again and again.
const E_LIMBS: StaticArray<u64> = [E0, E1, E2, E3, E4]
const D_LIMBS: StaticArray<u64> = [D0, D1, D2, D3, D4]
const MASK: StaticArray<u64> = [LIMB]
const E = changetype<usize>(E_LIMBS)
const D = changetype<usize>(D_LIMBS)

/** Two lanes of 32 bits times limb k of a constant. */
function times(h: v128, constant: usize, k: usize): v128 {
  return i64x2.extmul_low_i32x4_u(h, v128.load32_splat(constant + 8 * k))
}

function add(a: v128, b: v128): v128 { return i64x2.add(a, b) }

/** What is carried out of a limb. */
function over(a: v128): v128 { return i64x2.shr_u(a, 29) }

function cut(a: v128): v128 { return v128.and(a, v128.load64_splat(changetype<usize>(MASK))) }

/** Limb k of two numbers, in lanes of 64 bits. */
function limb(at: usize, k: usize): v128 { return v128.load32x2_u(at + 16 * k) }

/** The words of two numbers, from limbs that still hold what has been carried out of them. Word `i` of 64 bits. */
function join0(l0: v128, l1: v128, l2: v128): v128 {
  return v128.or(cut(l0), v128.or(i64x2.shl(cut(l1), 29), i64x2.shl(l2, 58)))
}
function join1(l2: v128, l3: v128, l4: v128): v128 {
  return v128.or(i64x2.shr_u(cut(l2), 6), v128.or(i64x2.shl(cut(l3), 23), i64x2.shl(l4, 52)))
}
function join2(l4: v128, l5: v128, l6: v128): v128 {
  return v128.or(i64x2.shr_u(cut(l4), 12), v128.or(i64x2.shl(cut(l5), 17), i64x2.shl(l6, 46)))
}
function join3(l6: v128, l7: v128, l8: v128): v128 {
  return v128.or(i64x2.shr_u(cut(l6), 18), v128.or(i64x2.shl(cut(l7), 11), i64x2.shl(l8, 40)))
}

/** Big-endian, 16 bytes of each number. */
function storeTwo(out: usize, stride: usize, low: v128, high: v128): void {
  v128.store(out, i8x16.shuffle(low, high, 23, 22, 21, 20, 19, 18, 17, 16, 7, 6, 5, 4, 3, 2, 1, 0))
  v128.store(out + stride, i8x16.shuffle(low, high, 31, 30, 29, 28, 27, 26, 25, 24, 15, 14, 13, 12, 11, 10, 9, 8))
}

/** Reduces two numbers whose limbs lie at `at`. */
function settle(out: usize, stride: usize, at: usize): void {
  const h0 = v128.load64_zero(at, 144), h1 = v128.load64_zero(at, 160), h2 = v128.load64_zero(at, 176)
  const h3 = v128.load64_zero(at, 192), h4 = v128.load64_zero(at, 208)
  const c0 = add(limb(at, 0), times(h0, E, 0))
  const c1 = add(add(limb(at, 1), over(c0)), add(times(h0, E, 1), times(h1, E, 0)))
  const c2 = add(add(limb(at, 2), over(c1)), add(add(times(h0, E, 2), times(h1, E, 1)), times(h2, E, 0)))
  const c3 = add(add(limb(at, 3), over(c2)), add(add(times(h0, E, 3), times(h1, E, 2)), add(times(h2, E, 1), times(h3, E, 0))))
  const c4 = add(
    add(limb(at, 4), over(c3)),
    add(add(add(times(h0, E, 4), times(h1, E, 3)), add(times(h2, E, 2), times(h3, E, 1))), times(h4, E, 0)),
  )
  const c5 = add(add(limb(at, 5), over(c4)), add(add(times(h1, E, 4), times(h2, E, 3)), add(times(h3, E, 2), times(h4, E, 1))))
  const c6 = add(add(limb(at, 6), over(c5)), add(add(times(h2, E, 4), times(h3, E, 3)), times(h4, E, 2)))
  const c7 = add(add(limb(at, 7), over(c6)), add(times(h3, E, 4), times(h4, E, 3)))
  const c8 = add(add(limb(at, 8), over(c7)), times(h4, E, 4))
  // The sum is below 2^261 + 2^123 2^134, so that this part of it is below 2^6.
  const top = i32x4.shuffle(i64x2.shr_u(c8, 24), i32x4.splat(0), 0, 2, 4, 4)
  const x0 = add(cut(c0), times(top, D, 0))
  const x1 = add(add(cut(c1), over(x0)), times(top, D, 1))
  const x2 = add(add(cut(c2), over(x1)), times(top, D, 2))
  const x3 = add(add(cut(c3), over(x2)), times(top, D, 3))
  const x4 = add(add(cut(c4), over(x3)), times(top, D, 4))
  const x5 = add(cut(c5), over(x4)), x6 = add(cut(c6), over(x5)), x7 = add(cut(c7), over(x6))
  const x8 = add(v128.and(c8, i64x2.splat(0xffffff)), over(x7))
  // 2^256 - q more reaches 2^256 just when q can be taken off.
  const y0 = add(cut(x0), i64x2.splat(D0))
  const y1 = add(add(cut(x1), i64x2.splat(D1)), over(y0))
  const y2 = add(add(cut(x2), i64x2.splat(D2)), over(y1))
  const y3 = add(add(cut(x3), i64x2.splat(D3)), over(y2))
  const y4 = add(add(cut(x4), i64x2.splat(D4)), over(y3))
  const y5 = add(cut(x5), over(y4)), y6 = add(cut(x6), over(y5)), y7 = add(cut(x7), over(y6)), y8 = add(x8, over(y7))
  const pick = i64x2.neg(i64x2.shr_u(y8, 24))
  const w0 = v128.bitselect(join0(y0, y1, y2), join0(x0, x1, x2), pick)
  const w1 = v128.bitselect(join1(y2, y3, y4), join1(x2, x3, x4), pick)
  const w2 = v128.bitselect(join2(y4, y5, y6), join2(x4, x5, x6), pick)
  const w3 = v128.bitselect(join3(y6, y7, y8), join3(x6, x7, x8), pick)
  storeTwo(out, stride, w2, w3)
  storeTwo(out + 16, stride, w0, w1)
}

/** Four numbers of 12 words, 8 at `upper` and 4 at `lower`, mod q: to `out` and multiples of `stride` after it. */
export function reduceFour(out: usize, stride: usize, upper: usize, lower: usize): void {
  split(upper, lower)
  settle(out, stride, LIMBS)
  settle(out + 2 * stride, stride, LIMBS + 8)
}

export function wipeLimbs(): void { memory.fill(LIMBS, 0, 14 * 16) }
