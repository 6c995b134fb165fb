import { createPublicKey, verify } from 'node:crypto'
import { concat, fromHex } from './bytes.ts'
import { ConfigError } from './errors.ts'

export const ML_DSA_65_KEY_BYTES = 1952
export const ML_DSA_65_SIGNATURE_BYTES = 3309
/** What stands before the key in its SubjectPublicKeyInfo (RFC 9881). */
const SPKI = fromHex('308207b2300b0609608648016503040312038207a100')

/**
 * Whoever checks the signatures of one ML-DSA-65 key (FIPS 204), without context string. Malformed signatures are `false`.
 *
 * @throws {ConfigError} BAD_IDENTITY unless the key has 1952 bytes.
 */
export function mlDsa65Verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean {
  if (publicKey.length !== ML_DSA_65_KEY_BYTES)
    throw new ConfigError('BAD_IDENTITY', `an ML-DSA-65 key has ${ML_DSA_65_KEY_BYTES} bytes`, { length: publicKey.length })
  const key = createPublicKey({ key: Buffer.from(concat(SPKI, publicKey)), format: 'der', type: 'spki' })
  return (message, signature) => signature.length === ML_DSA_65_SIGNATURE_BYTES && verify(null, message, key, signature)
}
