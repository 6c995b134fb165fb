import { type IdentityKey, tagged, taggedExpand, utf8 } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'

const ECDSA = { secp256k1, p256 } as const

/** A key pair in this process that signs as a token does. */
export interface SoftSigningKey {
  readonly key: IdentityKey
  /** 64 bytes: Ed25519, or r||s of either s. */
  sign(message: Uint8Array): Uint8Array
}

/** @param seed - 32 secret bytes; the key is a function of them and of the type. */
export function softSigningKey(type: IdentityKey['type'], seed: Uint8Array): SoftSigningKey {
  if (type === 'ed25519') return { key: { type, publicKey: ed25519.getPublicKey(seed) }, sign: (message) => ed25519.sign(message, seed) }
  const curve = ECDSA[type]
  const secret = curve.utils.randomSecretKey(taggedExpand('soft-signing-key', 48, utf8(type), seed))
  return {
    key: { type, publicKey: curve.getPublicKey(secret, true) },
    // Tokens do not normalise s either.
    sign: (message) => curve.sign(message, secret, { prehash: true, lowS: false }),
  }
}

/** Another seed out of one, so that a device needs no more randomness for its second key. */
export function seedOf(use: string, seed: Uint8Array): Uint8Array {
  return tagged('soft-signing-seed', utf8(use), seed)
}
