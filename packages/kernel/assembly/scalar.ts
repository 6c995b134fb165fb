// Scalars modulo q, the order of secp256k1: 32 bytes, big-endian, in [0, q). Sums and differences work on four 64-bit words. Straight
// lines and masks: no branch and no address depends on a value.
import { accumulate, clear, COLUMNS, D0, D1, D2, D3, D4, LIMBS, reduceColumns, unpack } from './columns'
import { high, low, pair, turn } from './words'

/** 2^256 - q in words; the third one is 1. */
const C0: u64 = 0x402da1732fc9bebf
const C1: u64 = 0x4551231950b75fc4
/** q in words; the fourth one is all ones. */
const Q0: u64 = 0xbfd25e8cd0364141
const Q1: u64 = 0xbaaedce6af48a03b
const Q2: u64 = 0xfffffffffffffffe

/** 1 when `sum`, which is `term` and another word added, went over. */
function carried(sum: u64, term: u64): u64 { return u64(sum < term) }

/** `out = a + (b and mask)`. */
export function addMasked(out: usize, a: usize, b: usize, mask: u64): void {
  const ah = turn(v128.load(a)), al = turn(v128.load(a, 16)), m = i64x2.splat(mask)
  const bh = v128.and(turn(v128.load(b)), m), bl = v128.and(turn(v128.load(b, 16)), m)
  const s0 = low(al) + low(bl)
  const p1 = high(al) + high(bl), s1 = p1 + carried(s0, low(al))
  const p2 = low(ah) + low(bh), s2 = p2 + (carried(p1, high(al)) | carried(s1, p1))
  const p3 = high(ah) + high(bh), s3 = p3 + (carried(p2, low(ah)) | carried(s2, p2))
  const over = carried(p3, high(ah)) | carried(s3, p3)
  // The sum is not below q when it, or 2^256 - q more than it, has gone over.
  const t0 = s0 + C0
  const u1 = s1 + C1, t1 = u1 + carried(t0, s0)
  const u2 = s2 + 1, t2 = u2 + (carried(u1, s1) | carried(t1, u1))
  const t3 = s3 + (carried(u2, s2) | carried(t2, u2))
  const pick = i64x2.splat(0 - (over | carried(t3, s3)))
  v128.store(out, turn(v128.bitselect(pair(t2, t3), pair(s2, s3), pick)), 0)
  v128.store(out, turn(v128.bitselect(pair(t0, t1), pair(s0, s1), pick)), 16)
}

/** `out = a - (b and mask)`. */
export function subMasked(out: usize, a: usize, b: usize, mask: u64): void {
  const ah = turn(v128.load(a)), al = turn(v128.load(a, 16)), m = i64x2.splat(mask)
  const bh = v128.and(turn(v128.load(b)), m), bl = v128.and(turn(v128.load(b, 16)), m)
  const d0 = low(al) - low(bl)
  const p1 = high(al) - high(bl), d1 = p1 - carried(low(al), d0)
  const p2 = low(ah) - low(bh), d2 = p2 - (carried(high(al), p1) | carried(p1, d1))
  const p3 = high(ah) - high(bh), d3 = p3 - (carried(low(ah), p2) | carried(p2, d2))
  // Below zero it is 2^256 too much: q more than it is 2^256 - q less.
  const less = 0 - (carried(high(ah), p3) | carried(p3, d3))
  const t0 = d0 - (C0 & less)
  const u1 = d1 - (C1 & less), t1 = u1 - carried(d0, t0)
  const u2 = d2 - (1 & less), t2 = u2 - (carried(d1, u1) | carried(u1, t1))
  const t3 = d3 - (carried(d2, u2) | carried(u2, t2))
  v128.store(out, turn(pair(t2, t3)), 0)
  v128.store(out, turn(pair(t0, t1)), 16)
}

/** `out = a + b - c`. */
export function addSubtract(out: usize, a: usize, b: usize, c: usize): void {
  const ah = turn(v128.load(a)), al = turn(v128.load(a, 16)), bh = turn(v128.load(b)), bl = turn(v128.load(b, 16))
  const s0 = low(al) + low(bl)
  const p1 = high(al) + high(bl), s1 = p1 + carried(s0, low(al))
  const p2 = low(ah) + low(bh), s2 = p2 + (carried(p1, high(al)) | carried(s1, p1))
  const p3 = high(ah) + high(bh), s3 = p3 + (carried(p2, low(ah)) | carried(s2, p2))
  const over = carried(p3, high(ah)) | carried(s3, p3)
  const ch = turn(v128.load(c)), cl = turn(v128.load(c, 16))
  const d0 = s0 - low(cl)
  const r1 = s1 - high(cl), d1 = r1 - carried(s0, d0)
  const r2 = s2 - low(ch), d2 = r2 - (carried(s1, r1) | carried(r1, d1))
  const r3 = s3 - high(ch), d3 = r3 - (carried(s2, r2) | carried(r2, d2))
  const under = carried(s3, r3) | carried(r3, d3)
  // From -q to 2 q, and 2^256 (over - under) + d: q more when that is below 0, 2^256 - q more to see whether q can be taken off.
  const less = 0 - (under & (over ^ 1))
  const t0 = d0 + (C0 ^ (less & (C0 ^ Q0)))
  const u1 = d1 + (C1 ^ (less & (C1 ^ Q1))), t1 = u1 + carried(t0, d0)
  const u2 = d2 + (1 ^ (less & (1 ^ Q2))), t2 = u2 + (carried(u1, d1) | carried(t1, u1))
  const u3 = d3 + less, t3 = u3 + (carried(u2, d2) | carried(t2, u2))
  const pick = i64x2.splat(0 - ((over ^ under) | carried(t3, u3)))
  v128.store(out, turn(v128.bitselect(pair(t2, t3), pair(d2, d3), pick)), 0)
  v128.store(out, turn(v128.bitselect(pair(t0, t1), pair(d0, d1), pick)), 16)
}

/** 1 when the 32 bytes are below q, otherwise 0. */
export function isCanonical(a: usize): u64 {
  const ah = turn(v128.load(a)), al = turn(v128.load(a, 16))
  const t0 = low(al) + C0
  const u1 = high(al) + C1, t1 = u1 + carried(t0, low(al))
  const u2 = low(ah) + 1, t2 = u2 + (carried(u1, high(al)) | carried(t1, u1))
  const t3 = high(ah) + (carried(u2, low(ah)) | carried(t2, u2))
  return carried(t3, high(ah)) ^ 1
}

const A: usize = memory.data(LIMBS, 16)
const B: usize = memory.data(LIMBS, 16)
const SUM: usize = memory.data(COLUMNS, 16)
const POWERS: usize = memory.data(16 * LIMBS, 16)

function multiply(out: usize, a: usize, b: usize): void {
  clear(SUM)
  accumulate(SUM, a, b)
  reduceColumns(out, SUM)
}

function wipe(): void {
  memory.fill(A, 0, LIMBS)
  memory.fill(B, 0, LIMBS)
  memory.fill(SUM, 0, COLUMNS)
}

export function addScalars(out: usize, a: usize, b: usize): void { addMasked(out, a, b, ~0) }
export function subScalars(out: usize, a: usize, b: usize): void { subMasked(out, a, b, ~0) }

export function mulScalars(out: usize, a: usize, b: usize): void {
  unpack(A, a)
  unpack(B, b)
  multiply(out, A, B)
  wipe()
}

/** Goes on with 16 hexadecimal digits of the exponent. They are addresses here, and the same for every value. */
function raise(out: usize, digits: u64): void {
  for (let shift: u64 = 64; shift > 0; shift -= 4) {
    for (let i = 0; i < 4; i++) {
      multiply(out, B, B)
      unpack(B, out)
    }
    multiply(out, B, POWERS + LIMBS * usize((digits >> (shift - 4)) & 15))
    unpack(B, out)
  }
}

/** `out = a^(q - 2)`. */
export function invertScalar(out: usize, a: usize): void {
  unpack(A, a)
  memory.fill(POWERS, 0, LIMBS)
  store<u64>(POWERS, 1)
  memory.copy(B, POWERS, LIMBS)
  for (let i: usize = 0; i < 15; i++) {
    multiply(out, POWERS + LIMBS * i, A)
    unpack(POWERS + LIMBS * (i + 1), out)
  }
  raise(out, 0xffffffffffffffff)
  raise(out, 0xfffffffffffffffe)
  raise(out, 0xbaaedce6af48a03b)
  raise(out, 0xbfd25e8cd036413f)
  wipe()
  memory.fill(POWERS, 0, 16 * LIMBS)
}

/** `out` = 64 bytes mod q. */
export function reduceWide(out: usize, wide: usize): void {
  store<u64>(B, D0, 0)
  store<u64>(B, D1, 8)
  store<u64>(B, D2, 16)
  store<u64>(B, D3, 24)
  store<u64>(B, D4, 32)
  unpack(A, wide)
  unpack(SUM, wide + 32)
  accumulate(SUM, A, B)
  reduceColumns(out, SUM)
  wipe()
}

/** 1 when all of `count` times 32 bytes are below q. */
export function areCanonical(packed: usize, count: usize): u32 {
  let good: u64 = 1
  for (let i: usize = 0; i < count; i++) good &= isCanonical(packed + 32 * i)
  return u32(good)
}
