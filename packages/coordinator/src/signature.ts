import { equalBytes } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'

/** Whether these are 33 bytes of a point on the curve. */
export function isPoint(publicKey: Uint8Array): boolean {
  return secp256k1.utils.isValidPublicKey(publicKey, true)
}

export interface SignatureClaim {
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly digest: Uint8Array
  /** r || s, 64 bytes. */
  readonly signature: Uint8Array
  readonly recovery: number
}

/** Whether it is a low-s signature of the digest under the key, and the key is what `recovery` recovers. Never throws. */
export function isValidSignature({ publicKey, digest, signature, recovery }: SignatureClaim): boolean {
  try {
    if (!secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: 'compact' })) return false
    const parsed = secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery)
    return equalBytes(parsed.recoverPublicKey(digest).toBytes(true), publicKey)
  } catch {
    // Malformed is the same as wrong.
    return false
  }
}
