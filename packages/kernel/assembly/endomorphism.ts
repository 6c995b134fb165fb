import { mul } from './product'

// k = k1 + k2 lambda mod q with |k1|, |k2| < 2^128, where lambda (X : Y : Z) = (beta X : Y : Z) (Gallant, Lambert, Vanstone). AssemblyScript.
//
// (a1, b1) and (a2, a1) are the short vectors of the lattice of all (x, y) with x + y lambda = 0 mod q, from Euclid's algorithm on q and
// lambda; c1, c2 = round(a1 k / q), round(-b1 k / q), by a multiplication with G1, G2 = round(2^384 a1 / q), round(-2^384 b1 / q). The
// rest of k then is at most half a vector each way: |k1| <= (a1 + a2) / 2 + 1 < 0.64 x 2^128, |k2| <= (a1 - b1) / 2 + 1 < 0.55 x 2^128.

/** Words, least significant first. */
const G1 = memory.data<u32>([0x45dbb031, 0xe893209a, 0x71e8ca7f, 0x3daa8a14, 0x9284eb15, 0xe86c90e4, 0xa7d46bcd, 0x3086d221])
const G2 = memory.data<u32>([0x8ac47f71, 0x1571b4ae, 0x9df506c6, 0x221208ac, 0x0abfe4c4, 0x6f547fa9, 0x010e8828, 0xe4437ed6])
const A1 = memory.data<u32>([0x9284eb15, 0xe86c90e4, 0xa7d46bcd, 0x3086d221, 0])
const MINUS_B1 = memory.data<u32>([0x0abfe4c3, 0x6f547fa9, 0x010e8828, 0xe4437ed6, 0])
const A2 = memory.data<u32>([0x9d44cfd8, 0x57c1108d, 0xa8e2f3f6, 0x14ca50f7, 1])
/** Limbs of beta, of magnitude 2. */
const BETA = memory.data<i32>([0x119501ee, 0x9cb6143, 0x1d626570, 0x92ea25, 0x34e99cf, 0x3cf561a, 0x1c41b991, 0x56caf80, 0x7ae96a])

/** Twice a half: its bytes, least significant first, 24 of them. */
export const HALF_BYTES: usize = 24
const LOW_WORDS: usize = 5
const LOW_BYTES: usize = 4 * LOW_WORDS

const SCRATCH = memory.data(256, 16)
const K = SCRATCH
const PRODUCT = SCRATCH + 32
const C1 = SCRATCH + 96
const C2 = SCRATCH + 112
const K1 = SCRATCH + 128
const K2 = SCRATCH + 152
const TERM = SCRATCH + 176
/** What `split` leaves: 2 |k1|, 2 |k2|. */
export const HALVES = SCRATCH + 200
/** And -1 for each half that is negative, else 0. */
export const SIGNS = SCRATCH + 248

export function wipeHalves(): void {
  memory.fill(SCRATCH, 0, 256)
}

/** r = lambda p for the X of a point. */
export function timesBeta(r: usize, x: usize): void {
  mul(r, x, BETA)
}

/** r = a b without the words from `words` on. */
function multiplyWords(r: usize, words: usize, a: usize, aWords: usize, b: usize, bWords: usize): void {
  memory.fill(r, 0, 4 * words)
  for (let i: usize = 0; i < aWords; i++) {
    let c: u64 = 0
    const end = min(bWords, words - i)
    for (let j: usize = 0; j < end; j++) {
      const at = r + 4 * (i + j)
      c += <u64>load<u32>(a + 4 * i) * load<u32>(b + 4 * j) + load<u32>(at)
      store<u32>(at, <u32>c)
      c >>= 32
    }
    if (i + bWords < words) store<u32>(r + 4 * (i + bWords), <u32>c)
  }
}

/** r -= a, LOW_WORDS words. */
function subtractWords(r: usize, a: usize): void {
  let c: i64 = 0
  for (let o: usize = 0; o < LOW_BYTES; o += 4) {
    c += <i64>load<u32>(r + o) - <i64>load<u32>(a + o)
    store<u32>(r + o, <u32>c)
    c >>= 32
  }
}

/** r = round(k g / 2^384), four words. */
function quotient(r: usize, g: usize): void {
  multiplyWords(PRODUCT, 16, K, 8, g, 8)
  let c: u64 = load<u32>(PRODUCT, 44) >>> 31
  for (let o: usize = 0; o < 16; o += 4) {
    c += load<u32>(PRODUCT + o, 48)
    store<u32>(r + o, <u32>c)
    c >>= 32
  }
}

/** Twice the absolute value of LOW_WORDS words, two's complement. @returns -1 if it was negative, else 0. */
function twiceAbsolute(r: usize, a: usize): i32 {
  const sign = load<i32>(a, 16) >> 31
  let c: u64 = sign & 1
  let below: u32 = 0
  for (let o: usize = 0; o < LOW_BYTES; o += 4) {
    c += load<u32>(a + o) ^ <u32>sign
    const word = <u32>c
    store<u32>(r + o, (word << 1) | (below >>> 31))
    below = word
    c >>= 32
  }
  return sign
}

/** Splits 32 bytes, big-endian, below q, into HALVES and SIGNS. */
export function split(k: usize): void {
  for (let o: usize = 0; o < 32; o += 4) store<u32>(K + o, bswap(load<u32>(k + 28 - o)))
  quotient(C1, G1)
  quotient(C2, G2)
  memory.copy(K1, K, LOW_BYTES)
  multiplyWords(TERM, LOW_WORDS, C1, 4, A1, LOW_WORDS)
  subtractWords(K1, TERM)
  multiplyWords(TERM, LOW_WORDS, C2, 4, A2, LOW_WORDS)
  subtractWords(K1, TERM)
  multiplyWords(K2, LOW_WORDS, C1, 4, MINUS_B1, LOW_WORDS)
  multiplyWords(TERM, LOW_WORDS, C2, 4, A1, LOW_WORDS)
  subtractWords(K2, TERM)
  store<i32>(SIGNS, twiceAbsolute(HALVES, K1))
  store<i32>(SIGNS, twiceAbsolute(HALVES + HALF_BYTES, K2), 4)
}
