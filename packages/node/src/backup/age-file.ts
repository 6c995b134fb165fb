/** Pieces travel as age files (age-encryption.org/v1), so that custodians may use any tool and any hardware that speaks age. */
import { webcrypto } from 'node:crypto'
import { ConclaveError, concat, fromHex, messageOf } from '@conclave/core'
import { RECIPIENT_CHARS_MAX } from '@conclave/wire'
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { BackupError } from './backup-error.ts'

type CryptoKey = webcrypto.CryptoKey
/** An identity as text (`AGE-SECRET-KEY-...`), or one whose secret is in no string. */
export type AgeIdentity = string | CryptoKey

export const ONE_TIME_SECRET_BYTES = 32
const IDENTITIES_MAX = 16
/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420')

function encrypterTo(recipient: string): Encrypter {
  const encrypter = new Encrypter()
  try {
    if (recipient.length > RECIPIENT_CHARS_MAX || !/^[a-z0-9]+$/.test(recipient)) throw new Error('not in lower case, or too long')
    encrypter.addRecipient(recipient)
  } catch (cause) {
    throw new BackupError(
      'BAD_RECIPIENT',
      'not an age recipient that this program knows: age1..., age1pq1..., age1tag1..., age1tagpq1...',
      {
        cause,
      },
    )
  }
  return encrypter
}

/** Whether text is a recipient that this program can encrypt to. */
export function isRecipient(recipient: string): boolean {
  try {
    encrypterTo(recipient)
    return true
  } catch (error) {
    if (error instanceof ConclaveError) return false
    throw error
  }
}

/** @throws {BackupError} BAD_RECIPIENT, also for a key that nobody can have. */
export async function sealTo(recipient: string, content: Uint8Array): Promise<Uint8Array> {
  const encrypter = encrypterTo(recipient)
  try {
    return await encrypter.encrypt(content)
  } catch (cause) {
    throw new BackupError('BAD_RECIPIENT', `cannot encrypt to this age recipient: ${messageOf(cause)}`, { cause })
  }
}

/** What an age file holds; undefined when it is damaged, or for none of these identities. The caller wipes it. */
export async function openWith(identities: readonly AgeIdentity[], file: Uint8Array): Promise<Uint8Array | undefined> {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  try {
    return await decrypter.decrypt(file)
  } catch {
    // The library has no codes; whatever it says, this file cannot be opened here.
    return undefined
  }
}

/** A key that pieces are encrypted to for one restore or one drill. */
export interface OneTimeKey {
  readonly recipient: string
  readonly identity: AgeIdentity
}

/** @param secret - 32 random bytes; stays the caller's. */
export async function oneTimeKey(secret: Uint8Array): Promise<OneTimeKey> {
  const encoded = concat(PKCS8_PREFIX, secret)
  try {
    const identity = await webcrypto.subtle.importKey('pkcs8', encoded, { name: 'X25519' }, false, ['deriveBits'])
    return { identity, recipient: await identityToRecipient(identity) }
  } finally {
    encoded.fill(0)
  }
}

/** An identity file for a custodian who has no age program, and its recipient. */
export async function newIdentityFile(): Promise<{ readonly text: string; readonly recipient: string }> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  return { text: `# recipient: ${recipient}\n${identity}\n`, recipient }
}

/** The identities in the text of an identity file: one a line, `#` for comments. @throws {BackupError} BAD_AGE_IDENTITY. */
export async function parseIdentities(text: string): Promise<readonly OneTimeKey[]> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (lines.length < 1 || lines.length > IDENTITIES_MAX)
    throw new BackupError('BAD_AGE_IDENTITY', `an identity file has 1 to ${IDENTITIES_MAX} lines "AGE-SECRET-KEY-..."`)
  try {
    return await Promise.all(lines.map(async (line) => ({ identity: line.trim(), recipient: await identityToRecipient(line.trim()) })))
  } catch {
    // Without its cause: the library might quote a line.
    throw new BackupError(
      'BAD_AGE_IDENTITY',
      'not an age identity file: an identity with a passphrase or in hardware is used through the age program',
    )
  }
}
