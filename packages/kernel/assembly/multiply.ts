import { HALF_BYTES, HALVES, SIGNS, split, timesBeta, wipeHalves } from './endomorphism'
import { AFFINE, add, addAffine, double, POINT, toAffine, wipeTemporaries } from './point'
import { ELEMENT } from './product'

// Multiplication by secret scalars. AssemblyScript.
//
// A scalar is read in windows of w bits with the bit below them, as digits from -2^(w-1) to 2^(w-1) (Booth). Multiples come out of a table
// by reading all of it; a digit 0 gives the identity, or in an affine table an addition whose result is dropped by a mask.

/** Of variable base multiplication; 26 of them hold 130 bits. */
const WINDOW = 5
const WINDOWS = 26
const MULTIPLES: usize = 16
/** Of tables made in advance; 43 of them hold 258 bits. */
const FIXED_WINDOW = 6
const FIXED_WINDOWS = 43
const FIXED_MULTIPLES: usize = 32
const FIXED_ROW = FIXED_MULTIPLES * AFFINE
export const FIXED_TABLE = FIXED_WINDOWS * FIXED_ROW

const WORK = memory.data(2 * POINT + 64, 16)
const PICKED = WORK
const SUM = WORK + POINT
/** 2 k, least significant byte first, 40 bytes of it. */
const DOUBLED = WORK + 2 * POINT
const ROW = memory.data(32 * POINT, 16)
const ROOM = memory.data(32 * ELEMENT, 16)

function wipe(): void {
  memory.fill(WORK, 0, 2 * POINT + 64)
  wipeTemporaries()
  wipeHalves()
}

function toIdentity(r: usize): void {
  memory.fill(r, 0, POINT)
  store<i32>(r + ELEMENT, 1)
}

/** `bits` bits from bit `at` of a string of bytes. */
function bitsAt(bytes: usize, at: i32, bits: i32): i32 {
  return (load<u32>(bytes + (at >> 3)) >>> (at & 7)) & ((1 << bits) - 1)
}

/** PICKED = digit times the point of which `table` holds the multiples 1 to MULTIPLES; the mask `sign` negates. */
function pick(table: usize, digit: i32, sign: i32): void {
  let x0 = i32x4.splat(0), x1 = x0, x2 = x0, y0 = x0, y1 = x0, y2 = x0, z0 = x0, z1 = x0, z2 = x0
  const wanted = i32x4.splat(digit)
  for (let i = 1; i <= <i32>MULTIPLES; i++) {
    const mask = i32x4.eq(wanted, i32x4.splat(i))
    x0 = v128.or(x0, v128.and(mask, v128.load(table, 0)))
    x1 = v128.or(x1, v128.and(mask, v128.load(table, 16)))
    x2 = v128.or(x2, v128.and(mask, v128.load(table, 32)))
    y0 = v128.or(y0, v128.and(mask, v128.load(table, 48)))
    y1 = v128.or(y1, v128.and(mask, v128.load(table, 64)))
    y2 = v128.or(y2, v128.and(mask, v128.load(table, 80)))
    z0 = v128.or(z0, v128.and(mask, v128.load(table, 96)))
    z1 = v128.or(z1, v128.and(mask, v128.load(table, 112)))
    z2 = v128.or(z2, v128.and(mask, v128.load(table, 128)))
    table += POINT
  }
  // The identity when no multiple was wanted.
  y0 = v128.or(y0, v128.and(i32x4(1, 0, 0, 0), i32x4.eq(wanted, i32x4.splat(0))))
  const negative = i32x4.splat(sign)
  v128.store(PICKED, x0, 0)
  v128.store(PICKED, x1, 16)
  v128.store(PICKED, x2, 32)
  v128.store(PICKED, i32x4.sub(v128.xor(y0, negative), negative), 48)
  v128.store(PICKED, i32x4.sub(v128.xor(y1, negative), negative), 64)
  v128.store(PICKED, i32x4.sub(v128.xor(y2, negative), negative), 80)
  v128.store(PICKED, z0, 96)
  v128.store(PICKED, z1, 112)
  v128.store(PICKED, z2, 128)
}

/** The same from a row of affine multiples 1 to FIXED_MULTIPLES; nothing of meaning for the digit 0. */
function pickAffine(row: usize, digit: i32, sign: i32): void {
  let x0 = i32x4.splat(0), x1 = x0, x2 = x0, y0 = x0, y1 = x0, y2 = x0
  const wanted = i32x4.splat(digit)
  for (let i = 1; i <= <i32>FIXED_MULTIPLES; i++) {
    const mask = i32x4.eq(wanted, i32x4.splat(i))
    x0 = v128.or(x0, v128.and(mask, v128.load(row, 0)))
    x1 = v128.or(x1, v128.and(mask, v128.load(row, 16)))
    x2 = v128.or(x2, v128.and(mask, v128.load(row, 32)))
    y0 = v128.or(y0, v128.and(mask, v128.load(row, 48)))
    y1 = v128.or(y1, v128.and(mask, v128.load(row, 64)))
    y2 = v128.or(y2, v128.and(mask, v128.load(row, 80)))
    row += AFFINE
  }
  const negative = i32x4.splat(sign)
  v128.store(PICKED, x0, 0)
  v128.store(PICKED, x1, 16)
  v128.store(PICKED, x2, 32)
  v128.store(PICKED, i32x4.sub(v128.xor(y0, negative), negative), 48)
  v128.store(PICKED, i32x4.sub(v128.xor(y1, negative), negative), 64)
  v128.store(PICKED, i32x4.sub(v128.xor(y2, negative), negative), 80)
}

/** r = digit (p or lambda p), with the half that window `i` is of. */
function pickOfHalf(half: usize, i: i32): void {
  const bits = bitsAt(HALVES + half * HALF_BYTES, WINDOW * i, WINDOW + 1)
  const sign = -(bits >> WINDOW)
  const digit = (bits >> 1) - (-sign << WINDOW) + (bits & 1)
  pick(ROW, (digit ^ sign) - sign, sign ^ load<i32>(SIGNS + 4 * half))
}

/** ROW = the multiples 1 to `count`, which is even, of its first point. */
function fillRow(count: usize): void {
  for (let i: usize = 2; i <= count; i += 2) {
    double(ROW + (i - 1) * POINT, ROW + (i / 2 - 1) * POINT)
    if (i < count) add(ROW + i * POINT, ROW + (i - 1) * POINT, ROW)
  }
}

/** r = k p, for 32 bytes k, big-endian, below q. */
export function multiply(r: usize, p: usize, k: usize): void {
  split(k)
  memory.copy(ROW, p, POINT)
  fillRow(MULTIPLES)
  toIdentity(r)
  for (let i = WINDOWS - 1; i >= 0; i--) {
    pickOfHalf(0, i)
    add(r, r, PICKED)
    pickOfHalf(1, i)
    timesBeta(PICKED, PICKED)
    add(r, r, PICKED)
    if (i > 0) for (let j = 0; j < WINDOW; j++) double(r, r)
  }
  memory.fill(ROW, 0, MULTIPLES * POINT)
  wipe()
}

/** Fills FIXED_TABLE bytes with the multiples 1 to 32 of 2^(6 i) p, which is not the identity, for each window i. */
export function makeTable(table: usize, p: usize): void {
  memory.copy(ROW, p, POINT)
  for (let i = 0; i < FIXED_WINDOWS; i++) {
    fillRow(FIXED_MULTIPLES)
    toAffine(table, ROW, FIXED_MULTIPLES, ROOM)
    double(ROW, ROW + (FIXED_MULTIPLES - 1) * POINT)
    table += FIXED_ROW
  }
  memory.fill(ROW, 0, 32 * POINT)
  memory.fill(ROOM, 0, 32 * ELEMENT)
  wipe()
}

/** r = k p for the table of p and 32 bytes k, big-endian, below q. */
export function multiplyTable(r: usize, table: usize, k: usize): void {
  let below: u32 = 0
  for (let o: usize = 0; o < 32; o += 4) {
    const word = bswap(load<u32>(k + 28 - o))
    store<u32>(DOUBLED + o, (word << 1) | (below >>> 31))
    below = word
  }
  store<u64>(DOUBLED, below >>> 31, 32)
  toIdentity(r)
  for (let i = 0; i < FIXED_WINDOWS; i++) {
    const bits = bitsAt(DOUBLED, FIXED_WINDOW * i, FIXED_WINDOW + 1)
    const sign = -(bits >> FIXED_WINDOW)
    const digit = (bits >> 1) - (-sign << FIXED_WINDOW) + (bits & 1)
    pickAffine(table, (digit ^ sign) - sign, sign)
    addAffine(SUM, r, PICKED)
    // Without the addition when the digit is 0.
    const kept = i32x4.eq(i32x4.splat(digit), i32x4.splat(0))
    for (let o: usize = 0; o < POINT; o += 16) {
      v128.store(r + o, v128.bitselect(v128.load(r + o), v128.load(SUM + o), kept))
    }
    table += FIXED_ROW
  }
  wipe()
}
