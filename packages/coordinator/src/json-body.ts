import { ApiError } from './problem.ts'

/** Levels of objects and lists; no body of this API has more than five. */
const DEPTH_MAX = 32
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Index of the quote that ends the string which begins at `start`. The text is valid JSON. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  for (;;) {
    let before = end
    while (text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((end - before) % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
}

/** How many members all objects of a valid JSON text have together, as they are written. */
function membersWritten(text: string): number {
  let members = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) members++
    else if (code === QUOTE) i = endOfString(text, i)
  }
  return members
}

function checkText(text: string): void {
  // A database takes neither, and no field of ours needs them.
  if (text.includes('\0') || !text.isWellFormed()) throw new ApiError('BAD_JSON', 'the body has a text that is not Unicode, or a NUL in it')
}

/** How many members all objects of a value have together. @throws {ApiError} BAD_JSON. */
function membersKept(root: unknown): number {
  let members = 0
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw new ApiError('BAD_JSON', `the body is deeper than ${DEPTH_MAX} levels`)
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value === 'string') checkText(value)
      if (typeof value !== 'object' || value === null) continue
      if (!Array.isArray(value)) {
        const names = Object.keys(value)
        members += names.length
        for (const name of names) checkText(name)
      }
      for (const inner of Object.values(value)) next.push(inner)
    }
    level = next
  }
  return members
}

/** @throws {ApiError} BAD_JSON. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    throw new ApiError('BAD_JSON', 'the body is not UTF-8', { cause })
  }
}

/**
 * Refuses what `JSON.parse` takes without a word: of a field that is named twice it keeps the last, and whoever read the first has seen another body.
 *
 * @param value - what the text was parsed to.
 * @throws {ApiError} DUPLICATE_FIELD; BAD_JSON when it is too deep, or a text in it is not well-formed Unicode or has a NUL.
 */
export function checkJson(text: string, value: unknown): void {
  if (membersKept(value) !== membersWritten(text)) throw new ApiError('DUPLICATE_FIELD', 'the body names a field twice')
}
