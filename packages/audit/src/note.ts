import { concat, equalBytes, utf8 } from '@conclave/core'
import { AuditError } from './audit-error.ts'

/** C2SP signed-note: a text, an empty line, and a line for each signature. */
export interface Note {
  /** With its last newline: what is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly name: string
  /** 4 bytes. */
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** Whoever checks the signatures of one key. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: Uint8Array
  /** Never throws: what is malformed is no signature. */
  verify(text: string, signature: Uint8Array): boolean
}

export const NOTE_BYTES_MAX = 128 * 1024
export const NOTE_SIGNATURES_MAX = 32
const KEY_ID_BYTES = 4
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const KEY_NAME = /^[^\s+\p{Z}\p{C}]{1,200}$/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be in a note.
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

function bad(message: string): never {
  throw new AuditError('BAD_NOTE', `signed note: ${message}`)
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** Strict: one text for one value. @throws {AuditError} BAD_NOTE. */
export function fromBase64(text: string): Uint8Array {
  if (!BASE64.test(text)) bad('not base64')
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  // The last character may hold bits that stand for nothing.
  if (toBase64(bytes) !== text) bad('not base64')
  return bytes
}

/** One signature line. @throws {AuditError} BAD_NOTE. */
export function parseSignatureLine(line: string): NoteSignature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ')
  if (dash !== '\u2014' || !KEY_NAME.test(name) || rest.length > 0) bad('not a signature line')
  const bytes = fromBase64(encoded)
  if (bytes.length <= KEY_ID_BYTES) bad('a signature is empty')
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) }
}

export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!KEY_NAME.test(name)) bad('not a key name')
  return `\u2014 ${name} ${toBase64(concat(keyId, signature))}`
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws {AuditError} BAD_NOTE unless it is exactly what {@link formatNote} makes. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) bad(`longer than ${NOTE_BYTES_MAX} bytes`)
  let whole: string
  try {
    whole = decoder.decode(bytes)
  } catch (cause) {
    throw new AuditError('BAD_NOTE', 'signed note: not UTF-8', { cause })
  }
  if (CONTROL.test(whole)) bad('a control character')
  const end = whole.lastIndexOf('\n\n')
  if (end < 0 || !whole.endsWith('\n')) bad('no signatures')
  const lines = whole
    .slice(end + 2)
    .split('\n')
    .slice(0, -1)
  if (lines.length === 0 || lines.length > NOTE_SIGNATURES_MAX) bad(`not 1 to ${NOTE_SIGNATURES_MAX} signatures`)
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

export function formatNote({ text, signatures }: Note): Uint8Array {
  if (!text.endsWith('\n') || CONTROL.test(text) || signatures.length === 0) bad('not a text with signatures')
  return utf8(`${text}\n${signatures.map((s) => `${formatSignatureLine(s)}\n`).join('')}`)
}

const isBy = (s: NoteSignature, v: NoteVerifier) => s.name === v.name && equalBytes(s.keyId, v.keyId)

/** What the signatures of a note come to. */
export interface NoteVerdict<V extends NoteVerifier> {
  /** Those that hold, each key once. */
  readonly valid: readonly { readonly verifier: V; readonly signature: Uint8Array }[]
  /** Of known keys, and wrong. */
  readonly wrong: readonly NoteSignature[]
  /** Of keys that nobody asked about. */
  readonly unknown: readonly NoteSignature[]
  /** Of known keys that had signed already. */
  readonly repeated: readonly NoteSignature[]
}

/** Judges every signature of a note by the keys that are known. */
export function verifyNote<V extends NoteVerifier>(note: Note, verifiers: readonly V[]): NoteVerdict<V> {
  const valid: { verifier: V; signature: Uint8Array }[] = []
  const [wrong, unknown, repeated]: [NoteSignature[], NoteSignature[], NoteSignature[]] = [[], [], []]
  for (const s of note.signatures) {
    const verifier = verifiers.find((v) => isBy(s, v))
    if (verifier === undefined) unknown.push(s)
    else if (valid.some((v) => v.verifier === verifier)) repeated.push(s)
    else if (verifier.verify(note.text, s.signature)) valid.push({ verifier, signature: s.signature })
    else wrong.push(s)
  }
  return { valid, wrong, unknown, repeated }
}
