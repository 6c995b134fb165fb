import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Point, PointKernel, PointTable, Scalar } from '../kernel.ts'
import { toBigint } from './scalars.ts'

type Noble = InstanceType<typeof secp256k1.Point>

const { BASE, ZERO } = secp256k1.Point
const POINT_BYTES = 33
const open = (p: Point | PointTable): Noble => p as unknown as Noble
const close = (p: Noble): Point => p as unknown as Point

const times = (p: Noble, k: Scalar): Noble => {
  const n = toBigint(k)
  return n === 0n || p.is0() ? ZERO : p.multiply(n)
}

/** Points by @noble/curves. */
export const points: PointKernel = {
  G: close(BASE),
  O: close(ZERO),
  mulBase: (k) => close(times(BASE, k)),
  mul: (p, k) => close(times(open(p), k)),
  tableOf: (p) => open(p).precompute(8, false) as unknown as PointTable,
  mulTable: (table, k) => close(times(open(table), k)),
  mulPublic: (p, k) => close(open(p).multiplyUnsafe(toBigint(k))),
  combinePublic: (a, p, b) => close(BASE.multiplyUnsafe(toBigint(a)).add(open(p).multiplyUnsafe(toBigint(b)))),
  addPoints: (a, b) => close(open(a).add(open(b))),
  subPoints: (a, b) => close(open(a).subtract(open(b))),
  equalPoints: (a, b) => open(a).equals(open(b)),
  isIdentity: (p) => open(p).is0(),
  pointToBytes: (p) => encode(open(p)),
  pointsToBytes: (list) => normalizeZ(secp256k1.Point, list.map(open)).map(encode),
  pointFromBytes(bytes) {
    if (bytes.length !== POINT_BYTES) return undefined
    try {
      const p = secp256k1.Point.fromBytes(bytes)
      p.assertValidity()
      return close(p)
    } catch {
      // The library throws on every malformed encoding; the caller names the party.
      return undefined
    }
  },
}

function encode(p: Noble): Uint8Array {
  if (p.is0()) throw new RangeError('the identity has no encoding')
  return p.toBytes(true)
}
