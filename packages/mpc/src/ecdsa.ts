import { concat } from '@conclave/core'
import {
  areCanonical,
  equalScalars,
  invertScalar,
  isZero,
  mulScalars,
  negate,
  ONE,
  reduce,
  type Scalar,
  scalarFromBytes,
  ZERO,
} from './arithmetic.ts'
import { SCALAR_BYTES } from './constants.ts'
import { combinePublic, isIdentity, type Point, pointFromBytes, pointToBytes } from './points.ts'

export interface EcdsaSignature {
  /** r || s, 64 bytes, s at most (q - 1) / 2. */
  readonly signature: Uint8Array
  /** 0..3; bit 1 is set when the nonce point's x was at least q. */
  readonly recovery: number
}

const DIGEST_BYTES = 32

/** `e`: the digest as a scalar. */
export const digestScalar = (digest: Uint8Array): Scalar => reduce(digest)

/** Nonce points, which are asked for several times, as bytes. */
const encodings = new WeakMap<Point, Uint8Array>()

/** x of a point other than O, and whether its y is odd. */
function coordinates(p: Point): { readonly x: Uint8Array; readonly isOdd: boolean } {
  const bytes = encodings.get(p) ?? pointToBytes(p)
  encodings.set(p, bytes)
  return { x: bytes.subarray(1), isOdd: bytes[0] === 3 }
}

/** `r` of a nonce point other than O. */
export const nonceScalar = (nonce: Point): Scalar => reduce(coordinates(nonce).x)

/** Whether s is above (q - 1) / 2, that is, above its negative. Variable time: s is part of a signature. */
const isHigh = (s: Scalar): boolean => {
  const opposite = negate(s)
  const first = s.findIndex((b, i) => b !== opposite[i])
  return (s[first] ?? 0) > (opposite[first] ?? 0)
}

/** Low-s form of (r, s) with its recovery id. */
export function assemble(nonce: Point, s: Scalar): EcdsaSignature {
  const { x, isOdd } = coordinates(nonce)
  const high = isHigh(s)
  const recovery = Number(isOdd !== high) | (areCanonical(x) ? 0 : 2)
  return { signature: concat(reduce(x), high ? negate(s) : s), recovery }
}

/** `1 / s`: the hint or its negative when that is it. */
function inverseOf(s: Scalar, hint: Scalar | undefined): Scalar {
  const product = hint === undefined ? ZERO : mulScalars(s, hint)
  if (hint !== undefined && equalScalars(product, ONE)) return hint
  if (hint !== undefined && equalScalars(negate(product), ONE)) return negate(hint)
  return invertScalar(s)
}

/** Standard verification, low-s required. Malformed input is `false`, never a throw. */
export function verifies(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const key = pointFromBytes(publicKey)
  return key !== undefined && verifiesUnder(key, digest, signature)
}

/**
 * The same for a key that is a point already.
 *
 * @param hint - perhaps 1 / s or -1 / s, which is tried before s is inverted: the answer does not depend on it.
 */
export function verifiesUnder(key: Point, digest: Uint8Array, signature: Uint8Array, hint?: Scalar): boolean {
  const r = scalarFromBytes(signature.subarray(0, SCALAR_BYTES))
  const s = scalarFromBytes(signature.subarray(SCALAR_BYTES))
  if (r === undefined || s === undefined || digest.length !== DIGEST_BYTES) return false
  if (isZero(r) || isZero(s) || isHigh(s)) return false
  const inverse = inverseOf(s, hint)
  const nonce = combinePublic(mulScalars(digestScalar(digest), inverse), key, mulScalars(r, inverse))
  return !isIdentity(nonce) && equalScalars(nonceScalar(nonce), r)
}
