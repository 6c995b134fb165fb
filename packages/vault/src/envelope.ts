import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { concat, equalBytes, InvalidArgument, type Random, SecretBytes } from '@conclave/core'
import type { Hsm } from './hsm.ts'
import type { SealContext } from './key-vault.ts'
import { DEK_BYTES } from './profile.ts'
import {
  BODY_IV_BYTES,
  BODY_TAG_BYTES,
  encodeHeader,
  encodeRecord,
  parseRecord,
  type Recipient,
  SECRET_BYTES_MAX,
  type SealedRecord,
} from './record.ts'
import { checkContext, contextMismatch, encodeContext } from './seal-context.ts'
import { canFailOver, vaultError } from './vault-error.ts'

/** Keys of one record, by HKDF-SHA256(DEK, info = AAD). */
interface RecordKeys {
  readonly body: KeyObject
  /** Authenticates the header, so that the recipients can be changed without touching the body. */
  readonly header: KeyObject
}

export interface Sealed {
  readonly record: Uint8Array
  /** HSMs that were down and did not become recipients. */
  readonly missed: readonly Hsm[]
}

function withKeys<T>(dek: Uint8Array, aad: Uint8Array, use: (keys: RecordKeys) => T): T {
  // Of bare bytes Node makes the same key objects, in four times the time.
  const okm = new Uint8Array(hkdfSync('sha256', createSecretKey(dek), new Uint8Array(0), aad, 64))
  try {
    return use({ body: createSecretKey(okm.subarray(0, 32)), header: createSecretKey(okm.subarray(32)) })
  } finally {
    okm.fill(0)
  }
}

function headerMac(keys: RecordKeys, header: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', keys.header).update(header).digest())
}

function encryptBody(keys: RecordKeys, iv: Uint8Array, aad: Uint8Array, secret: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', keys.body, iv, { authTagLength: BODY_TAG_BYTES }).setAAD(aad)
  return concat(cipher.update(secret), cipher.final(), cipher.getAuthTag())
}

function decryptBody(keys: RecordKeys, record: SealedRecord, aad: Uint8Array): SecretBytes {
  const split = record.body.length - BODY_TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', keys.body, record.bodyIv, { authTagLength: BODY_TAG_BYTES })
  decipher.setAAD(aad).setAuthTag(record.body.subarray(split))
  const clear = decipher.update(record.body.subarray(0, split))
  try {
    decipher.final()
  } catch (cause) {
    clear.fill(0)
    throw vaultError('TAMPER', 'the body of the sealed record is not authentic', { cause })
  }
  // The same memory without Buffer's prototype.
  return new SecretBytes(new Uint8Array(clear.buffer, clear.byteOffset, clear.length))
}

/** Wraps, then unwraps what came back: a record that its HSM cannot open must never be stored. */
async function wrapVerified(hsm: Hsm, aad: Uint8Array, dek: Uint8Array): Promise<Recipient> {
  const key = await hsm.wrap(aad, dek)
  const back = await hsm.unwrap(aad, key)
  try {
    if (!equalBytes(back, dek))
      throw vaultError('TAMPER', `hsm "${hsm.name}" unwrapped another key than it wrapped`, { details: { hsm: hsm.name } })
  } finally {
    back.fill(0)
  }
  return { ...key, name: hsm.name }
}

/**
 * Seals to every HSM that is available.
 *
 * An HSM whose failure is one of availability is left out and named in `missed`; any other failure (a refused PIN, a missing KEK, a
 * wrong unwrap) needs a person, and fails the seal. At least one recipient, or the first failure is thrown.
 */
export async function sealRecord(hsms: readonly Hsm[], random: Random, context: SealContext, secret: Uint8Array): Promise<Sealed> {
  if (secret.length < 1 || secret.length > SECRET_BYTES_MAX) {
    throw new InvalidArgument('BAD_LENGTH', `a sealed secret has 1 to ${SECRET_BYTES_MAX} bytes`, { length: secret.length })
  }
  const aad = encodeContext(context)
  const dek = random.bytes(DEK_BYTES)
  try {
    const outcomes = await Promise.allSettled(hsms.map((hsm) => wrapVerified(hsm, aad, dek)))
    const failures = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []))
    const fatal = failures.find((f) => !canFailOver(f))
    if (fatal !== undefined) throw fatal
    const recipients = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []))
    if (recipients.length === 0) throw failures[0]
    const header = encodeHeader(context, recipients)
    const bodyIv = random.bytes(BODY_IV_BYTES)
    const record = withKeys(dek, aad, (keys) =>
      encodeRecord({ header, mac: headerMac(keys, header), bodyIv, body: encryptBody(keys, bodyIv, aad, secret) }),
    )
    return { record, missed: hsms.filter((_, i) => outcomes[i]!.status === 'rejected') }
  } finally {
    dek.fill(0)
  }
}

/** The data key from the first HSM, in order, that is a recipient and available. */
async function unwrapFirst(hsms: readonly Hsm[], record: SealedRecord, aad: Uint8Array): Promise<Uint8Array> {
  let failure: unknown
  for (const hsm of hsms) {
    try {
      const { tokenSerial } = await hsm.describe()
      const own = record.recipients.filter((r) => r.tokenSerial === tokenSerial)
      // Some vendors give all tokens one serial; the name then decides which to try.
      const recipient = own.find((r) => r.name === hsm.name) ?? own[0]
      if (recipient !== undefined) return await hsm.unwrap(aad, recipient)
    } catch (error) {
      if (!canFailOver(error)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  throw vaultError('KEY_MISSING', 'no HSM of this node is a recipient of the record', {
    details: { sealedTo: record.recipients.map((r) => `${r.name} (${r.tokenSerial})`) },
  })
}

/**
 * Opens a record that must be bound to `expected`, with `expected.version` the lowest version accepted.
 *
 * @throws {VaultError} TAMPER, ROLLBACK, KEY_MISSING, UNSUPPORTED; the first failure when no recipient is available.
 */
export async function openRecord(hsms: readonly Hsm[], expected: SealContext, bytes: Uint8Array): Promise<SecretBytes> {
  checkContext(expected)
  const record = parseRecord(bytes)
  const field = contextMismatch(expected, record.context)
  if (field !== undefined) throw vaultError('TAMPER', `the sealed record belongs to another ${field}`, { details: { field } })
  const { aad } = record
  const dek = await unwrapFirst(hsms, record, aad)
  try {
    return withKeys(dek, aad, (keys) => {
      if (!equalBytes(headerMac(keys, record.header), record.mac))
        throw vaultError('TAMPER', 'the header of the sealed record is not authentic')
      // After the MAC: only an authentic record can be an old one.
      if (record.context.version < expected.version) {
        throw vaultError('ROLLBACK', `the sealed record has version ${record.context.version}, at least ${expected.version} is required`, {
          details: { version: record.context.version, required: expected.version },
        })
      }
      return decryptBody(keys, record, aad)
    })
  } finally {
    dek.fill(0)
  }
}
