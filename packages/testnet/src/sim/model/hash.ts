/**
 * Stands in for packages/core/src/hash.ts in simulations: the same digests, from the native SHA-256 and without a copy of the state
 * for every one of them.
 */
import { createHash, hash } from 'node:crypto'

const LONG_BYTES = 1 << 14
const LABELS = new Map<string, Uint8Array>()

let scratch = new Uint8Array(1 << 16)
let length = 0

function append(bytes: Uint8Array): void {
  if (length + bytes.length > scratch.length) {
    const grown = new Uint8Array(2 * (length + bytes.length))
    grown.set(scratch)
    scratch = grown
  }
  scratch.set(bytes, length)
  length += bytes.length
}

const LENGTH = new Uint8Array(8)

function absorb(part: Uint8Array): void {
  const n = part.length
  LENGTH[4] = n >>> 24
  LENGTH[5] = n >>> 16
  LENGTH[6] = n >>> 8
  LENGTH[7] = n
  append(LENGTH)
  append(part)
}

/** Digest of what was appended. */
function digest(): Uint8Array {
  const bytes = scratch.subarray(0, length)
  if (length >= LONG_BYTES) return Uint8Array.from(createHash('sha256').update(bytes).digest())
  // A short text comes out of the native side several times faster than a buffer does.
  const text = hash('sha256', bytes, 'binary')
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = text.charCodeAt(i)
  return out
}

function begin(label: string): void {
  let bytes = LABELS.get(label)
  if (bytes === undefined) {
    bytes = new TextEncoder().encode(`conclave/v1/${label}`)
    LABELS.set(label, bytes)
  }
  length = 0
  append(bytes)
}

const BLOCK = new Uint8Array(4)

function expand(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  const prefix = length
  for (let block = 0, at = 0; at < bytes; block++, at += 32) {
    length = prefix
    BLOCK[2] = block >>> 8
    BLOCK[3] = block
    absorb(BLOCK)
    out.set(digest().subarray(0, Math.min(32, bytes - at)), at)
  }
  return out
}

export class TaggedState {
  readonly #prefix: Uint8Array

  constructor(label: string, parts: readonly Uint8Array[] = []) {
    begin(label)
    for (const p of parts) absorb(p)
    this.#prefix = scratch.slice(0, length)
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    this.#begin(parts)
    return digest()
  }

  expand(bytes: number, ...parts: readonly Uint8Array[]): Uint8Array {
    this.#begin(parts)
    return expand(bytes)
  }

  #begin(parts: readonly Uint8Array[]): void {
    length = 0
    append(this.#prefix)
    for (const p of parts) absorb(p)
  }
}

export function tagged(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  begin(label)
  for (const p of parts) absorb(p)
  return digest()
}

export function taggedExpand(label: string, bytes: number, ...parts: readonly Uint8Array[]): Uint8Array {
  begin(label)
  for (const p of parts) absorb(p)
  return expand(bytes)
}
