/**
 * The one door to the curve, for everything in this package.
 *
 * Points are the kernel's and opaque. Constant time in every scalar and point unless the name says Public; who multiplies by a secret
 * takes `mulBase`, `mul` or `mulTable`.
 */
import { kernel, type Point } from '@conclave/kernel'

export type { Point, PointTable } from '@conclave/kernel'

export const {
  G,
  O,
  mulBase,
  mul,
  tableOf,
  mulTable,
  mulPublic,
  combinePublic,
  addPoints,
  subPoints,
  equalPoints,
  isIdentity,
  pointToBytes,
  pointsToBytes,
  pointFromBytes,
} = kernel

export function sumPoints(points: Iterable<Point>): Point {
  let sum = O
  for (const p of points) sum = addPoints(sum, p)
  return sum
}

/** n P for a small public n, by doubling and adding. */
export function timesSmall(p: Point, n: number): Point {
  let sum = O
  for (let bit = 1 << (31 - Math.clz32(n)); bit > 0; bit >>>= 1) {
    sum = addPoints(sum, sum)
    if ((n & bit) !== 0) sum = addPoints(sum, p)
  }
  return sum
}
