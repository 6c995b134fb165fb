/**
 * Stands in for packages/mpc/src/points.ts in simulations: the same group order, the same laws, the same encodings' lengths, and no
 * security at all. A point is its own discrete logarithm, so an operation costs as much as one on scalars.
 *
 * No simulated adversary computes a logarithm; what a simulation looks for lies in the order of messages, writes and crashes.
 */
import { equalBytes } from '@conclave/core'
import { kernel, type Point, type PointTable, type Scalar } from '@conclave/kernel'

export type { Point, PointTable } from '@conclave/kernel'

const SCALAR_BYTES = 32
const POINT_BYTES = 33
const EVEN = 2
const ODD = 3
const ZERO: Scalar = new Uint8Array(SCALAR_BYTES)

/** `k` times the generator. */
const pointOf = (k: Scalar): Point => k as unknown as Point
const logarithm = (p: Point): Scalar => p as unknown as Scalar

export const G: Point = pointOf(Uint8Array.from(ZERO).fill(1, SCALAR_BYTES - 1))
export const O: Point = pointOf(ZERO)

export const mulBase = (k: Scalar): Point => pointOf(Uint8Array.from(k))
export const mul = (p: Point, k: Scalar): Point => pointOf(kernel.mulScalars(logarithm(p), k))
export const mulPublic = mul
export const tableOf = (p: Point): PointTable => p as unknown as PointTable
export const mulTable = (table: PointTable, k: Scalar): Point => mul(table as unknown as Point, k)
export const addPoints = (a: Point, b: Point): Point => pointOf(kernel.addScalars(logarithm(a), logarithm(b)))
export const subPoints = (a: Point, b: Point): Point => pointOf(kernel.subScalars(logarithm(a), logarithm(b)))
export const combinePublic = (a: Scalar, p: Point, b: Scalar): Point => addPoints(mulBase(a), mul(p, b))
export const equalPoints = (a: Point, b: Point): boolean => equalBytes(logarithm(a), logarithm(b))
export const isIdentity = (p: Point): boolean => equalPoints(p, O)
export const sumPoints = (points: Iterable<Point>): Point => [...points].reduce(addPoints, O)
export const timesSmall = (p: Point, n: number): Point => mul(p, Uint8Array.from(ZERO).fill(n, SCALAR_BYTES - 1))

/** Whether `a` is above q / 2, that is, above its negative. */
const isHigh = (a: Scalar): boolean => Buffer.compare(a, kernel.subScalars(ZERO, a)) > 0

/** As on a curve, a point and its opposite share x and differ in the parity of y. @throws on O, which has no encoding. */
export function pointToBytes(p: Point): Uint8Array {
  if (isIdentity(p)) throw new RangeError('the identity has no encoding')
  const k = logarithm(p)
  const isOdd = isHigh(k)
  const out = new Uint8Array(POINT_BYTES)
  out[0] = isOdd ? ODD : EVEN
  out.set(isOdd ? kernel.subScalars(ZERO, k) : k, 1)
  return out
}

export const pointsToBytes = (points: readonly Point[]): Uint8Array[] => points.map(pointToBytes)

export function pointFromBytes(bytes: Uint8Array): Point | undefined {
  const isOdd = bytes[0] === ODD
  const x = Uint8Array.from(bytes.subarray(1))
  if (bytes.length !== POINT_BYTES || !(isOdd || bytes[0] === EVEN) || !kernel.areCanonical(x)) return undefined
  if (equalBytes(x, ZERO) || isHigh(x)) return undefined
  return pointOf(isOdd ? kernel.subScalars(ZERO, x) : x)
}
