import { ELEMENT, mul, sqr } from './product'

// The field of secp256k1 around its products: linear steps, bytes, comparison, powers. AssemblyScript.

const MASK: i64 = 0x1fffffff
const HALF: i64 = 0x10000000
const HALF_TOP: i64 = 0x800000

/** r = a + m b, without a carry. */
export function addScaled(r: usize, a: usize, b: usize, m: i32): void {
  for (let o: usize = 0; o < 36; o += 4) store<i32>(r + o, load<i32>(a + o) + m * load<i32>(b + o))
}

/** r = m a, without a carry. */
export function scale(r: usize, a: usize, m: i32): void {
  for (let o: usize = 0; o < 36; o += 4) store<i32>(r + o, m * load<i32>(a + o))
}

/** r = m a, settled. m times the magnitude of a is below 2^20. */
export function settle(r: usize, a: usize, m: i64): void {
  let t0 = m * load<i32>(a, 0) + HALF
  let t1 = m * load<i32>(a, 4) + HALF + (t0 >> 29)
  let t2 = m * load<i32>(a, 8) + HALF + (t1 >> 29)
  const t3 = m * load<i32>(a, 12) + HALF + (t2 >> 29)
  const t4 = m * load<i32>(a, 16) + HALF + (t3 >> 29)
  const t5 = m * load<i32>(a, 20) + HALF + (t4 >> 29)
  const t6 = m * load<i32>(a, 24) + HALF + (t5 >> 29)
  const t7 = m * load<i32>(a, 28) + HALF + (t6 >> 29)
  const t8 = m * load<i32>(a, 32) + HALF_TOP + (t7 >> 29)
  const top = t8 >> 24
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
  store<i32>(r, i32((t8 & 0xffffff) - HALF_TOP), 32)
}

/** Carries so that limbs 0 to 7 are in [0, 2^29); limb 8 keeps the sign. */
function carry(a: usize): void {
  let c: i32 = 0
  for (let o: usize = 0; o < 32; o += 4) {
    const t = load<i32>(a + o) + c
    store<i32>(a + o, t & 0x1fffffff)
    c = t >> 29
  }
  store<i32>(a, load<i32>(a, 32) + c, 32)
}

/** Makes a settled element the one representation of its value that is in [0, p) with limbs that are not negative. */
export function canonical(a: usize): void {
  carry(a)
  // Settled, so strictly between -p and p: p is added where the sign says so.
  const negative = load<i32>(a, 32) >> 31
  store<i32>(a, load<i32>(a, 0) - (negative & 977), 0)
  store<i32>(a, load<i32>(a, 4) - (negative & 8), 4)
  store<i32>(a, load<i32>(a, 32) + (negative & 0x1000000), 32)
  carry(a)
}

/** 1 when a is 0 mod p, else 0. Makes the settled a canonical. */
export function isZero(a: usize): i32 {
  canonical(a)
  let bits: u32 = 0
  for (let o: usize = 0; o < 36; o += 4) bits |= load<u32>(a + o)
  return (bits - 1) >>> 31
}

/** 1 when a settled element is odd. Makes it canonical. */
export function isOdd(a: usize): i32 {
  canonical(a)
  return load<i32>(a) & 1
}

/** From 32 bytes, big-endian, of any value below 2^256. The result is settled. */
export function fromBytes(r: usize, bytes: usize): void {
  for (let i: usize = 0; i < 9; i++) {
    // Limb i begins at bit 29 i, which lies in the byte `at` from the end.
    const at = (29 * i) >> 3
    let word: u64 = 0
    for (let j: usize = 0; j < 5; j++) {
      if (at + j < 32) word |= <u64>load<u8>(bytes + 31 - at - j) << (8 * j)
    }
    store<i32>(r + 4 * i, <i32>(word >> ((29 * i) & 7)) & 0x1fffffff)
  }
  settle(r, r, 1)
}

/** To 32 bytes, big-endian. Makes the settled a canonical. */
export function toBytes(bytes: usize, a: usize): void {
  canonical(a)
  let word: u64 = 0
  let bits: u32 = 0
  let limb: usize = 0
  for (let i: usize = 0; i < 32; i++) {
    if (bits < 8) {
      word |= <u64>load<u32>(a + 4 * limb) << bits
      bits += 29
      limb++
    }
    store<u8>(bytes + 31 - i, <u8>word)
    word >>= 8
    bits -= 8
  }
}

/** r = a^(2^n). */
function squares(r: usize, a: usize, n: i32): void {
  sqr(r, a)
  for (let i = 1; i < n; i++) sqr(r, r)
}

const POWERS = memory.data(7 * ELEMENT, 16)
/** a^(2^n - 1) for n = 2, 3, 22, 44 and 88, then room for the running power. */
const ONES_2 = POWERS
const ONES_3 = POWERS + ELEMENT
const ONES_22 = POWERS + 2 * ELEMENT
const ONES_44 = POWERS + 3 * ELEMENT
const ONES_88 = POWERS + 4 * ELEMENT
const RUNNING = POWERS + 5 * ELEMENT
const BASE = POWERS + 6 * ELEMENT

/** RUNNING = BASE^(2^223 - 1), with which the binary forms of p - 2 and (p + 1) / 4 begin, and BASE^(2^n - 1) for smaller n on the way. */
function ones(): void {
  squares(ONES_2, BASE, 1)
  mul(ONES_2, ONES_2, BASE)
  squares(ONES_3, ONES_2, 1)
  mul(ONES_3, ONES_3, BASE)
  squares(RUNNING, ONES_3, 3)
  mul(RUNNING, RUNNING, ONES_3)
  squares(RUNNING, RUNNING, 3)
  mul(RUNNING, RUNNING, ONES_3)
  squares(RUNNING, RUNNING, 2)
  mul(ONES_44, RUNNING, ONES_2)
  squares(ONES_22, ONES_44, 11)
  mul(ONES_22, ONES_22, ONES_44)
  squares(ONES_44, ONES_22, 22)
  mul(ONES_44, ONES_44, ONES_22)
  squares(ONES_88, ONES_44, 44)
  mul(ONES_88, ONES_88, ONES_44)
  squares(RUNNING, ONES_88, 88)
  mul(RUNNING, RUNNING, ONES_88)
  squares(RUNNING, RUNNING, 44)
  mul(RUNNING, RUNNING, ONES_44)
  squares(RUNNING, RUNNING, 3)
  mul(RUNNING, RUNNING, ONES_3)
}

/** r = a^(p - 2): 1 / a, and 0 for 0. p - 2 is 223 ones, a zero, 22 ones, 0000101101. */
export function invert(r: usize, a: usize): void {
  memory.copy(BASE, a, ELEMENT)
  ones()
  squares(RUNNING, RUNNING, 23)
  mul(RUNNING, RUNNING, ONES_22)
  squares(RUNNING, RUNNING, 5)
  mul(RUNNING, RUNNING, BASE)
  squares(RUNNING, RUNNING, 3)
  mul(RUNNING, RUNNING, ONES_2)
  squares(RUNNING, RUNNING, 2)
  mul(r, RUNNING, BASE)
  memory.fill(POWERS, 0, 7 * ELEMENT)
}

/** r = a^((p + 1) / 4): a root of a if it has one. (p + 1) / 4 is 223 ones, a zero, 22 ones, 00001100. */
export function root(r: usize, a: usize): void {
  memory.copy(BASE, a, ELEMENT)
  ones()
  squares(RUNNING, RUNNING, 23)
  mul(RUNNING, RUNNING, ONES_22)
  squares(RUNNING, RUNNING, 6)
  mul(RUNNING, RUNNING, ONES_2)
  squares(r, RUNNING, 2)
  memory.fill(POWERS, 0, 7 * ELEMENT)
}
