/**
 * Stands in for packages/mpc/src/arithmetic.ts in simulations: the same group order, the same laws, the same encodings' lengths,
 * and no security at all. A point is its own discrete logarithm, so an operation costs a microsecond.
 *
 * No simulated adversary computes a logarithm; what a simulation looks for lies in the order of messages, writes and crashes.
 */
import { type Random, TaggedState, taggedExpand } from '@conclave/core'

const SCALAR_BYTES = 32
const POINT_BYTES = 33
const EVEN = 2
const ODD = 3

/** In [0, q). */
export type Scalar = bigint

/** The order of secp256k1. */
export const q: bigint = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const mod = (a: bigint): bigint => {
  const r = a % q
  return r < 0n ? r + q : r
}

/** `k` times the generator. As on a curve, a point and its opposite share `x` and differ in the parity of `y`. */
export class Point {
  readonly k: bigint

  constructor(k: bigint) {
    this.k = k
  }

  add(other: Point): Point {
    return new Point(mod(this.k + other.k))
  }

  equals(other: Point): boolean {
    return this.k === other.k
  }

  toAffine(): { readonly x: bigint; readonly y: bigint } {
    const isOdd = 2n * this.k > q
    return { x: isOdd ? q - this.k : this.k, y: isOdd ? 1n : 0n }
  }
}

export const G = new Point(1n)
export const O = new Point(0n)

export const addScalars = (a: Scalar, b: Scalar): Scalar => mod(a + b)
export const subScalars = (a: Scalar, b: Scalar): Scalar => mod(a - b)
export const mulScalars = (a: Scalar, b: Scalar): Scalar => mod(a * b)

/** @throws when `a` is 0. */
export function invertScalar(a: Scalar): Scalar {
  if (mod(a) === 0n) throw new RangeError('0 has no inverse')
  let [low, high] = [mod(a), q]
  let [x, y] = [1n, 0n]
  while (low > 1n) {
    const ratio = high / low
    ;[low, high] = [high - ratio * low, low]
    ;[x, y] = [y - ratio * x, x]
  }
  return mod(x)
}

export const sumScalars = (terms: Iterable<Scalar>): Scalar => {
  let sum = 0n
  for (const t of terms) sum += t
  return mod(sum)
}
export const reduce = mod

export function toBigint(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const head = bytes.length % 8
  let value = 0n
  for (let i = 0; i < head; i++) value = (value << 8n) | BigInt(view.getUint8(i))
  for (let i = head; i < bytes.length; i += 8) value = (value << 64n) | view.getBigUint64(i)
  return value
}

export function scalarToBytes(a: Scalar): Uint8Array {
  const out = new Uint8Array(SCALAR_BYTES)
  const view = new DataView(out.buffer)
  for (let at = 24, rest = a; at >= 0; at -= 8, rest >>= 64n) view.setBigUint64(at, rest)
  return out
}

export function scalarFromBytes(bytes: Uint8Array): Scalar | undefined {
  if (bytes.length !== SCALAR_BYTES) return undefined
  const a = toBigint(bytes)
  return a < q ? a : undefined
}

export const randomScalar = (random: Random): Scalar => (toBigint(random.bytes(48)) % (q - 1n)) + 1n

export const hashToScalar = (label: string, ...parts: readonly Uint8Array[]): Scalar => toBigint(taggedExpand(label, 48, ...parts)) % q

export function scalarHasher(label: string, ...prefix: readonly Uint8Array[]): (...parts: readonly Uint8Array[]) => Scalar {
  const state = new TaggedState(label, prefix)
  return (...parts) => toBigint(state.expand(48, ...parts)) % q
}

export const mulBase = (a: Scalar): Point => new Point(mod(a))
export const mul = (p: Point, a: Scalar): Point => new Point(mod(p.k * a))
export const mulPublic = mul
export const withTables = (p: Point): Point => p
export const subPoints = (a: Point, b: Point): Point => new Point(mod(a.k - b.k))
export const sumPoints = (points: Iterable<Point>): Point => new Point(sumScalars([...points].map((p) => p.k)))

/** @throws on O, which has no encoding. */
export function pointToBytes(p: Point): Uint8Array {
  if (p.k === 0n) throw new RangeError('the identity has no encoding')
  const { x, y } = p.toAffine()
  const out = new Uint8Array(POINT_BYTES)
  out[0] = y === 1n ? ODD : EVEN
  out.set(scalarToBytes(x), 1)
  return out
}

export const pointsToBytes = (points: readonly Point[]): Uint8Array[] => points.map(pointToBytes)

export function pointFromBytes(bytes: Uint8Array): Point | undefined {
  const x = bytes.length === POINT_BYTES ? scalarFromBytes(bytes.subarray(1)) : undefined
  if (x === undefined || x === 0n || 2n * x > q) return undefined
  if (bytes[0] === EVEN) return new Point(x)
  return bytes[0] === ODD ? new Point(q - x) : undefined
}
