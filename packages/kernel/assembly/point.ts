import { addScaled, canonical, fromBytes, invert, isOdd, isZero, root, scale, settle, toBytes } from './field'
import { ELEMENT, mul, mulSub, mulSums, sqr } from './product'

// Points of y^2 = x^3 + 7 as X : Y : Z, settled, the identity 0 : 1 : 0. AssemblyScript.
//
// The formulas of Renes, Costello and Batina (2015/1060, algorithms 7, 8 and 9) are complete on a curve of odd order: they hold for all
// pairs of points, equal, opposite and the identity included, so nothing here looks at values. Numbers in comments are magnitudes.

export const POINT: usize = 3 * ELEMENT
/** A point that is not the identity, with Z = 1 left out. */
export const AFFINE: usize = 2 * ELEMENT
/** Of a compressed point. */
export const POINT_BYTES: usize = 33

/** 3 x 7. */
const B3: i64 = 21

const TEMPORARIES = memory.data(8 * ELEMENT, 16)
const T0 = TEMPORARIES
const T1 = TEMPORARIES + ELEMENT
const T2 = TEMPORARIES + 2 * ELEMENT
const T3 = TEMPORARIES + 3 * ELEMENT
const T4 = TEMPORARIES + 4 * ELEMENT
const T5 = TEMPORARIES + 5 * ELEMENT
const T6 = TEMPORARIES + 6 * ELEMENT
const T7 = TEMPORARIES + 7 * ELEMENT

/** Every exported function that computes with points ends with this. */
export function wipeTemporaries(): void {
  memory.fill(TEMPORARIES, 0, 8 * ELEMENT)
}

/** The end of both additions, from T0 = X1 X2, T1 = Y1 Y2, T2 = 21 Z1 Z2, T3 = X1 Y2 + X2 Y1, T4 = Y1 Z2 + Y2 Z1, T5 = 21 (X1 Z2 + X2 Z1). */
function finish(r: usize): void {
  addScaled(T6, T1, T2, 1) // 2
  addScaled(T7, T1, T2, -1) // 2
  scale(T0, T0, -3) // 3
  mulSub(r, T3, T7, T4, T5) // 1 x 2 + 2 x 1
  mulSub(r + ELEMENT, T7, T6, T5, T0) // 2 x 2 + 1 x 3
  mulSub(r + 2 * ELEMENT, T6, T4, T0, T3) // 2 x 2 + 3 x 1
}

/** r = p + q. */
export function add(r: usize, p: usize, q: usize): void {
  mul(T0, p, q)
  mul(T1, p + ELEMENT, q + ELEMENT)
  mul(T2, p + 2 * ELEMENT, q + 2 * ELEMENT)
  mulSums(T3, p, p + ELEMENT, q, q + ELEMENT, T0, T1) // 2 x 2
  mulSums(T4, p + ELEMENT, p + 2 * ELEMENT, q + ELEMENT, q + 2 * ELEMENT, T1, T2)
  mulSums(T5, p, p + 2 * ELEMENT, q, q + 2 * ELEMENT, T0, T2)
  settle(T2, T2, B3)
  settle(T5, T5, B3)
  finish(r)
}

/** r = p + q for an affine q. */
export function addAffine(r: usize, p: usize, q: usize): void {
  mul(T0, p, q)
  mul(T1, p + ELEMENT, q + ELEMENT)
  mulSums(T3, p, p + ELEMENT, q, q + ELEMENT, T0, T1)
  mul(T4, q + ELEMENT, p + 2 * ELEMENT)
  addScaled(T4, T4, p + ELEMENT, 1) // 2
  mul(T5, q, p + 2 * ELEMENT)
  addScaled(T5, T5, p, 1) // 2
  settle(T2, p + 2 * ELEMENT, B3)
  settle(T5, T5, B3)
  finish(r)
}

/** r = 2 p. */
export function double(r: usize, p: usize): void {
  scale(T1, p + ELEMENT, 2) // 2
  sqr(T0, p + ELEMENT)
  sqr(T2, p + 2 * ELEMENT)
  mul(T3, p, T1) // 2 X Y
  mul(T1, T1, p + 2 * ELEMENT) // 2 Y Z
  settle(T2, T2, B3)
  addScaled(T4, T0, T2, 6) // 7
  scale(T5, T2, 3) // 3
  addScaled(T6, T0, T5, -1) // 4
  scale(T7, T0, 4) // 4
  mul(r, T6, T3) // 4 x 1
  // (Y^2 + t) (Y^2 - 3 t) + 8 t Y^2 = Y^2 (Y^2 + 6 t) - 3 t^2, t = 21 Z^2.
  mulSub(r + ELEMENT, T0, T4, T5, T2) // 1 x 7 + 3 x 1
  mul(r + 2 * ELEMENT, T7, T1) // 4 x 1
}

/** r = -p. */
export function negate(r: usize, p: usize): void {
  memory.copy(r, p, POINT)
  scale(r + ELEMENT, p + ELEMENT, -1)
}

/** 1 when p is the identity, else 0. */
export function isIdentity(p: usize): i32 {
  memory.copy(T0, p + 2 * ELEMENT, ELEMENT)
  return isZero(T0)
}

/** 1 when p = q, else 0. */
export function equal(p: usize, q: usize): i32 {
  mulSub(T0, p, q + 2 * ELEMENT, q, p + 2 * ELEMENT)
  mulSub(T1, p + ELEMENT, q + 2 * ELEMENT, q + ELEMENT, p + 2 * ELEMENT)
  // Against the identity, 0 : Y : 0, the first difference always vanishes, and the second only if the other has Z = 0, too.
  return isZero(T0) & isZero(T1)
}

/** room_i = 1 / Z_i for `count` points, none of them the identity, with one inversion. */
function inverses(room: usize, points: usize, count: usize): void {
  // First room_i = Z_0 .. Z_i, then backwards T2 = 1 / (Z_0 .. Z_i).
  memory.copy(room, points + 2 * ELEMENT, ELEMENT)
  for (let i: usize = 1; i < count; i++) mul(room + i * ELEMENT, room + (i - 1) * ELEMENT, points + i * POINT + 2 * ELEMENT)
  invert(T2, room + (count - 1) * ELEMENT)
  for (let i: usize = count - 1; i > 0; i--) {
    mul(room + i * ELEMENT, room + (i - 1) * ELEMENT, T2)
    mul(T2, T2, points + i * POINT + 2 * ELEMENT)
  }
  memory.copy(room, T2, ELEMENT)
}

/** Compresses `count` points, none of them the identity, to 33 bytes each. Needs `count` elements of room. */
export function compress(bytes: usize, points: usize, count: usize, room: usize): void {
  inverses(room, points, count)
  for (let i: usize = 0; i < count; i++) {
    mul(T0, points + i * POINT, room + i * ELEMENT)
    mul(T1, points + i * POINT + ELEMENT, room + i * ELEMENT)
    toBytes(bytes + i * POINT_BYTES + 1, T0)
    store<u8>(bytes + i * POINT_BYTES, 2 | isOdd(T1))
  }
}

/** Makes `count` points affine, none of them the identity. Needs `count` elements of room. */
export function toAffine(affine: usize, points: usize, count: usize, room: usize): void {
  inverses(room, points, count)
  for (let i: usize = 0; i < count; i++) {
    mul(affine + i * AFFINE, points + i * POINT, room + i * ELEMENT)
    mul(affine + i * AFFINE + ELEMENT, points + i * POINT + ELEMENT, room + i * ELEMENT)
  }
}

/**
 * Decompresses 33 bytes. Variable time.
 *
 * @returns 1, or 0 when the first byte is neither 2 nor 3, x is not below p or no point has this x.
 */
export function decompress(r: usize, bytes: usize): i32 {
  const sign = load<u8>(bytes)
  if (sign != 2 && sign != 3) return 0
  fromBytes(r, bytes + 1)
  toBytes(T7, r)
  for (let i: usize = 0; i < 32; i++) {
    if (load<u8>(T7 + i) != load<u8>(bytes + 1 + i)) return 0
  }
  sqr(T0, r)
  mul(T0, T0, r)
  store<i32>(T0, load<i32>(T0) + 7)
  root(r + ELEMENT, T0)
  sqr(T1, r + ELEMENT)
  addScaled(T1, T1, T0, -1)
  settle(T1, T1, 1)
  if (!isZero(T1)) return 0
  memory.copy(T1, r + ELEMENT, ELEMENT)
  if (isOdd(T1) != <i32>(sign & 1)) scale(r + ELEMENT, r + ELEMENT, -1)
  memory.fill(r + 2 * ELEMENT, 0, ELEMENT)
  store<i32>(r + 2 * ELEMENT, 1)
  return 1
}
