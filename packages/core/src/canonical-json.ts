import { InvalidArgument } from './errors.ts'

export const JSON_DEPTH_MAX = 32

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

function badJson(message: string, cause?: unknown): InvalidArgument {
  return new InvalidArgument('BAD_JSON', message, {}, cause)
}

function write(value: JsonValue, depth: number): string {
  if (depth > JSON_DEPTH_MAX) throw badJson(`JSON of more than ${JSON_DEPTH_MAX} levels`)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = value as { readonly [name: string]: JsonValue }
  // By UTF-16 code units, as RFC 8785 asks and as sort() does.
  const names = Object.keys(fields).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${write(fields[name] as JsonValue, depth + 1)}`).join()}}`
}

/** The one text of a JSON value: RFC 8785, with names in order and without spaces. @throws {InvalidArgument} BAD_JSON on too many levels. */
export function canonicalJson(value: JsonValue): string {
  return write(value, 0)
}

/**
 * Reads JSON that is its own canonical text: nothing in it can be read in two ways, such as a name that occurs twice or a number that
 * is rounded.
 *
 * @throws {InvalidArgument} BAD_JSON.
 */
export function parseCanonicalJson(bytes: Uint8Array): JsonValue {
  let text: string
  let value: JsonValue
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text) as JsonValue
  } catch (cause) {
    throw badJson('not JSON in UTF-8', cause)
  }
  if (canonicalJson(value) !== text)
    throw badJson('not canonical JSON (RFC 8785): names in order and once, no spaces, numbers in their shortest form')
  return value
}
