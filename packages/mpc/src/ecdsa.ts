import { concat } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Point, q, reduce, type Scalar, scalarToBytes, subScalars, toBigint } from './arithmetic.ts'

export interface EcdsaSignature {
  /** r || s, 64 bytes, s at most (q - 1) / 2. */
  readonly signature: Uint8Array
  /** 0..3; bit 1 is set when the nonce point's x was at least q. */
  readonly recovery: number
}

/** `e`: the digest as a scalar. */
export const digestScalar = (digest: Uint8Array): Scalar => reduce(toBigint(digest))

/** `r` of a nonce point other than O. */
export const nonceScalar = (nonce: Point): Scalar => reduce(nonce.toAffine().x)

/** Low-s form of (r, s) with its recovery id. */
export function assemble(nonce: Point, s: Scalar): EcdsaSignature {
  const { x, y } = nonce.toAffine()
  const high = s > q / 2n
  const parity = Number(y & 1n) ^ Number(high)
  return { signature: concat(scalarToBytes(reduce(x)), scalarToBytes(high ? subScalars(0n, s) : s)), recovery: parity | (x >= q ? 2 : 0) }
}

/** Standard verification, low-s required. Malformed input is `false`, never a throw. */
export function verifies(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    return secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true })
  } catch {
    // The library throws on a wrong length or a point off the curve, which is the same as a wrong signature.
    return false
  }
}
