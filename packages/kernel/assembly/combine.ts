import { HALF_BYTES, HALVES, SIGNS, split, timesBeta } from './endomorphism'
import { scale } from './field'
import { AFFINE, add, addAffine, double, POINT, toAffine } from './point'
import { ELEMENT } from './product'

// a G + b P for public values: variable time. AssemblyScript.
//
// Four halves of 128 bits share their doublings; digits are odd, and with window w at most one in w + 1 places is not 0 (NAF).

const PLACES = 130
const G_WINDOW = 8
const G_MULTIPLES: usize = 64
const P_WINDOW = 5
const P_MULTIPLES: usize = 8

/** Odd multiples 1, 3, .. of G and lambda G, affine, and of P and lambda P. */
const G_TABLE = memory.data(2 * 64 * 96, 16)
const P_TABLE = memory.data(2 * 8 * 144, 16)
/** Signed bytes, PLACES for each of a1, a2, b1, b2. */
const DIGITS = memory.data(4 * 144, 16)
const DIGITS_BYTES: usize = 144
const TERM = memory.data(144, 16)

/** Fills the table of G. */
export function prepare(g: usize, room: usize): void {
  const points = room
  const elements = room + G_MULTIPLES * POINT
  memory.copy(points, g, POINT)
  double(TERM, g)
  for (let i: usize = 1; i < G_MULTIPLES; i++) add(points + i * POINT, points + (i - 1) * POINT, TERM)
  toAffine(G_TABLE, points, G_MULTIPLES, elements)
  for (let i: usize = 0; i < G_MULTIPLES; i++) {
    const at = G_TABLE + i * AFFINE
    const image = at + G_MULTIPLES * AFFINE
    timesBeta(image, at)
    memory.copy(image + ELEMENT, at + ELEMENT, ELEMENT)
  }
}

/** Writes the digits of one of HALVES. */
function recode(digits: usize, half: usize, window: i32): void {
  memory.fill(digits, 0, DIGITS_BYTES)
  const doubled = HALVES + half * HALF_BYTES
  const negative = load<i32>(SIGNS + 4 * half)
  let carry = 0
  for (let i = 0; i < PLACES; ) {
    // Bit i of the half is bit i + 1 of its double.
    const bits = load<u32>(doubled + ((i + 1) >> 3)) >>> ((i + 1) & 7)
    if ((<i32>(bits & 1) ^ carry) == 0) {
      i++
      continue
    }
    let digit = <i32>(bits & ((1 << window) - 1)) + carry
    carry = digit >> (window - 1)
    digit -= carry << window
    store<i8>(digits + i, negative ? -digit : digit)
    i += window
  }
}

/** r += digit times the point of a table of odd multiples. */
function addAffineDigit(r: usize, table: usize, digit: i32): void {
  if (digit > 0) addAffine(r, r, table + (digit >> 1) * AFFINE)
  else if (digit < 0) {
    const entry = table + (-digit >> 1) * AFFINE
    memory.copy(TERM, entry, ELEMENT)
    scale(TERM + ELEMENT, entry + ELEMENT, -1)
    addAffine(r, r, TERM)
  }
}

function addDigit(r: usize, table: usize, digit: i32): void {
  if (digit > 0) add(r, r, table + (digit >> 1) * POINT)
  else if (digit < 0) {
    const entry = table + (-digit >> 1) * POINT
    memory.copy(TERM, entry, POINT)
    scale(TERM + ELEMENT, entry + ELEMENT, -1)
    add(r, r, TERM)
  }
}

/** r = a G + b p, for 32 bytes each, big-endian, below q. */
export function combine(r: usize, a: usize, p: usize, b: usize): void {
  split(a)
  recode(DIGITS, 0, G_WINDOW)
  recode(DIGITS + DIGITS_BYTES, 1, G_WINDOW)
  split(b)
  recode(DIGITS + 2 * DIGITS_BYTES, 0, P_WINDOW)
  recode(DIGITS + 3 * DIGITS_BYTES, 1, P_WINDOW)
  memory.copy(P_TABLE, p, POINT)
  double(TERM, p)
  for (let i: usize = 1; i < P_MULTIPLES; i++) add(P_TABLE + i * POINT, P_TABLE + (i - 1) * POINT, TERM)
  for (let i: usize = 0; i < P_MULTIPLES; i++) {
    const image = P_TABLE + (P_MULTIPLES + i) * POINT
    memory.copy(image, P_TABLE + i * POINT, POINT)
    timesBeta(image, image)
  }
  memory.fill(r, 0, POINT)
  store<i32>(r + ELEMENT, 1)
  let begun = false
  for (let i = PLACES - 1; i >= 0; i--) {
    if (begun) double(r, r)
    const digits = DIGITS + i
    begun = begun || (load<i8>(digits) | load<i8>(digits, 144) | load<i8>(digits, 288) | load<i8>(digits, 432)) != 0
    addAffineDigit(r, G_TABLE, load<i8>(digits))
    addAffineDigit(r, G_TABLE + G_MULTIPLES * AFFINE, load<i8>(digits, 144))
    addDigit(r, P_TABLE, load<i8>(digits, 288))
    addDigit(r, P_TABLE + P_MULTIPLES * POINT, load<i8>(digits, 432))
  }
}
