// The field of secp256k1, p = 2^256 - 2^32 - 977. AssemblyScript.
//
// An element is nine signed limbs of 29 bits, sum l_i 2^(29 i), each an i32, in ELEMENT = 48 bytes; what lies in the last 12 has no meaning.
// It has magnitude m when |l_i| <= m (2^28 + 2^14) for i < 8 and |l_8| <= m (2^23 + 1). What is settled has magnitude 1, so its value lies
// strictly between -p and p; a linear step adds magnitudes and carries nothing.
//
// Bounds of a product. The magnitudes m n of the factors, summed over the products that one reduction takes, must not exceed 15, and a
// limb must fit an i32 (magnitude 7). A column then is at most 8 x 15 x (2^28 + 2^14)^2 < 2^63 - 2^58; column 8 has nine terms but two of
// them hold the short limb. The other summands stay below 2^52. High columns are split once, so a folded limb h is below 2^29 + 2^34:
// 2^261 = FOLD + 2^37 mod p, h FOLD < 2^50, h 2^8 < 2^43. What is above bit 256 after the carries, top < 2^41, comes back as
// 977 top + 2^32 top; the carries out of limbs 0 and 1 leave less than 2^14 for limb 2, which is not masked again.
// HALF, added before a carry and taken off the rest, makes the limbs balanced.

export const ELEMENT: usize = 48

const MASK: i64 = 0x1fffffff
const HALF: i64 = 0x10000000
/** Limb 8 has 24 bits. */
const MASK_TOP: i64 = 0xffffff
const HALF_TOP: i64 = 0x800000
/** 2^261 mod p without its 2^37: 32 x 977. */
const FOLD: i64 = 31264

/** r = a b. */
export function mul(r: usize, a: usize, b: usize): void {
  const a0: i64 = load<i32>(a, 0), b0: i64 = load<i32>(b, 0)
  const a1: i64 = load<i32>(a, 4), b1: i64 = load<i32>(b, 4)
  const a2: i64 = load<i32>(a, 8), b2: i64 = load<i32>(b, 8)
  const a3: i64 = load<i32>(a, 12), b3: i64 = load<i32>(b, 12)
  const a4: i64 = load<i32>(a, 16), b4: i64 = load<i32>(b, 16)
  const a5: i64 = load<i32>(a, 20), b5: i64 = load<i32>(b, 20)
  const a6: i64 = load<i32>(a, 24), b6: i64 = load<i32>(b, 24)
  const a7: i64 = load<i32>(a, 28), b7: i64 = load<i32>(b, 28)
  const a8: i64 = load<i32>(a, 32), b8: i64 = load<i32>(b, 32)
  const c9 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1
  const c10 = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2
  const c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3
  const c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4
  const c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5
  const c14 = a6 * b8 + a7 * b7 + a8 * b6
  const c15 = a7 * b8 + a8 * b7
  const c16 = a8 * b8
  const h0 = c9 & MASK
  let t0 = a0 * b0 + h0 * FOLD + HALF
  const h1 = (c10 & MASK) + (c9 >> 29)
  let t1 = a0 * b1 + a1 * b0 + h1 * FOLD + (h0 << 8) + (t0 >> 29) + HALF
  const h2 = (c11 & MASK) + (c10 >> 29)
  let t2 = a0 * b2 + a1 * b1 + a2 * b0 + h2 * FOLD + (h1 << 8) + (t1 >> 29) + HALF
  const h3 = (c12 & MASK) + (c11 >> 29)
  const t3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + h3 * FOLD + (h2 << 8) + (t2 >> 29) + HALF
  const h4 = (c13 & MASK) + (c12 >> 29)
  const t4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + h4 * FOLD + (h3 << 8) + (t3 >> 29) + HALF
  const h5 = (c14 & MASK) + (c13 >> 29)
  const t5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + h5 * FOLD + (h4 << 8) + (t4 >> 29) + HALF
  const h6 = (c15 & MASK) + (c14 >> 29)
  const t6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + h6 * FOLD + (h5 << 8) + (t5 >> 29) + HALF
  const h7 = (c16 & MASK) + (c15 >> 29)
  const t7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + h7 * FOLD + (h6 << 8) + (t6 >> 29) + HALF
  const h8 = c16 >> 29
  const t8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + h8 * FOLD + (h7 << 8) + (t7 >> 29)
    + HALF_TOP
  const top = (t8 >> 24) + (h8 << 13)
  t0 = (t0 & MASK) + top * 977
  t1 = (t1 & MASK) + (top << 3) + (t0 >> 29)
  t2 = (t2 & MASK) + (t1 >> 29)
  store<i32>(r, i32((t0 & MASK) - HALF), 0)
  store<i32>(r, i32((t1 & MASK) - HALF), 4)
  store<i32>(r, i32(t2 - HALF), 8)
  store<i32>(r, i32((t3 & MASK) - HALF), 12)
  store<i32>(r, i32((t4 & MASK) - HALF), 16)
  store<i32>(r, i32((t5 & MASK) - HALF), 20)
  store<i32>(r, i32((t6 & MASK) - HALF), 24)
  store<i32>(r, i32((t7 & MASK) - HALF), 28)
  store<i32>(r, i32((t8 & MASK_TOP) - HALF_TOP), 32)
}

/** r = a^2. */
export function sqr(r: usize, a: usize): void {
  const a0: i64 = load<i32>(a, 0)
  const a1: i64 = load<i32>(a, 4)
  const a2: i64 = load<i32>(a, 8)
  const a3: i64 = load<i32>(a, 12)
  const a4: i64 = load<i32>(a, 16)
  const a5: i64 = load<i32>(a, 20)
  const a6: i64 = load<i32>(a, 24)
  const a7: i64 = load<i32>(a, 28)
  const a8: i64 = load<i32>(a, 32)
  const d0 = a0 << 1, d1 = a1 << 1, d2 = a2 << 1, d3 = a3 << 1, d4 = a4 << 1, d5 = a5 << 1, d6 = a6 << 1, d7 = a7 << 1
  const c9 = d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5
  const c10 = d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5
  const c11 = d3 * a8 + d4 * a7 + d5 * a6
  const c12 = d4 * a8 + d5 * a7 + a6 * a6
  const c13 = d5 * a8 + d6 * a7
  const c14 = d6 * a8 + a7 * a7
  const c15 = d7 * a8
  const c16 = a8 * a8
  const h0 = c9 & MASK
  let t0 = a0 * a0 + h0 * FOLD + HALF
  const h1 = (c10 & MASK) + (c9 >> 29)
  let t1 = d0 * a1 + h1 * FOLD + (h0 << 8) + (t0 >> 29) + HALF
  const h2 = (c11 & MASK) + (c10 >> 29)
  let t2 = d0 * a2 + a1 * a1 + h2 * FOLD + (h1 << 8) + (t1 >> 29) + HALF
  const h3 = (c12 & MASK) + (c11 >> 29)
  const t3 = d0 * a3 + d1 * a2 + h3 * FOLD + (h2 << 8) + (t2 >> 29) + HALF
  const h4 = (c13 & MASK) + (c12 >> 29)
  const t4 = d0 * a4 + d1 * a3 + a2 * a2 + h4 * FOLD + (h3 << 8) + (t3 >> 29) + HALF
  const h5 = (c14 & MASK) + (c13 >> 29)
  const t5 = d0 * a5 + d1 * a4 + d2 * a3 + h5 * FOLD + (h4 << 8) + (t4 >> 29) + HALF
  const h6 = (c15 & MASK) + (c14 >> 29)
  const t6 = d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + h6 * FOLD + (h5 << 8) + (t5 >> 29) + HALF
  const h7 = (c16 & MASK) + (c15 >> 29)
  const t7 = d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + h7 * FOLD + (h6 << 8) + (t6 >> 29) + HALF
  const h8 = c16 >> 29
  const t8 = d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + h8 * FOLD + (h7 << 8) + (t7 >> 29) + HALF_TOP
  const top = (t8 >> 24) + (h8 << 13)
  t0 = (t0 & MASK) + top * 977
  t1 = (t1 & MASK) + (top << 3) + (t0 >> 29)
  t2 = (t2 & MASK) + (t1 >> 29)
  store<i32>(r, i32((t0 & MASK) - HALF), 0)
  store<i32>(r, i32((t1 & MASK) - HALF), 4)
  store<i32>(r, i32(t2 - HALF), 8)
  store<i32>(r, i32((t3 & MASK) - HALF), 12)
  store<i32>(r, i32((t4 & MASK) - HALF), 16)
  store<i32>(r, i32((t5 & MASK) - HALF), 20)
  store<i32>(r, i32((t6 & MASK) - HALF), 24)
  store<i32>(r, i32((t7 & MASK) - HALF), 28)
  store<i32>(r, i32((t8 & MASK_TOP) - HALF_TOP), 32)
}

/** r = a b - c d, with one reduction. */
export function mulSub(r: usize, a: usize, b: usize, c: usize, d: usize): void {
  const a0: i64 = load<i32>(a, 0), b0: i64 = load<i32>(b, 0)
  const a1: i64 = load<i32>(a, 4), b1: i64 = load<i32>(b, 4)
  const a2: i64 = load<i32>(a, 8), b2: i64 = load<i32>(b, 8)
  const a3: i64 = load<i32>(a, 12), b3: i64 = load<i32>(b, 12)
  const a4: i64 = load<i32>(a, 16), b4: i64 = load<i32>(b, 16)
  const a5: i64 = load<i32>(a, 20), b5: i64 = load<i32>(b, 20)
  const a6: i64 = load<i32>(a, 24), b6: i64 = load<i32>(b, 24)
  const a7: i64 = load<i32>(a, 28), b7: i64 = load<i32>(b, 28)
  const a8: i64 = load<i32>(a, 32), b8: i64 = load<i32>(b, 32)
  const c0: i64 = load<i32>(c, 0), d0: i64 = load<i32>(d, 0)
  const c1: i64 = load<i32>(c, 4), d1: i64 = load<i32>(d, 4)
  const c2: i64 = load<i32>(c, 8), d2: i64 = load<i32>(d, 8)
  const c3: i64 = load<i32>(c, 12), d3: i64 = load<i32>(d, 12)
  const c4: i64 = load<i32>(c, 16), d4: i64 = load<i32>(d, 16)
  const c5: i64 = load<i32>(c, 20), d5: i64 = load<i32>(d, 20)
  const c6: i64 = load<i32>(c, 24), d6: i64 = load<i32>(d, 24)
  const c7: i64 = load<i32>(c, 28), d7: i64 = load<i32>(d, 28)
  const c8: i64 = load<i32>(c, 32), d8: i64 = load<i32>(d, 32)
  const c9 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1
    - (c1 * d8 + c2 * d7 + c3 * d6 + c4 * d5 + c5 * d4 + c6 * d3 + c7 * d2 + c8 * d1)
  const c10 = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2
    - (c2 * d8 + c3 * d7 + c4 * d6 + c5 * d5 + c6 * d4 + c7 * d3 + c8 * d2)
  const c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 - (c3 * d8 + c4 * d7 + c5 * d6 + c6 * d5 + c7 * d4 + c8 * d3)
  const c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 - (c4 * d8 + c5 * d7 + c6 * d6 + c7 * d5 + c8 * d4)
  const c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 - (c5 * d8 + c6 * d7 + c7 * d6 + c8 * d5)
  const c14 = a6 * b8 + a7 * b7 + a8 * b6 - (c6 * d8 + c7 * d7 + c8 * d6)
  const c15 = a7 * b8 + a8 * b7 - (c7 * d8 + c8 * d7)
  const c16 = a8 * b8 - (c8 * d8)
  const h0 = c9 & MASK
  let t0 = a0 * b0 - (c0 * d0) + h0 * FOLD + HALF
  const h1 = (c10 & MASK) + (c9 >> 29)
  let t1 = a0 * b1 + a1 * b0 - (c0 * d1 + c1 * d0) + h1 * FOLD + (h0 << 8) + (t0 >> 29) + HALF
  const h2 = (c11 & MASK) + (c10 >> 29)
  let t2 = a0 * b2 + a1 * b1 + a2 * b0 - (c0 * d2 + c1 * d1 + c2 * d0) + h2 * FOLD + (h1 << 8) + (t1 >> 29) + HALF
  const h3 = (c12 & MASK) + (c11 >> 29)
  const t3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 - (c0 * d3 + c1 * d2 + c2 * d1 + c3 * d0) + h3 * FOLD + (h2 << 8) + (t2 >> 29) + HALF
  const h4 = (c13 & MASK) + (c12 >> 29)
  const t4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 - (c0 * d4 + c1 * d3 + c2 * d2 + c3 * d1 + c4 * d0) + h4 * FOLD + (h3 << 8)
    + (t3 >> 29) + HALF
  const h5 = (c14 & MASK) + (c13 >> 29)
  const t5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 - (c0 * d5 + c1 * d4 + c2 * d3 + c3 * d2 + c4 * d1 + c5 * d0)
    + h5 * FOLD + (h4 << 8) + (t4 >> 29) + HALF
  const h6 = (c15 & MASK) + (c14 >> 29)
  const t6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0
    - (c0 * d6 + c1 * d5 + c2 * d4 + c3 * d3 + c4 * d2 + c5 * d1 + c6 * d0) + h6 * FOLD + (h5 << 8) + (t5 >> 29) + HALF
  const h7 = (c16 & MASK) + (c15 >> 29)
  const t7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0
    - (c0 * d7 + c1 * d6 + c2 * d5 + c3 * d4 + c4 * d3 + c5 * d2 + c6 * d1 + c7 * d0) + h7 * FOLD + (h6 << 8) + (t6 >> 29) + HALF
  const h8 = c16 >> 29
  const t8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0
    - (c0 * d8 + c1 * d7 + c2 * d6 + c3 * d5 + c4 * d4 + c5 * d3 + c6 * d2 + c7 * d1 + c8 * d0) + h8 * FOLD + (h7 << 8) + (t7 >> 29)
    + HALF_TOP
  const top = (t8 >> 24) + (h8 << 13)
  t0 = (t0 & MASK) + top * 977
  t1 = (t1 & MASK) + (top << 3) + (t0 >> 29)
  t2 = (t2 & MASK) + (t1 >> 29)
  store<i32>(r, i32((t0 & MASK) - HALF), 0)
  store<i32>(r, i32((t1 & MASK) - HALF), 4)
  store<i32>(r, i32(t2 - HALF), 8)
  store<i32>(r, i32((t3 & MASK) - HALF), 12)
  store<i32>(r, i32((t4 & MASK) - HALF), 16)
  store<i32>(r, i32((t5 & MASK) - HALF), 20)
  store<i32>(r, i32((t6 & MASK) - HALF), 24)
  store<i32>(r, i32((t7 & MASK) - HALF), 28)
  store<i32>(r, i32((t8 & MASK_TOP) - HALF_TOP), 32)
}

/** r = (a + b) (c + d) - e - f, with one reduction. */
export function mulSums(r: usize, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize): void {
  const a0: i64 = load<i32>(a, 0) + load<i32>(b, 0), b0: i64 = load<i32>(c, 0) + load<i32>(d, 0)
  const a1: i64 = load<i32>(a, 4) + load<i32>(b, 4), b1: i64 = load<i32>(c, 4) + load<i32>(d, 4)
  const a2: i64 = load<i32>(a, 8) + load<i32>(b, 8), b2: i64 = load<i32>(c, 8) + load<i32>(d, 8)
  const a3: i64 = load<i32>(a, 12) + load<i32>(b, 12), b3: i64 = load<i32>(c, 12) + load<i32>(d, 12)
  const a4: i64 = load<i32>(a, 16) + load<i32>(b, 16), b4: i64 = load<i32>(c, 16) + load<i32>(d, 16)
  const a5: i64 = load<i32>(a, 20) + load<i32>(b, 20), b5: i64 = load<i32>(c, 20) + load<i32>(d, 20)
  const a6: i64 = load<i32>(a, 24) + load<i32>(b, 24), b6: i64 = load<i32>(c, 24) + load<i32>(d, 24)
  const a7: i64 = load<i32>(a, 28) + load<i32>(b, 28), b7: i64 = load<i32>(c, 28) + load<i32>(d, 28)
  const a8: i64 = load<i32>(a, 32) + load<i32>(b, 32), b8: i64 = load<i32>(c, 32) + load<i32>(d, 32)
  const c9 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1
  const c10 = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2
  const c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3
  const c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4
  const c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5
  const c14 = a6 * b8 + a7 * b7 + a8 * b6
  const c15 = a7 * b8 + a8 * b7
  const c16 = a8 * b8
  const h0 = c9 & MASK
  let t0 = a0 * b0 - load<i32>(e, 0) - load<i32>(f, 0) + h0 * FOLD + HALF
  const h1 = (c10 & MASK) + (c9 >> 29)
  let t1 = a0 * b1 + a1 * b0 - load<i32>(e, 4) - load<i32>(f, 4) + h1 * FOLD + (h0 << 8) + (t0 >> 29) + HALF
  const h2 = (c11 & MASK) + (c10 >> 29)
  let t2 = a0 * b2 + a1 * b1 + a2 * b0 - load<i32>(e, 8) - load<i32>(f, 8) + h2 * FOLD + (h1 << 8) + (t1 >> 29) + HALF
  const h3 = (c12 & MASK) + (c11 >> 29)
  const t3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 - load<i32>(e, 12) - load<i32>(f, 12) + h3 * FOLD + (h2 << 8) + (t2 >> 29) + HALF
  const h4 = (c13 & MASK) + (c12 >> 29)
  const t4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 - load<i32>(e, 16) - load<i32>(f, 16) + h4 * FOLD + (h3 << 8) + (t3 >> 29)
    + HALF
  const h5 = (c14 & MASK) + (c13 >> 29)
  const t5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 - load<i32>(e, 20) - load<i32>(f, 20) + h5 * FOLD + (h4 << 8)
    + (t4 >> 29) + HALF
  const h6 = (c15 & MASK) + (c14 >> 29)
  const t6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 - load<i32>(e, 24) - load<i32>(f, 24) + h6 * FOLD
    + (h5 << 8) + (t5 >> 29) + HALF
  const h7 = (c16 & MASK) + (c15 >> 29)
  const t7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 - load<i32>(e, 28) - load<i32>(f, 28)
    + h7 * FOLD + (h6 << 8) + (t6 >> 29) + HALF
  const h8 = c16 >> 29
  const t8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 - load<i32>(e, 32) - load<i32>(f, 32)
    + h8 * FOLD + (h7 << 8) + (t7 >> 29) + HALF_TOP
  const top = (t8 >> 24) + (h8 << 13)
  t0 = (t0 & MASK) + top * 977
  t1 = (t1 & MASK) + (top << 3) + (t0 >> 29)
  t2 = (t2 & MASK) + (t1 >> 29)
  store<i32>(r, i32((t0 & MASK) - HALF), 0)
  store<i32>(r, i32((t1 & MASK) - HALF), 4)
  store<i32>(r, i32(t2 - HALF), 8)
  store<i32>(r, i32((t3 & MASK) - HALF), 12)
  store<i32>(r, i32((t4 & MASK) - HALF), 16)
  store<i32>(r, i32((t5 & MASK) - HALF), 20)
  store<i32>(r, i32((t6 & MASK) - HALF), 24)
  store<i32>(r, i32((t7 & MASK) - HALF), 28)
  store<i32>(r, i32((t8 & MASK_TOP) - HALF_TOP), 32)
}
