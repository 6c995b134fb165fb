/**
 * The primitives of docs/spec/protocol.md sections 0 and 3 a second time, as plainly as they can be written: bit arrays, BigInt and
 * affine points. Shares no code with the product on purpose; slow and not constant time.
 */
import { createHmac, hash } from 'node:crypto'

/** Bits as 0 and 1. */
export type Bits = readonly number[]

const p = 2n ** 256n - 2n ** 32n - 977n
export const q = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
export const KAPPA = 128
export const M = 768
export const N = 896

/** The value of a big-endian string. */
export const bigEndian = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)

/** `length` bytes, big-endian. */
export const bytesOf = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'))

export const u32 = (value: number): Uint8Array => bytesOf(BigInt(value), 4)
export const text = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'utf8'))
export const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
export const same = (a: Uint8Array, b: Uint8Array): boolean => a.join() === b.join()

/** `T(label, parts...)`. */
export function T(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const input = Buffer.concat([text(`conclave/v1/${label}`), ...parts.flatMap((part) => [bytesOf(BigInt(part.length), 8), part])])
  return Uint8Array.from(hash('sha256', input, 'buffer'))
}

/** `T` in counter mode: the block number is one more part. */
export function stretch(label: string, length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, b) => T(label, ...parts, u32(b)))
  return join(blocks).slice(0, length)
}

/** `Hs(label, parts...)`. */
export const Hs = (label: string, ...parts: readonly Uint8Array[]): bigint => bigEndian(stretch(label, 48, ...parts)) % q

export const hmac512 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  Uint8Array.from(createHmac('sha512', key).update(message).digest())

/** Bit i is bit (i mod 8), least significant first, of byte i / 8. */
export const bitsOf = (bytes: Uint8Array): Bits => [...bytes].flatMap((b) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (b >> i) & 1))

export const packBits = (bits: Bits): Uint8Array =>
  Uint8Array.from({ length: bits.length / 8 }, (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((sum, b, k) => sum + b * 2 ** k, 0))

export const xorBits = (...strings: readonly Bits[]): Bits => strings[0]!.map((_, i) => strings.reduce((sum, s) => sum ^ s[i]!, 0))

/** `bit * string`. */
export const timesBit = (bit: number, string: Bits): Bits => string.map((b) => b * bit)

export const transposed = (columns: readonly Bits[]): readonly Bits[] => columns[0]!.map((_, j) => columns.map((column) => column[j]!))

/** Bit i of the string is the coefficient of x^i. */
export const toPolynomial = (bits: Bits): bigint => bits.reduceRight((sum, b) => 2n * sum + BigInt(b), 0n)
export const fromPolynomial = (a: bigint): Bits => Array.from({ length: 128 }, (_, i) => Number((a >> BigInt(i)) & 1n))

/** GF(2^128) modulo x^128 + x^7 + x^2 + x + 1: schoolbook product, then long division. */
export function timesPolynomial(a: bigint, b: bigint): bigint {
  let product = 0n
  for (let i = 0n; i < 128n; i++) if ((b >> i) & 1n) product ^= a << i
  for (let i = 255n; i >= 128n; i--) if ((product >> i) & 1n) product ^= (2n ** 128n + 0x87n) << (i - 128n)
  return product
}

export const mod = (a: bigint, modulus: bigint = q): bigint => ((a % modulus) + modulus) % modulus

/** 1 / a, by the extended Euclidean algorithm. */
export function inverse(a: bigint, modulus: bigint = q): bigint {
  let [r0, r1, s0, s1] = [modulus, mod(a, modulus), 0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1]
  }
  return mod(s0, modulus)
}

function power(base: bigint, exponent: bigint): bigint {
  let out = 1n
  for (const bit of exponent.toString(2)) out = mod(out * out * (bit === '1' ? base : 1n), p)
  return out
}

/** Affine; undefined is the identity. */
export type Point = { readonly x: bigint; readonly y: bigint } | undefined

export const G: Point = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
}

export function add(a: Point, b: Point): Point {
  if (a === undefined) return b
  if (b === undefined) return a
  if (a.x === b.x && mod(a.y + b.y, p) === 0n) return undefined
  const slope = a.x === b.x ? 3n * a.x * a.x * inverse(2n * a.y, p) : (b.y - a.y) * inverse(b.x - a.x, p)
  const x = mod(slope * slope - a.x - b.x, p)
  return { x, y: mod(slope * (a.x - x) - a.y, p) }
}

/** Double and add. */
export function times(a: Point, scalar: bigint): Point {
  let out: Point
  for (const bit of mod(scalar).toString(2)) {
    out = add(out, out)
    if (bit === '1') out = add(out, a)
  }
  return out
}

export const pointsEqual = (a: Point, b: Point): boolean => a?.x === b?.x && a?.y === b?.y

/** 33 bytes: 2 for an even y or 3 for an odd one, then x. */
export const compressed = (a: Point): Uint8Array => join([Uint8Array.of(Number(2n + (a!.y & 1n))), bytesOf(a!.x, 32)])

/** Undefined unless 33 bytes encode a point of the curve. */
export function decompressed(bytes: Uint8Array): Point {
  const x = bigEndian(bytes.slice(1))
  const square = mod(x * x * x + 7n, p)
  const root = power(square, (p + 1n) / 4n)
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3) || x >= p || mod(root * root, p) !== square) return undefined
  return { x, y: Number(root & 1n) === bytes[0] - 2 ? root : p - root }
}
