import { secp256k1 } from '@noble/curves/secp256k1.js'
import { isEd25519Key, verifyEd25519 } from './ed25519.ts'
import { ConfigError } from './errors.ts'

/** Public half of a node's identity: Ed25519 (32 bytes) or compressed secp256k1 (33 bytes). */
export interface IdentityKey {
  readonly type: 'ed25519' | 'secp256k1'
  readonly publicKey: Uint8Array
}

/** A private identity key that lives elsewhere, usually inside an HSM. */
export interface IdentitySigner {
  readonly key: IdentityKey
  /** Ed25519: 64 bytes over `message`. secp256k1: DER, low-s, over SHA-256(message). */
  sign(message: Uint8Array): Promise<Uint8Array>
}

export const IDENTITY_SIGNATURE_BYTES_MAX = 72

/** @throws {ConfigError} BAD_IDENTITY on a wrong length, a point that is not on the curve, or one under which anybody can sign. */
export function parseIdentityKey(type: string, publicKey: Uint8Array): IdentityKey {
  try {
    if (type === 'ed25519' && publicKey.length === 32 && isEd25519Key(publicKey)) return { type, publicKey }
    if (type === 'secp256k1' && publicKey.length === 33) {
      secp256k1.Point.fromBytes(publicKey).assertValidity()
      return { type, publicKey }
    }
  } catch (cause) {
    throw new ConfigError('BAD_IDENTITY', `not a valid ${type} public key`, {}, cause)
  }
  throw new ConfigError('BAD_IDENTITY', 'identity keys are ed25519 (32 bytes) or secp256k1 (33 bytes)', { type, length: publicKey.length })
}

/** Strict verification; malformed input is `false`, never a throw. */
export function verifyIdentity(key: IdentityKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.type === 'ed25519') return verifyEd25519(key.publicKey, message, signature)
    return secp256k1.verify(signature, message, key.publicKey, { prehash: true, lowS: true, format: 'der' })
  } catch {
    // The library throws on malformed signatures, which is the same as a wrong one.
    return false
  }
}
