/** Stands in for packages/mpc/src/ecdsa.ts in simulations: the same equations over the model group. */
import { concat } from '@conclave/core'
import {
  invertScalar,
  mulBase,
  mulPublic,
  mulScalars,
  O,
  type Point,
  pointFromBytes,
  q,
  reduce,
  type Scalar,
  scalarFromBytes,
  scalarToBytes,
  subScalars,
  toBigint,
} from './arithmetic.ts'

export interface EcdsaSignature {
  readonly signature: Uint8Array
  readonly recovery: number
}

export const digestScalar = (digest: Uint8Array): Scalar => reduce(toBigint(digest))
export const nonceScalar = (nonce: Point): Scalar => reduce(nonce.toAffine().x)

export function assemble(nonce: Point, s: Scalar): EcdsaSignature {
  const { x, y } = nonce.toAffine()
  const high = s > q / 2n
  const signature = concat(scalarToBytes(reduce(x)), scalarToBytes(high ? subScalars(0n, s) : s))
  return { signature, recovery: Number(y) ^ Number(high) }
}

/** Low-s required. Malformed input is `false`. */
export function verifies(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const key = pointFromBytes(publicKey)
  const r = scalarFromBytes(signature.subarray(0, 32))
  const s = scalarFromBytes(signature.subarray(32))
  if (key === undefined || r === undefined || s === undefined || r === 0n || s === 0n || s > q / 2n) return false
  const inverse = invertScalar(s)
  const nonce = mulBase(mulScalars(digestScalar(digest), inverse)).add(mulPublic(key, mulScalars(r, inverse)))
  return !nonce.equals(O) && nonceScalar(nonce) === r
}
