import { createHash, hash } from 'node:crypto'

const DOMAIN = 'conclave/v1/'
const LENGTH_BYTES = 8
/** Up to here the input is laid out in one piece: one native call costs less than a state that is updated part by part. */
const JOINED_BYTES_MAX = 1 << 15
/** From here on several blocks of output are made from one state: to copy it costs less than to hash so much again. */
const SHARED_BYTES_MIN = 1 << 11
const DIGEST_BYTES = 32

const encoder = new TextEncoder()
const scratch = new Uint8Array(JOINED_BYTES_MAX)

/** Bytes that `label` and `parts` come to. Labels are ASCII. */
function inputBytes(label: string, parts: readonly Uint8Array[]): number {
  let sum = DOMAIN.length + label.length
  for (const p of parts) sum += LENGTH_BYTES + p.length
  return sum
}

/** Writes the 64-bit length of a part, whose upper half no array reaches. */
function putLength(out: Uint8Array, at: number, length: number): void {
  out[at] = 0
  out[at + 1] = 0
  out[at + 2] = 0
  out[at + 3] = 0
  out[at + 4] = length >>> 24
  out[at + 5] = length >>> 16
  out[at + 6] = length >>> 8
  out[at + 7] = length
}

/** Lays the input out from the beginning of `out`; returns where it ends. */
function layOut(out: Uint8Array, label: string, parts: readonly Uint8Array[]): number {
  let at = encoder.encodeInto(DOMAIN + label, out).written
  for (const p of parts) {
    putLength(out, at, p.length)
    out.set(p, at + LENGTH_BYTES)
    at += LENGTH_BYTES + p.length
  }
  return at
}

const plain = (b: Buffer): Uint8Array => new Uint8Array(b.buffer, b.byteOffset, b.length)

/** SHA-256 of the first `end` bytes of `input`. */
const digestOf = (input: Uint8Array, end: number): Uint8Array => plain(hash('sha256', input.subarray(0, end), 'buffer'))

/** The bytes that {@link tagged} hashes first, for a function that hashes more parts after them. */
export function taggedPrefix(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(inputBytes(label, parts))
  layOut(out, label, parts)
  return out
}

/**
 * The specification's `T`: SHA-256 of `conclave/v1/` + label, then every part prefixed with its 64-bit big-endian length.
 *
 * Labels are constants in ASCII without NUL, and a length begins with NUL bytes, so two different (label, parts) never hash the same
 * bytes (CVE-2022-47931 is what happens without this).
 *
 * @returns 32 bytes.
 */
export function tagged(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  if (inputBytes(label, parts) > JOINED_BYTES_MAX) return hashInParts(label, parts)
  const end = layOut(scratch, label, parts)
  const out = digestOf(scratch, end)
  scratch.fill(0, 0, end)
  return out
}

function hashInParts(label: string, parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash('sha256').update(DOMAIN + label)
  const length = new Uint8Array(LENGTH_BYTES)
  for (const p of parts) {
    putLength(length, 0, p.length)
    state.update(length).update(p)
  }
  return plain(state.digest())
}

/** `T` in counter mode: `length` bytes; block b appends the 32-bit b as a last part. */
export function taggedExpand(label: string, length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(4)
  const input = taggedPrefix(label, ...parts, block)
  const out = new Uint8Array(length)
  if (input.length <= SHARED_BYTES_MIN) fillOneByOne(out, input)
  else fillFromOneState(out, input)
  input.fill(0)
  return out
}

/** The last four bytes of `input` are the number of the block. */
function fillOneByOne(out: Uint8Array, input: Uint8Array): void {
  const number = new DataView(input.buffer, input.length - 4)
  for (let b = 0, at = 0; at < out.length; b++, at += DIGEST_BYTES) {
    number.setUint32(0, b)
    putDigest(out, at, digestOf(input, input.length))
  }
}

/** The same; what comes before the number is hashed once. */
function fillFromOneState(out: Uint8Array, input: Uint8Array): void {
  const number = input.subarray(input.length - 4)
  const view = new DataView(input.buffer, input.length - 4)
  const state = createHash('sha256').update(input.subarray(0, input.length - 4))
  for (let b = 0, at = 0; at < out.length; b++, at += DIGEST_BYTES) {
    view.setUint32(0, b)
    putDigest(out, at, state.copy().update(number).digest())
  }
}

/** As much of a digest as there is room for; wipes it. */
function putDigest(out: Uint8Array, at: number, digest: Uint8Array): void {
  out.set(at + DIGEST_BYTES <= out.length ? digest : digest.subarray(0, out.length - at), at)
  digest.fill(0)
}
