// SHA-256 on eight messages at once: two states of four, one in each 32-bit lane of a vector. No branch and no address depends on what
// is hashed.

const CONSTANTS: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]

const K = changetype<usize>(CONSTANTS)

const IV: StaticArray<u32> = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]

/** Bytes of two states: sixteen vectors. */
export const STATES: usize = 256
/** Bytes of a block of four messages: sixteen vectors. */
export const BLOCK: usize = 256
/** Bytes of its schedule: a vector for each round, message word and round constant added. */
export const SCHEDULE: usize = 1024

function add(a: v128, b: v128): v128 { return i32x4.add(a, b) }
function xor(a: v128, b: v128): v128 { return v128.xor(a, b) }
// Rotations are two shifts each, and all shifts of a sum are added in a tree: what waits for what counts more than how much there is.
function big0(x: v128): v128 {
  const a = xor(i32x4.shr_u(x, 2), i32x4.shl(x, 30)), b = xor(i32x4.shr_u(x, 13), i32x4.shl(x, 19))
  return xor(xor(a, b), xor(i32x4.shr_u(x, 22), i32x4.shl(x, 10)))
}
function big1(x: v128): v128 {
  const a = xor(i32x4.shr_u(x, 6), i32x4.shl(x, 26)), b = xor(i32x4.shr_u(x, 11), i32x4.shl(x, 21))
  return xor(xor(a, b), xor(i32x4.shr_u(x, 25), i32x4.shl(x, 7)))
}
function small0(x: v128): v128 {
  const a = xor(i32x4.shr_u(x, 7), i32x4.shl(x, 25)), b = xor(i32x4.shr_u(x, 18), i32x4.shl(x, 14))
  return xor(xor(a, b), i32x4.shr_u(x, 3))
}
function small1(x: v128): v128 {
  const a = xor(i32x4.shr_u(x, 17), i32x4.shl(x, 15)), b = xor(i32x4.shr_u(x, 19), i32x4.shl(x, 13))
  return xor(xor(a, b), i32x4.shr_u(x, 10))
}
function choose(e: v128, f: v128, g: v128): v128 { return xor(g, v128.and(e, xor(f, g))) }
function majority(a: v128, b: v128, c: v128): v128 { return xor(b, v128.and(xor(a, b), xor(b, c))) }
/** The word 16 after the one at `w`; `x` is the one 14 after. */
function next(w: usize, x: v128): v128 {
  return add(add(add(v128.load(w, 0), small0(v128.load(w, 16))), v128.load(w, 144)), small1(x))
}

/** The initial states. */
export function start(out: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    const word = v128.load32_splat(changetype<usize>(IV) + 4 * i)
    v128.store(out + 16 * i, word, 0)
    v128.store(out + 16 * i, word, 128)
  }
}

/** The schedule of a block of 16 words; `expanded` has room for 64. */
export function schedule(words: usize, expanded: usize, out: usize): void {
  for (let i: usize = 0; i < BLOCK; i += 16) {
    const w = v128.load(words + i)
    v128.store(expanded + i, w)
    v128.store(out + i, add(w, v128.load32_splat(K + (i >> 2))))
  }
  // The last two words stay in registers: to read them back would take longer than to compute them.
  let x = v128.load(words, 224), y = v128.load(words, 240)
  for (let i: usize = 0; i < SCHEDULE - BLOCK; i += 32) {
    const w = expanded + i, s = out + i, k = K + (i >> 2)
    x = next(w, x)
    v128.store(w, x, 256)
    v128.store(s, add(x, v128.load32_splat(k, 64)), 256)
    y = next(w + 16, y)
    v128.store(w, y, 272)
    v128.store(s, add(y, v128.load32_splat(k, 68)), 272)
  }
}

/**
 * The rounds from `from` to `to`, multiples of 8, on two states: `out = feed +` what they give. `out` may be `state` and `feed`.
 *
 * Two states, because a round of one waits for itself more than for the processor.
 *
 * @param wk0 - the schedule of the first.
 * @param wk1 - that of the second.
 */
export function rounds(state: usize, from: usize, to: usize, wk0: usize, wk1: usize, feed: usize, out: usize): void {
  let a0 = v128.load(state, 0), b0 = v128.load(state, 16), c0 = v128.load(state, 32), d0 = v128.load(state, 48)
  let e0 = v128.load(state, 64), f0 = v128.load(state, 80), g0 = v128.load(state, 96), h0 = v128.load(state, 112)
  let a1 = v128.load(state, 128), b1 = v128.load(state, 144), c1 = v128.load(state, 160), d1 = v128.load(state, 176)
  let e1 = v128.load(state, 192), f1 = v128.load(state, 208), g1 = v128.load(state, 224), h1 = v128.load(state, 240)
  let s: v128, t: v128
  for (let p = wk0 + 16 * from, q = wk1 + 16 * from, end = wk0 + 16 * to; p < end; p += 128, q += 128) {
    s = add(add(h0, v128.load(p, 0)), choose(e0, f0, g0))
    t = add(majority(a0, b0, c0), big0(a0)); s = add(s, big1(e0)); d0 = add(d0, s); h0 = add(s, t)
    s = add(add(h1, v128.load(q, 0)), choose(e1, f1, g1))
    t = add(majority(a1, b1, c1), big0(a1)); s = add(s, big1(e1)); d1 = add(d1, s); h1 = add(s, t)
    s = add(add(g0, v128.load(p, 16)), choose(d0, e0, f0))
    t = add(majority(h0, a0, b0), big0(h0)); s = add(s, big1(d0)); c0 = add(c0, s); g0 = add(s, t)
    s = add(add(g1, v128.load(q, 16)), choose(d1, e1, f1))
    t = add(majority(h1, a1, b1), big0(h1)); s = add(s, big1(d1)); c1 = add(c1, s); g1 = add(s, t)
    s = add(add(f0, v128.load(p, 32)), choose(c0, d0, e0))
    t = add(majority(g0, h0, a0), big0(g0)); s = add(s, big1(c0)); b0 = add(b0, s); f0 = add(s, t)
    s = add(add(f1, v128.load(q, 32)), choose(c1, d1, e1))
    t = add(majority(g1, h1, a1), big0(g1)); s = add(s, big1(c1)); b1 = add(b1, s); f1 = add(s, t)
    s = add(add(e0, v128.load(p, 48)), choose(b0, c0, d0))
    t = add(majority(f0, g0, h0), big0(f0)); s = add(s, big1(b0)); a0 = add(a0, s); e0 = add(s, t)
    s = add(add(e1, v128.load(q, 48)), choose(b1, c1, d1))
    t = add(majority(f1, g1, h1), big0(f1)); s = add(s, big1(b1)); a1 = add(a1, s); e1 = add(s, t)
    s = add(add(d0, v128.load(p, 64)), choose(a0, b0, c0))
    t = add(majority(e0, f0, g0), big0(e0)); s = add(s, big1(a0)); h0 = add(h0, s); d0 = add(s, t)
    s = add(add(d1, v128.load(q, 64)), choose(a1, b1, c1))
    t = add(majority(e1, f1, g1), big0(e1)); s = add(s, big1(a1)); h1 = add(h1, s); d1 = add(s, t)
    s = add(add(c0, v128.load(p, 80)), choose(h0, a0, b0))
    t = add(majority(d0, e0, f0), big0(d0)); s = add(s, big1(h0)); g0 = add(g0, s); c0 = add(s, t)
    s = add(add(c1, v128.load(q, 80)), choose(h1, a1, b1))
    t = add(majority(d1, e1, f1), big0(d1)); s = add(s, big1(h1)); g1 = add(g1, s); c1 = add(s, t)
    s = add(add(b0, v128.load(p, 96)), choose(g0, h0, a0))
    t = add(majority(c0, d0, e0), big0(c0)); s = add(s, big1(g0)); f0 = add(f0, s); b0 = add(s, t)
    s = add(add(b1, v128.load(q, 96)), choose(g1, h1, a1))
    t = add(majority(c1, d1, e1), big0(c1)); s = add(s, big1(g1)); f1 = add(f1, s); b1 = add(s, t)
    s = add(add(a0, v128.load(p, 112)), choose(f0, g0, h0))
    t = add(majority(b0, c0, d0), big0(b0)); s = add(s, big1(f0)); e0 = add(e0, s); a0 = add(s, t)
    s = add(add(a1, v128.load(q, 112)), choose(f1, g1, h1))
    t = add(majority(b1, c1, d1), big0(b1)); s = add(s, big1(f1)); e1 = add(e1, s); a1 = add(s, t)
  }
  v128.store(out, add(a0, v128.load(feed, 0)), 0)
  v128.store(out, add(b0, v128.load(feed, 16)), 16)
  v128.store(out, add(c0, v128.load(feed, 32)), 32)
  v128.store(out, add(d0, v128.load(feed, 48)), 48)
  v128.store(out, add(e0, v128.load(feed, 64)), 64)
  v128.store(out, add(f0, v128.load(feed, 80)), 80)
  v128.store(out, add(g0, v128.load(feed, 96)), 96)
  v128.store(out, add(h0, v128.load(feed, 112)), 112)
  v128.store(out, add(a1, v128.load(feed, 128)), 128)
  v128.store(out, add(b1, v128.load(feed, 144)), 144)
  v128.store(out, add(c1, v128.load(feed, 160)), 160)
  v128.store(out, add(d1, v128.load(feed, 176)), 176)
  v128.store(out, add(e1, v128.load(feed, 192)), 192)
  v128.store(out, add(f1, v128.load(feed, 208)), 208)
  v128.store(out, add(g1, v128.load(feed, 224)), 224)
  v128.store(out, add(h1, v128.load(feed, 240)), 240)
}
