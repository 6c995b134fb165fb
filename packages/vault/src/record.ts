import { concat, fromHex, InvalidArgument, toHex, u32, utf8 } from '@conclave/core'
import type { WrappedKey } from './hsm.ts'
import type { SealContext } from './key-vault.ts'
import { profileOfRecord } from './profile.ts'
import { CONTEXT_BYTES_MAX, decodeContext, encodeContext } from './seal-context.ts'
import { HSMS_MAX } from './settings.ts'
import { vaultError } from './vault-error.ts'

/** "CSR" and the format version. */
const MAGIC = Uint8Array.of(0x43, 0x53, 0x52, 0x02)
export const SECRET_BYTES_MAX = 16 * 1024 * 1024
export const MAC_BYTES = 32
export const BODY_IV_BYTES = 12
export const BODY_TAG_BYTES = 16
const NAME_BYTES_MAX = 32
const SERIAL_BYTES_MAX = 16
const KEK_ID_BYTES_MAX = 64
const IV_BYTES_MAX = 16

export interface Recipient extends WrappedKey {
  /** The HSM's name in the settings at the time of sealing. */
  readonly name: string
}

/** A parsed record: well-formed, but authentic only once a KEK has opened it. */
export interface SealedRecord {
  readonly context: SealContext
  /** The canonical encoding of the context, as the record holds it. */
  readonly aad: Uint8Array
  readonly recipients: readonly Recipient[]
  /** The bytes that `mac` covers: everything before it. */
  readonly header: Uint8Array
  readonly mac: Uint8Array
  readonly bodyIv: Uint8Array
  /** Ciphertext and tag. */
  readonly body: Uint8Array
}

function short(bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(bytes.length), bytes)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

/** Everything that precedes the MAC. @throws {InvalidArgument} BAD_RECORD on a recipient that would not parse again. */
export function encodeHeader(context: SealContext, recipients: readonly Recipient[]): Uint8Array {
  const aad = encodeContext(context)
  const parts = [MAGIC, u16(aad.length), aad, Uint8Array.of(recipients.length)]
  for (const r of recipients) {
    parts.push(short(utf8(r.name)), short(utf8(r.tokenSerial)), short(fromHex(r.kekId)), u32(r.kekGeneration))
    parts.push(Uint8Array.of(r.profile), u32(r.mechanism), short(r.iv), u16(r.wrapped.length), r.wrapped)
  }
  const header = concat(...parts)
  const reader = new Reader(header)
  readHeader(reader)
  if (reader.at !== header.length) throw new InvalidArgument('BAD_RECORD', 'a recipient cannot be encoded')
  return header
}

export function encodeRecord(record: Pick<SealedRecord, 'header' | 'mac' | 'bodyIv' | 'body'>): Uint8Array {
  return concat(record.header, record.mac, record.bodyIv, u32(record.body.length), record.body)
}

function malformed(what: string): never {
  throw vaultError('TAMPER', `not a sealed record: ${what}`)
}

class Reader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) malformed('it ends early')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  short(min: number, max: number): Uint8Array {
    const length = this.u8()
    if (length < min || length > max) malformed('a field has an impossible length')
    return this.take(length)
  }

  text(max: number): string {
    const bytes = this.short(1, max)
    if (bytes.some((b) => b < 0x21 || b > 0x7e)) malformed('a name is not printable')
    return String.fromCharCode(...bytes)
  }
}

function readRecipient(reader: Reader): Recipient {
  const name = reader.text(NAME_BYTES_MAX)
  const tokenSerial = reader.text(SERIAL_BYTES_MAX)
  const kekId = toHex(reader.short(1, KEK_ID_BYTES_MAX))
  const kekGeneration = reader.u32()
  if (kekGeneration < 1) malformed('a KEK has no generation')
  const profileId = reader.u8()
  const mechanism = reader.u32()
  const profile = profileOfRecord(profileId, mechanism)
  if (profile === undefined) throw vaultError('UNSUPPORTED', 'the record uses a wrap profile that is not known here')
  const iv = reader.short(0, IV_BYTES_MAX)
  if (!profile.ivBytes.includes(iv.length)) malformed('an IV has an impossible length')
  if (reader.u16() !== profile.wrappedBytes) malformed('a wrapped key has an impossible length')
  return { name, tokenSerial, kekId, kekGeneration, profile: profile.id, mechanism, iv, wrapped: reader.take(profile.wrappedBytes) }
}

function readHeader(reader: Reader): Pick<SealedRecord, 'context' | 'aad' | 'recipients'> {
  const magic = reader.take(MAGIC.length)
  if (magic.subarray(0, 3).some((b, i) => b !== MAGIC[i])) malformed('wrong magic')
  if (magic[3] !== MAGIC[3]) throw vaultError('UNSUPPORTED', `sealed record format ${magic[3]} is not known here`)
  const contextLength = reader.u16()
  if (contextLength > CONTEXT_BYTES_MAX) malformed('the context is too long')
  const aad = reader.take(contextLength)
  const context = decodeContext(aad)
  if (context === undefined) malformed('the context is not canonical')
  const count = reader.u8()
  if (count < 1 || count > HSMS_MAX) malformed('an impossible number of recipients')
  const recipients = Array.from({ length: count }, () => readRecipient(reader))
  return { context, aad, recipients }
}

/**
 * Strict: every length is bounded, nothing may follow the body. Says nothing about authenticity.
 *
 * @throws {VaultError} TAMPER when malformed; UNSUPPORTED on a format or profile of another release.
 */
export function parseRecord(bytes: Uint8Array): SealedRecord {
  const reader = new Reader(bytes)
  const parts = readHeader(reader)
  const header = bytes.subarray(0, reader.at)
  const mac = reader.take(MAC_BYTES)
  const bodyIv = reader.take(BODY_IV_BYTES)
  const bodyLength = reader.u32()
  if (bodyLength <= BODY_TAG_BYTES || bodyLength > SECRET_BYTES_MAX + BODY_TAG_BYTES) malformed('the body has an impossible length')
  const body = reader.take(bodyLength)
  if (reader.at !== bytes.length) malformed('bytes follow the body')
  return { ...parts, header, mac, bodyIv, body }
}
