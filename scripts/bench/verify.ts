import { ConclaveError } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'

/** Holds every measured signature to a library that had no part in making it. @throws {ConclaveError} BENCH_BAD_SIGNATURE. */
export function mustVerify(subject: string, publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): void {
  if (!secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: false }))
    throw new ConclaveError('BENCH_BAD_SIGNATURE', `a signature of ${subject} does not verify`)
}
