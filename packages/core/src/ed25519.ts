import { createPublicKey, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { concat, fromHex } from './bytes.ts'

/** What stands before the 32 bytes of a key in its SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = fromHex('302a300506032b6570032100')

/**
 * Whether 32 bytes are a key that can be trusted to stand for one party: canonical, on the curve, and not one of the eight points
 * under which anybody can sign.
 *
 * @throws what the library throws on bytes that are no point.
 */
export function isEd25519Key(publicKey: Uint8Array): boolean {
  const point = ed25519.Point.fromBytes(publicKey)
  point.assertValidity()
  return !point.isSmallOrder()
}

/**
 * RFC 8032 by the platform's library, fifteen times faster than one in JavaScript: S below the order, R compared byte by byte, so that
 * a signature has one form.
 *
 * @param publicKey - of {@link isEd25519Key}.
 * @throws when it is no key at all.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}
