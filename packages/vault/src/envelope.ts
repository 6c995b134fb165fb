import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { concat, equalBytes, InvalidArgument, type Random, SecretBytes, type VaultError } from '@conclave/core'
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

export interface Sealed<H extends Hsm> {
  readonly record: Uint8Array
  /** HSMs that were not available and did not become recipients, and why. */
  readonly missed: ReadonlyMap<H, VaultError>
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
 * An HSM that is not there, or that waits for a person, is left out and named in `missed`; any other failure (a missing KEK, a wrong
 * unwrap) fails the seal. At least one recipient, or a failure is thrown.
 */
export async function sealRecord<H extends Hsm>(
  hsms: readonly H[],
  random: Random,
  context: SealContext,
  secret: Uint8Array,
): Promise<Sealed<H>> {
  if (secret.length < 1 || secret.length > SECRET_BYTES_MAX) {
    throw new InvalidArgument('BAD_LENGTH', `a sealed secret has 1 to ${SECRET_BYTES_MAX} bytes`, { length: secret.length })
  }
  const aad = encodeContext(context)
  const dek = random.bytes(DEK_BYTES)
  try {
    const outcomes = await Promise.allSettled(hsms.map((hsm) => wrapVerified(hsm, aad, dek)))
    const missed = new Map<H, VaultError>()
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue
      if (!canFailOver(outcome.reason)) throw outcome.reason
      missed.set(hsms[i]!, outcome.reason)
    }
    const recipients = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []))
    if (recipients.length === 0) throw firstFailure(hsms, missed)
    const header = encodeHeader(context, recipients)
    const bodyIv = random.bytes(BODY_IV_BYTES)
    const record = withKeys(dek, aad, (keys) =>
      encodeRecord({ header, mac: headerMac(keys, header), bodyIv, body: encryptBody(keys, bodyIv, aad, secret) }),
    )
    return { record, missed }
  } finally {
    dek.fill(0)
  }
}

/** Whom to ask first: those that are up, in order of priority, then those that may be, then those that refuse at once and say why. */
export function inTurn<H extends Hsm>(hsms: readonly H[]): readonly H[] {
  const rank = ({ standing = 'up' }: Hsm) => ['up', 'doubtful', 'away'].indexOf(standing)
  return hsms.every((hsm) => rank(hsm) === 0) ? hsms : [...hsms].sort((a, b) => rank(a) - rank(b))
}

/** Of several failures the one to tell: of the first HSM by priority, one that may pass before one that waits for a person. */
export function firstFailure(hsms: readonly Hsm[], failures: ReadonlyMap<Hsm, VaultError>): VaultError | undefined {
  const told = hsms.flatMap((hsm) => failures.get(hsm) ?? [])
  return told.find((failure) => failure.retriable) ?? told[0]
}

/** The data key from the first HSM that is a recipient and available. */
async function unwrapFirst<H extends Hsm>(hsms: readonly H[], record: SealedRecord, aad: Uint8Array): Promise<{ dek: Uint8Array; by: H }> {
  const failures = new Map<Hsm, VaultError>()
  for (const hsm of inTurn(hsms)) {
    try {
      const { tokenSerial } = await hsm.describe()
      const own = record.recipients.filter((r) => r.tokenSerial === tokenSerial)
      // Some vendors give all tokens one serial; the name then decides which to try.
      const recipient = own.find((r) => r.name === hsm.name) ?? own[0]
      if (recipient !== undefined) return { dek: await hsm.unwrap(aad, recipient), by: hsm }
    } catch (error) {
      if (!canFailOver(error)) throw error
      failures.set(hsm, error)
    }
  }
  const failure = firstFailure(hsms, failures)
  if (failure !== undefined) throw failure
  throw vaultError('KEY_MISSING', 'no HSM of this node is a recipient of the record', {
    details: { sealedTo: record.recipients.map((r) => `${r.name} (${r.tokenSerial})`) },
  })
}

/**
 * Opens a record that must be bound to `expected`, with `expected.version` the lowest version accepted.
 *
 * @param opened - told which HSM gave the data key.
 * @throws {VaultError} TAMPER, ROLLBACK, KEY_MISSING, UNSUPPORTED; the first failure when no recipient is available.
 */
export async function openRecord<H extends Hsm>(
  hsms: readonly H[],
  expected: SealContext,
  bytes: Uint8Array,
  opened: (by: H) => void = () => undefined,
): Promise<SecretBytes> {
  const record = parseExpected(expected, bytes)
  const { aad } = record
  const { dek, by } = await unwrapFirst(hsms, record, aad)
  opened(by)
  try {
    return withKeys(dek, aad, (keys) => {
      checkHeader(keys, expected, record)
      return decryptBody(keys, record, aad)
    })
  } finally {
    dek.fill(0)
  }
}

/** @throws {VaultError} TAMPER when the record says that it is another one; UNSUPPORTED. */
function parseExpected(expected: SealContext, bytes: Uint8Array): SealedRecord {
  checkContext(expected)
  const record = parseRecord(bytes)
  const field = contextMismatch(expected, record.context)
  if (field !== undefined) throw vaultError('TAMPER', `the sealed record belongs to another ${field}`, { details: { field } })
  return record
}

/** @throws {VaultError} TAMPER, ROLLBACK */
function checkHeader(keys: RecordKeys, expected: SealContext, { header, mac, context: { version } }: SealedRecord): void {
  if (!equalBytes(headerMac(keys, header), mac)) throw vaultError('TAMPER', 'the header of the sealed record is not authentic')
  // After the MAC: only an authentic record can be an old one.
  if (version < expected.version) {
    throw vaultError('ROLLBACK', `the sealed record has version ${version}, at least ${expected.version} is required`, {
      details: { version, required: expected.version },
    })
  }
}

/**
 * Wraps the data key of a record anew, to all of `to`; body and body IV stay byte for byte. The result has been opened through each of
 * its recipients.
 *
 * @param hsms - asked for the data key as it is wrapped now.
 * @throws {VaultError} as openRecord; the first failure of any of `to`, because a recipient that is left out is a record that is lost with
 *   the others.
 */
export async function rewrapRecord(
  hsms: readonly Hsm[],
  to: readonly Hsm[],
  expected: SealContext,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const old = parseExpected(expected, bytes)
  const { aad, bodyIv, body } = old
  const { dek } = await unwrapFirst(hsms, old, aad)
  let record: Uint8Array
  try {
    withKeys(dek, aad, (keys) => checkHeader(keys, expected, old))
    const outcomes = await Promise.allSettled(to.map((hsm) => wrapVerified(hsm, aad, dek)))
    const recipients = outcomes.map((o) => {
      if (o.status === 'rejected') throw o.reason
      return o.value
    })
    const header = encodeHeader(old.context, recipients)
    record = withKeys(dek, aad, (keys) => encodeRecord({ header, mac: headerMac(keys, header), bodyIv, body }))
  } finally {
    dek.fill(0)
  }
  for (const hsm of to) (await openRecord([hsm], expected, record))[Symbol.dispose]()
  return record
}
