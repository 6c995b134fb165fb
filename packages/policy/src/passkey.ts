import { createHash, createPublicKey, verify } from 'node:crypto'
import { concat, equalBytes, fromHex, InvalidArgument, parseIdentityKey, utf8, verifyIdentity } from '@conclave/core'
import { p256 } from '@noble/curves/nist.js'
import { z } from 'zod'
import type { Passkey } from './approver.ts'

/** What an authenticator answers to `navigator.credentials.get` (WebAuthn 2, 5.2.2). */
export interface Assertion {
  readonly authenticatorData: Uint8Array
  readonly clientData: Uint8Array
  readonly signature: Uint8Array
}

export const AUTHENTICATOR_DATA_BYTES_MAX = 512
export const CLIENT_DATA_BYTES_MAX = 1024
export const ASSERTION_SIGNATURE_BYTES_MAX = 72

/** Hash of the domain, flags, counter (WebAuthn 2, 6.1). */
const AUTHENTICATOR_DATA_BYTES_MIN = 37
const [USER_PRESENT, USER_VERIFIED, ATTESTED] = [0x01, 0x04, 0x40]

/** CTAP2 gives a COSE key one encoding (RFC 9052, CTAP 2.1 section 8), so what stands around the coordinates is constant. */
const ES256_PREFIX = fromHex('a5010203262001215820')
const ES256_MIDDLE = fromHex('225820')
const ED25519_PREFIX = fromHex('a4010103272006215820')
const P256_SPKI_PREFIX = fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200')

const startsWith = (bytes: Uint8Array, prefix: Uint8Array, at = 0) => equalBytes(bytes.subarray(at, at + prefix.length), prefix)

/** The public key in a COSE key. @throws {InvalidArgument} BAD_PASSKEY unless it is a canonical ES256 or Ed25519 key. */
export function parseCoseKey(cose: Uint8Array): Pick<Passkey, 'algorithm' | 'publicKey'> {
  const bad = (cause?: unknown) =>
    new InvalidArgument('BAD_PASSKEY', 'a passkey is a COSE key of ES256 (77 bytes) or Ed25519 (42 bytes) in hexadecimal', {}, cause)
  try {
    if (cose.length === 77 && startsWith(cose, ES256_PREFIX) && startsWith(cose, ES256_MIDDLE, 42)) {
      const point = p256.Point.fromBytes(concat(Uint8Array.of(4), cose.subarray(10, 42), cose.subarray(45)))
      point.assertValidity()
      return { algorithm: 'ES256', publicKey: point.toBytes(true) }
    }
    const publicKey = cose.slice(ED25519_PREFIX.length)
    if (cose.length === 42 && startsWith(cose, ED25519_PREFIX) && parseIdentityKey('ed25519', publicKey))
      return { algorithm: 'Ed25519', publicKey }
  } catch (cause) {
    throw bad(cause)
  }
  throw bad()
}

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

/** Browsers add fields of their own (WebAuthn 2, 5.8.1), so others than these are let be. */
const ClientData = z.looseObject({
  type: z.literal('webauthn.get'),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.literal(false).optional(),
})

function isClientData(bytes: Uint8Array, { origin }: Passkey, challenge: Uint8Array): boolean {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const parsed = ClientData.safeParse(JSON.parse(text))
  return parsed.success && parsed.data.origin === origin && parsed.data.challenge === Buffer.from(challenge).toString('base64url')
}

function isAuthenticatorData(bytes: Uint8Array, { rpId }: Passkey): boolean {
  if (bytes.length < AUTHENTICATOR_DATA_BYTES_MIN || bytes.length > AUTHENTICATOR_DATA_BYTES_MAX) return false
  const flags = bytes[32] as number
  const isPerson = (flags & USER_PRESENT) !== 0 && (flags & USER_VERIFIED) !== 0 && (flags & ATTESTED) === 0
  return isPerson && equalBytes(bytes.subarray(0, 32), sha256(utf8(rpId)))
}

function isSignature({ algorithm, publicKey }: Passkey, message: Uint8Array, signature: Uint8Array): boolean {
  if (algorithm === 'Ed25519') return verifyIdentity({ type: 'ed25519', publicKey }, message, signature)
  const key = createPublicKey({ key: Buffer.from(concat(P256_SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
  return verify('sha256', message, key, signature)
}

/**
 * Whether a passkey signed a challenge (WebAuthn 2, 7.2): for its domain, at the origin that the policy names, with the person present
 * and verified by the authenticator. The counter is not looked at: an approval is taken once, whatever its number. Malformed is `false`.
 */
export function verifyAssertion(passkey: Passkey, challenge: Uint8Array, assertion: Assertion): boolean {
  const { authenticatorData, clientData, signature } = assertion
  if (clientData.length > CLIENT_DATA_BYTES_MAX || signature.length > ASSERTION_SIGNATURE_BYTES_MAX) return false
  try {
    if (!isClientData(clientData, passkey, challenge) || !isAuthenticatorData(authenticatorData, passkey)) return false
    return isSignature(passkey, concat(authenticatorData, sha256(clientData)), signature)
  } catch {
    // Not UTF-8, not JSON, not a signature: the same as a wrong one.
    return false
  }
}
