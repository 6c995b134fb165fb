// Products modulo q, the order of secp256k1, on nine limbs of 29 bits. Straight lines and masks: no branch and no address depends on
// a value.
//
// A column of a product is the sum of at most nine products below 2^58, so that a 64-bit word holds the columns of six products before
// carries must move.
import { high, low, pair, turn } from './words'

export const LIMB: u64 = 0x1fffffff
/** 2^256 - q in limbs. */
export const D0: u64 = 0xfc9bebf
export const D1: u64 = 0x16d0b99
export const D2: u64 = 0xdd7f110
export const D3: u64 = 0x24632a1
export const D4: u64 = 0x1455
/** 32 (2^256 - q), which is 2^261 mod q, in limbs. */
export const E0: u64 = 0x1937d7e0
export const E1: u64 = 0xda1732f
export const E2: u64 = 0x1afe2201
export const E3: u64 = 0x8c6542d
export const E4: u64 = 0x28aa2

/** Bytes of nine limbs. */
export const LIMBS: usize = 72
/** Bytes of the columns of a sum of products: 19 words. */
export const COLUMNS: usize = 152
/** So many products fit into columns between two carries, on top of a number. */
export const PRODUCTS_MAX: usize = 6

/** Splits any 32 bytes into limbs. */
export function unpack(out: usize, a: usize): void {
  const ah = turn(v128.load(a)), al = turn(v128.load(a, 16))
  const w0 = low(al), w1 = high(al), w2 = low(ah), w3 = high(ah)
  store<u64>(out, w0 & LIMB, 0)
  store<u64>(out, (w0 >> 29) & LIMB, 8)
  store<u64>(out, ((w0 >> 58) | (w1 << 6)) & LIMB, 16)
  store<u64>(out, (w1 >> 23) & LIMB, 24)
  store<u64>(out, ((w1 >> 52) | (w2 << 12)) & LIMB, 32)
  store<u64>(out, (w2 >> 17) & LIMB, 40)
  store<u64>(out, ((w2 >> 46) | (w3 << 18)) & LIMB, 48)
  store<u64>(out, (w3 >> 11) & LIMB, 56)
  store<u64>(out, w3 >> 40, 64)
}

/** Sets the columns to zero. */
export function clear(columns: usize): void {
  const zero = i64x2.splat(0)
  for (let k: usize = 0; k < 144; k += 16) v128.store(columns + k, zero)
  store<u64>(columns, 0, 144)
}

function grow(columns: usize, k: usize, term: u64): void { store<u64>(columns + 8 * k, load<u64>(columns + 8 * k) + term) }

/** `columns += a b`, without carries: at most PRODUCTS_MAX times after a carry. */
export function accumulate(columns: usize, a: usize, b: usize): void {
  const a0 = load<u64>(a, 0), a1 = load<u64>(a, 8), a2 = load<u64>(a, 16), a3 = load<u64>(a, 24), a4 = load<u64>(a, 32)
  const a5 = load<u64>(a, 40), a6 = load<u64>(a, 48), a7 = load<u64>(a, 56), a8 = load<u64>(a, 64)
  const b0 = load<u64>(b, 0), b1 = load<u64>(b, 8), b2 = load<u64>(b, 16), b3 = load<u64>(b, 24), b4 = load<u64>(b, 32)
  const b5 = load<u64>(b, 40), b6 = load<u64>(b, 48), b7 = load<u64>(b, 56), b8 = load<u64>(b, 64)
  grow(columns, 0, a0 * b0)
  grow(columns, 1, a0 * b1 + a1 * b0)
  grow(columns, 2, a0 * b2 + a1 * b1 + a2 * b0)
  grow(columns, 3, a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0)
  grow(columns, 4, a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0)
  grow(columns, 5, a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0)
  grow(columns, 6, a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0)
  grow(columns, 7, a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0)
  grow(columns, 8, a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0)
  grow(columns, 9, a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1)
  grow(columns, 10, a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2)
  grow(columns, 11, a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3)
  grow(columns, 12, a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4)
  grow(columns, 13, a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5)
  grow(columns, 14, a6 * b8 + a7 * b7 + a8 * b6)
  grow(columns, 15, a7 * b8 + a8 * b7)
  grow(columns, 16, a8 * b8)
}

/** Moves carries up, so that columns 0 to 17 are limbs; column 18 takes the rest. */
export function carry(columns: usize): void {
  let over: u64 = 0
  for (let k: usize = 0; k < 144; k += 8) {
    const column = load<u64>(columns + k) + over
    store<u64>(columns + k, column & LIMB)
    over = column >> 29
  }
  store<u64>(columns, load<u64>(columns, 144) + over, 144)
}

/** The columns mod q: a sum of at most 2^20 products. They are not kept. */
export function reduceColumns(out: usize, columns: usize): void {
  carry(columns)
  const h0 = load<u64>(columns, 72), h1 = load<u64>(columns, 80), h2 = load<u64>(columns, 88), h3 = load<u64>(columns, 96)
  const h4 = load<u64>(columns, 104), h5 = load<u64>(columns, 112), h6 = load<u64>(columns, 120), h7 = load<u64>(columns, 128)
  const h8 = load<u64>(columns, 136), h9 = load<u64>(columns, 144)
  // What lies above 2^261 is below 2^271, so that this comes out below 2^261 + 2^271 2^133.4, which 14 limbs hold.
  const c0 = load<u64>(columns, 0) + h0 * E0
  const c1 = load<u64>(columns, 8) + h0 * E1 + h1 * E0 + (c0 >> 29)
  const c2 = load<u64>(columns, 16) + h0 * E2 + h1 * E1 + h2 * E0 + (c1 >> 29)
  const c3 = load<u64>(columns, 24) + h0 * E3 + h1 * E2 + h2 * E1 + h3 * E0 + (c2 >> 29)
  const c4 = load<u64>(columns, 32) + h0 * E4 + h1 * E3 + h2 * E2 + h3 * E1 + h4 * E0 + (c3 >> 29)
  const c5 = load<u64>(columns, 40) + h1 * E4 + h2 * E3 + h3 * E2 + h4 * E1 + h5 * E0 + (c4 >> 29)
  const c6 = load<u64>(columns, 48) + h2 * E4 + h3 * E3 + h4 * E2 + h5 * E1 + h6 * E0 + (c5 >> 29)
  const c7 = load<u64>(columns, 56) + h3 * E4 + h4 * E3 + h5 * E2 + h6 * E1 + h7 * E0 + (c6 >> 29)
  const c8 = load<u64>(columns, 64) + h4 * E4 + h5 * E3 + h6 * E2 + h7 * E1 + h8 * E0 + (c7 >> 29)
  const c9 = h5 * E4 + h6 * E3 + h7 * E2 + h8 * E1 + h9 * E0 + (c8 >> 29)
  const c10 = h6 * E4 + h7 * E3 + h8 * E2 + h9 * E1 + (c9 >> 29)
  const c11 = h7 * E4 + h8 * E3 + h9 * E2 + (c10 >> 29)
  const c12 = h8 * E4 + h9 * E3 + (c11 >> 29)
  const c13 = h9 * E4 + (c12 >> 29)
  settle(
    out, c0 & LIMB, c1 & LIMB, c2 & LIMB, c3 & LIMB, c4 & LIMB, c5 & LIMB, c6 & LIMB, c7 & LIMB, c8 & LIMB,
    c9 & LIMB, c10 & LIMB, c11 & LIMB, c12 & LIMB, c13,
  )
}

/** A number of 14 limbs mod q. */
export function settle(
  out: usize, l0: u64, l1: u64, l2: u64, l3: u64, l4: u64, l5: u64, l6: u64, l7: u64, l8: u64,
  h0: u64, h1: u64, h2: u64, h3: u64, h4: u64,
): void {
  // Below 2^261 + 2^145 2^133.4: what lies above 2^256 is below 2^23.
  const c0 = l0 + h0 * E0
  const c1 = l1 + h0 * E1 + h1 * E0 + (c0 >> 29)
  const c2 = l2 + h0 * E2 + h1 * E1 + h2 * E0 + (c1 >> 29)
  const c3 = l3 + h0 * E3 + h1 * E2 + h2 * E1 + h3 * E0 + (c2 >> 29)
  const c4 = l4 + h0 * E4 + h1 * E3 + h2 * E2 + h3 * E1 + h4 * E0 + (c3 >> 29)
  const c5 = l5 + h1 * E4 + h2 * E3 + h3 * E2 + h4 * E1 + (c4 >> 29)
  const c6 = l6 + h2 * E4 + h3 * E3 + h4 * E2 + (c5 >> 29)
  const c7 = l7 + h3 * E4 + h4 * E3 + (c6 >> 29)
  const c8 = l8 + h4 * E4 + (c7 >> 29)
  // Folded, that is below 2^256 + 2^152, which is below 2 q.
  const top = c8 >> 24
  const x0 = (c0 & LIMB) + top * D0
  const x1 = (c1 & LIMB) + top * D1 + (x0 >> 29)
  const x2 = (c2 & LIMB) + top * D2 + (x1 >> 29)
  const x3 = (c3 & LIMB) + top * D3 + (x2 >> 29)
  const x4 = (c4 & LIMB) + top * D4 + (x3 >> 29)
  const x5 = (c5 & LIMB) + (x4 >> 29)
  const x6 = (c6 & LIMB) + (x5 >> 29)
  const x7 = (c7 & LIMB) + (x6 >> 29)
  const x8 = (c8 & 0xffffff) + (x7 >> 29)
  // 2^256 - q more reaches 2^256 just when q can be taken off.
  const y0 = (x0 & LIMB) + D0
  const y1 = (x1 & LIMB) + D1 + (y0 >> 29)
  const y2 = (x2 & LIMB) + D2 + (y1 >> 29)
  const y3 = (x3 & LIMB) + D3 + (y2 >> 29)
  const y4 = (x4 & LIMB) + D4 + (y3 >> 29)
  const y5 = (x5 & LIMB) + (y4 >> 29)
  const y6 = (x6 & LIMB) + (y5 >> 29)
  const y7 = (x7 & LIMB) + (y6 >> 29)
  const y8 = x8 + (y7 >> 29)
  const pick = i64x2.splat(0 - (y8 >> 24))
  v128.store(out, turn(v128.bitselect(upper(y4, y5, y6, y7, y8), upper(x4, x5, x6, x7, x8), pick)), 0)
  v128.store(out, turn(v128.bitselect(lower(y0, y1, y2, y3, y4), lower(x0, x1, x2, x3, x4), pick)), 16)
}

/** The words below 2^128 of limbs that still hold what has been carried out of them. */
function lower(l0: u64, l1: u64, l2: u64, l3: u64, l4: u64): v128 {
  const l = l2 & LIMB
  return pair((l0 & LIMB) | ((l1 & LIMB) << 29) | (l << 58), (l >> 6) | ((l3 & LIMB) << 23) | (l4 << 52))
}

/** The words above; what lies above 2^256 is cut off. */
function upper(l4: u64, l5: u64, l6: u64, l7: u64, l8: u64): v128 {
  const l = l6 & LIMB
  return pair(((l4 & LIMB) >> 12) | ((l5 & LIMB) << 17) | (l << 46), (l >> 18) | ((l7 & LIMB) << 11) | (l8 << 40))
}
