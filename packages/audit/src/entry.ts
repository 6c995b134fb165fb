import { type AuditEvent, type EventValue, InvalidArgument, utf8 } from '@conclave/core'
import { AuditError } from './audit-error.ts'

const FORMAT = 1
/** A bundle gives each entry 16 bits of length; ours stay well below. */
export const ENTRY_BYTES_MAX = 32 * 1024
const DETAILS_MAX = 64
const LIST_MAX = 1024
const STRING_CHARS_MAX = 8192

const NODE = /^[a-z0-9][a-z0-9-]{0,31}$/
const KIND = /^[a-z][a-z0-9_-]{0,31}(\.[a-z][a-z0-9_-]{0,31}){1,3}$/
// A name that begins with a letter is never a prototype's.
const NAME = /^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$/
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** One thing that happened at one node. */
export interface AuditEntry extends AuditEvent {
  readonly node: string
  /** Milliseconds since the Unix epoch, by the node's own clock. */
  readonly timeMs: number
}

function bad(message: string): never {
  throw new AuditError('BAD_ENTRY', `audit entry: ${message}`)
}

function checkString(value: string, what: string): void {
  if (value.length > STRING_CHARS_MAX) bad(`${what} has more than ${STRING_CHARS_MAX} characters`)
  if (!value.isWellFormed()) bad(`${what} is not Unicode`)
}

function checkNumber(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) bad(`${what} is not a safe integer`)
}

function checkValue(value: unknown, what: string): void {
  if (typeof value === 'string') checkString(value, what)
  else if (typeof value === 'number') checkNumber(value, what)
  else if (value !== null && typeof value !== 'boolean') bad(`${what} is of a kind that has no place here`)
}

function checkDetail(value: unknown, what: string): void {
  if (!Array.isArray(value)) {
    checkValue(value, what)
    return
  }
  if (value.length > LIST_MAX) bad(`${what} has more than ${LIST_MAX} items`)
  for (const item of value) {
    if (typeof item !== 'string' && typeof item !== 'number') bad(`${what} has an item that is neither text nor number`)
    checkValue(item, what)
  }
}

function sorted(details: AuditEvent['details']): Record<string, EventValue> {
  const names = Object.keys(details).sort()
  if (names.length > DETAILS_MAX) bad(`more than ${DETAILS_MAX} details`)
  const out: Record<string, EventValue> = {}
  for (const name of names) {
    if (!NAME.test(name)) bad(`a detail has a name that is not allowed`)
    const value = details[name] as EventValue
    checkDetail(value, `detail "${name}"`)
    out[name] = value
  }
  return out
}

/**
 * The one form of an entry: JSON in UTF-8 without white space, names in order, e.g.
 * `{"details":{"peer":"n2"},"kind":"pair.reset","node":"n1","time":"2030-01-02T03:04:05.678Z","v":1}`.
 *
 * @throws {AuditError} BAD_ENTRY when it has none: a number that is no safe integer, text that is no Unicode, too much of anything.
 */
export function encodeEntry({ node, timeMs, kind, details }: AuditEntry): Uint8Array {
  if (!NODE.test(node)) bad('not a node name')
  if (!KIND.test(kind)) bad('a kind is noun.verb in lower case')
  const time = new Date(timeMs)
  const text = Number.isSafeInteger(timeMs) && timeMs >= 0 && !Number.isNaN(time.getTime()) ? time.toISOString() : bad('not a time')
  if (!TIME.test(text)) bad('not a time')
  const bytes = utf8(JSON.stringify({ details: sorted(details), kind, node, time: text, v: FORMAT }))
  if (bytes.length > ENTRY_BYTES_MAX) bad(`longer than ${ENTRY_BYTES_MAX} bytes`)
  return bytes
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of an entry's bytes. @throws {AuditError} BAD_ENTRY when they are no UTF-8. */
export function entryText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new AuditError('BAD_ENTRY', 'audit entry: not UTF-8', { cause })
  }
}

/** What {@link encodeEntry} makes and nothing else. @throws {AuditError} BAD_ENTRY. */
export function parseEntry(bytes: Uint8Array): AuditEntry {
  if (bytes.length > ENTRY_BYTES_MAX) bad(`longer than ${ENTRY_BYTES_MAX} bytes`)
  const text = entryText(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AuditError('BAD_ENTRY', 'audit entry: not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null) bad('not an object')
  const { node, kind, time, details } = value as Record<string, unknown>
  if (typeof node !== 'string' || typeof kind !== 'string' || typeof time !== 'string') bad('a field is missing')
  if (typeof details !== 'object' || details === null || Array.isArray(details)) bad('"details" is not an object')
  const entry: AuditEntry = { node, kind, timeMs: Date.parse(time), details: details as AuditEvent['details'] }
  // Whatever is in any way different (order, spaces, escapes, other fields, another version) is not the same bytes.
  if (Buffer.compare(encodeEntry(entry), bytes) !== 0) bad('not in its one form')
  return entry
}

/** Entries of a bundle, each behind its length in 16 bits. */
export function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(entries.reduce((sum, e) => sum + 2 + e.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new InvalidArgument('BAD_ENTRY', 'an entry has at most 65,535 bytes')
    view.setUint16(at, entry.length)
    out.set(entry, at + 2)
    at += 2 + entry.length
  }
  return out
}

/** @param count - how many there must be. @throws {AuditError} BAD_ENTRY when the bytes are not exactly so many. */
export function parseBundle(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && entries.length < count) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY
    if (end > bytes.length) bad('a bundle ends in the middle of one')
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  if (entries.length !== count || at !== bytes.length) bad(`a bundle does not have ${count} entries`)
  return entries
}
