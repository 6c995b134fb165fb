/**
 * secp256k1 and its scalar field: the one door to curve arithmetic, so that a faster kernel can stand behind it.
 *
 * Today: @noble/curves over BigInt, which is not constant time (SECURITY.md lists what that means).
 */

import { type Random, TaggedState, taggedExpand } from '@conclave/core'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { POINT_BYTES, SCALAR_BYTES } from './constants.ts'

export type Point = InstanceType<typeof secp256k1.Point>
/** In [0, q). */
export type Scalar = bigint

const Fn = secp256k1.Point.Fn
export const q: bigint = Fn.ORDER
export const G: Point = secp256k1.Point.BASE
export const O: Point = secp256k1.Point.ZERO

export const ZERO: Scalar = 0n
export const addScalars = (a: Scalar, b: Scalar): Scalar => Fn.add(a, b)
export const subScalars = (a: Scalar, b: Scalar): Scalar => Fn.sub(a, b)
export const mulScalars = (a: Scalar, b: Scalar): Scalar => Fn.mul(a, b)
/** @throws when `a` is 0. */
export const invertScalar = (a: Scalar): Scalar => Fn.inv(a)
export const sumScalars = (terms: Iterable<Scalar>): Scalar => {
  let sum = 0n
  for (const t of terms) sum += t
  return Fn.create(sum)
}
/** Reduces any integer into [0, q). */
export const reduce = (a: bigint): Scalar => Fn.create(a)

/** Big-endian, of any length. */
export function toBigint(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const head = bytes.length % 8
  let value = 0n
  for (let i = 0; i < head; i++) value = (value << 8n) | BigInt(view.getUint8(i))
  // No string in between: it could neither be wiped nor be made in constant time.
  for (let i = head; i < bytes.length; i += 8) value = (value << 64n) | view.getBigUint64(i)
  return value
}

/** 32 bytes, big-endian. */
export const scalarToBytes = (a: Scalar): Uint8Array => Fn.toBytes(a)

/** A canonical scalar in [0, q), or undefined: never reduced silently. */
export function scalarFromBytes(bytes: Uint8Array): Scalar | undefined {
  if (bytes.length !== SCALAR_BYTES) return undefined
  const a = toBigint(bytes)
  return a < q ? a : undefined
}

/** Uniform in [1, q), from 48 random bytes (bias below 2^-127). */
export function randomScalar(random: Random): Scalar {
  const bytes = random.bytes(48)
  const a = (toBigint(bytes) % (q - 1n)) + 1n
  bytes.fill(0)
  return a
}

/** The specification's `Hs`: 48 bytes of `T` in counter mode, reduced mod q. */
export function hashToScalar(label: string, ...parts: readonly Uint8Array[]): Scalar {
  return toBigint(taggedExpand(label, 48, ...parts)) % q
}

/** `Hs` with a common prefix absorbed once. */
export function scalarHasher(label: string, ...prefix: readonly Uint8Array[]): (...parts: readonly Uint8Array[]) => Scalar {
  const state = new TaggedState(label, prefix)
  return (...parts) => toBigint(state.expand(48, ...parts)) % q
}

/** a * G for a secret or public a, 0 included. */
export const mulBase = (a: Scalar): Point => (a === 0n ? O : G.multiply(a))
/** a * P for a secret a, 0 included. */
export const mul = (p: Point, a: Scalar): Point => (a === 0n || p.is0() ? O : p.multiply(a))
/** a * P for a public a. Variable time. */
export const mulPublic = (p: Point, a: Scalar): Point => p.multiplyUnsafe(a)
/** The same point, with tables for many multiplications. */
export const withTables = (p: Point): Point => p.precompute(8, false)

export const subPoints = (a: Point, b: Point): Point => a.subtract(b)

export const sumPoints = (points: Iterable<Point>): Point => {
  let sum = O
  for (const p of points) sum = sum.add(p)
  return sum
}

/** 33 bytes, compressed. @throws on O, which has no encoding. */
export const pointToBytes = (p: Point): Uint8Array => p.toBytes(true)

/** 33 bytes each, with one shared inversion. @throws on O. */
export const pointsToBytes = (points: readonly Point[]): Uint8Array[] =>
  normalizeZ(secp256k1.Point, [...points]).map((p) => p.toBytes(true))

/** A compressed point on the curve and not O, or undefined. */
export function pointFromBytes(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== POINT_BYTES) return undefined
  try {
    const p = secp256k1.Point.fromBytes(bytes)
    p.assertValidity()
    return p
  } catch {
    // The library throws on every malformed encoding; the caller names the party.
    return undefined
  }
}
