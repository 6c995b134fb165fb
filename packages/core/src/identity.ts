import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes } from './bytes.ts'
import { isEd25519Key, verifyEd25519 } from './ed25519.ts'
import { ConfigError } from './errors.ts'

/** Public half of a key of a node: Ed25519 (32 bytes), or secp256k1 or P-256, compressed (33 bytes). */
export interface IdentityKey {
  readonly type: 'ed25519' | 'secp256k1' | 'p256'
  readonly publicKey: Uint8Array
}

/** A private key of a node that lives elsewhere, usually inside an HSM. */
export interface IdentitySigner {
  readonly key: IdentityKey
  /** Ed25519: 64 bytes over `message`. secp256k1 and P-256: DER, low-s, over SHA-256(message). */
  sign(message: Uint8Array): Promise<Uint8Array>
}

export const IDENTITY_SIGNATURE_BYTES_MAX = 72

const ECDSA = { secp256k1, p256 } as const

const LENGTHS: ReadonlyMap<string, number> = new Map([
  ['ed25519', 32],
  ['secp256k1', 33],
  ['p256', 33],
])

/** @throws {ConfigError} BAD_IDENTITY on a wrong length, a point that is not on the curve, or one under which anybody can sign. */
export function parseIdentityKey(type: string, publicKey: Uint8Array): IdentityKey {
  const known = LENGTHS.get(type) === publicKey.length ? (type as IdentityKey['type']) : undefined
  if (known === undefined) {
    const forms = 'ed25519 (32 bytes), or secp256k1 or p256 (33 bytes)'
    throw new ConfigError('BAD_IDENTITY', `identity keys are ${forms}`, { type, length: publicKey.length })
  }
  let cause: unknown
  try {
    if (known !== 'ed25519') ECDSA[known].Point.fromBytes(publicKey).assertValidity()
    if (known !== 'ed25519' || isEd25519Key(publicKey)) return { type: known, publicKey }
  } catch (error) {
    cause = error
  }
  throw new ConfigError('BAD_IDENTITY', `not a valid ${known} public key`, {}, cause)
}

export function sameIdentity(a: IdentityKey, b: IdentityKey): boolean {
  return a.type === b.type && equalBytes(a.publicKey, b.publicKey)
}

/** Strict verification, so that nobody can make a second form of a signature; malformed input is `false`, never a throw. */
export function verifyIdentity(key: IdentityKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.type === 'ed25519') return verifyEd25519(key.publicKey, message, signature)
    return ECDSA[key.type].verify(signature, message, key.publicKey, { prehash: true, lowS: true, format: 'der' })
  } catch {
    // The library throws on malformed signatures, which is the same as a wrong one.
    return false
  }
}
