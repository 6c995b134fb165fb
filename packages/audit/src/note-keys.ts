import { ECDH, hash } from 'node:crypto'
import { concat, fromHex, type IdentityKey, mlDsa65Verifier, utf8, verifyIdentity } from '@conclave/core'
import type { NoteSignature, NoteVerifier } from './note.ts'

/** Seconds that a cosigner's clock may be ahead of ours. */
export const CLOCK_AHEAD_MAX_S = 300

/** C2SP signed-note: bytes that name the algorithm inside a key id. */
const [ED25519, COSIGNATURE_ED25519, OTHER] = [0x01, 0x04, 0xff]
/** What stands before a P-256 point, uncompressed, in its SubjectPublicKeyInfo. */
const P256_SPKI = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200')
const TIMESTAMP_BYTES = 8

const keyIdOf = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(hash('sha256', concat(...parts), 'buffer').subarray(0, 4))

function namedKeyId(name: string, type: number | string, publicKey: Uint8Array): Uint8Array {
  const algorithm = typeof type === 'number' ? Uint8Array.of(type) : concat(Uint8Array.of(OTHER), utf8(`${type}\n`))
  return keyIdOf(utf8(`${name}\n`), algorithm, publicKey)
}

function p256Spki(compressed: Uint8Array): Uint8Array {
  const point = ECDH.convertKey(compressed, 'prime256v1', undefined, undefined, 'uncompressed') as Buffer
  return concat(P256_SPKI, new Uint8Array(point))
}

/**
 * The id under which a node signs the checkpoints of its own log: Ed25519 and P-256 as signed-note has them (0x01, 0x02), secp256k1
 * under a name of our own.
 */
export function logKeyId(name: string, key: IdentityKey): Uint8Array {
  const { type } = key
  if (type === 'ed25519') return namedKeyId(name, ED25519, key.publicKey)
  if (type === 'p256') return keyIdOf(p256Spki(key.publicKey))
  return namedKeyId(name, `conclave/${type}`, key.publicKey)
}

/** The id under which a node cosigns the checkpoints of others: tlog-cosignature's 0x04, or for ECDSA a name of our own. */
export function cosignerKeyId(name: string, key: IdentityKey): Uint8Array {
  const { type } = key
  return namedKeyId(name, type === 'ed25519' ? COSIGNATURE_ED25519 : `conclave/cosignature/${type}`, key.publicKey)
}

export function mlDsaKeyId(name: string, publicKey: Uint8Array): Uint8Array {
  return namedKeyId(name, 'conclave/ml-dsa-65', publicKey)
}

/** Checks the log's own signature of a checkpoint. */
export function logVerifier(name: string, key: IdentityKey): NoteVerifier {
  return { name, keyId: logKeyId(name, key), verify: (text, signature) => verifyIdentity(key, utf8(text), signature) }
}

/** Checks a log's additional signature by ML-DSA-65 (FIPS 204), without context string. @throws {ConfigError} BAD_IDENTITY. */
export function mlDsaVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  const verify = mlDsa65Verifier(publicKey)
  return { name, keyId: mlDsaKeyId(name, publicKey), verify: (text, signature) => verify(utf8(text), signature) }
}

const cosignedMessage = (text: string, timeS: number): Uint8Array => utf8(`cosignature/v1\ntime ${timeS}\n${text}`)

/** When a cosignature was made, seconds since the Unix epoch; undefined when it is none. */
export function cosignatureTimeS(signature: Uint8Array): number | undefined {
  if (signature.length <= TIMESTAMP_BYTES) return undefined
  const time = new DataView(signature.buffer, signature.byteOffset, TIMESTAMP_BYTES).getBigUint64(0)
  return time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : undefined
}

/** Checks cosignatures; those from the future are none. @param nowS - seconds since the Unix epoch. */
export function cosignerVerifier(name: string, key: IdentityKey, nowS: number): NoteVerifier {
  return {
    name,
    keyId: cosignerKeyId(name, key),
    verify(text, signature) {
      const timeS = cosignatureTimeS(signature)
      if (timeS === undefined || timeS > nowS + CLOCK_AHEAD_MAX_S) return false
      return verifyIdentity(key, cosignedMessage(text, timeS), signature.subarray(TIMESTAMP_BYTES))
    },
  }
}

/** Signs with one of a node's checkpoint keys, and says with which. */
export interface TextSigner {
  sign(message: Uint8Array): Promise<{ readonly key: IdentityKey; readonly signature: Uint8Array }>
}

/** A log's signature of a checkpoint's text. @throws what the signer throws. */
export async function signText(text: string, name: string, signer: TextSigner): Promise<NoteSignature> {
  const { key, signature } = await signer.sign(utf8(text))
  return { name, keyId: logKeyId(name, key), signature }
}

/** C2SP tlog-cosignature, `cosignature/v1`. @throws what the signer throws. */
export async function cosignText(text: string, cosigner: { name: string; signer: TextSigner; timeS: number }): Promise<NoteSignature> {
  const { name, signer, timeS } = cosigner
  const time = new Uint8Array(TIMESTAMP_BYTES)
  new DataView(time.buffer).setBigUint64(0, BigInt(timeS))
  const { key, signature } = await signer.sign(cosignedMessage(text, timeS))
  return { name, keyId: cosignerKeyId(name, key), signature: concat(time, signature) }
}
