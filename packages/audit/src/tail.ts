import { hash } from 'node:crypto'
import { concat, equalBytes, utf8 } from '@conclave/core'
import { damaged } from './audit-error.ts'
import { formatBundle, parseBundle } from './entry.ts'

/**
 * The file that entries are appended to, batch by batch, before tiles are made of them:
 *
 *     magic "CLB1" | first index, 8 | entries, 4 | bytes of them, 4 | check of these 20, 8     28 bytes
 *     the entries as in a bundle
 *     SHA-256 of all that                                                                     32 bytes
 *
 * A batch is one write. Until it is durable nobody is told of it, and the next one is written only then: so what a crash tore is the
 * last batch, and nothing in it was ever acknowledged.
 */
const MAGIC = utf8('CLB1')
export const BATCH_HEADER_BYTES = 28
const CHECK_BYTES = 32
const BLOCK_BYTES = 512
/** Of one batch: what waits while the disk is busy is written together. */
export const BATCH_ENTRIES_MAX = 4096
export const BATCH_BYTES_MAX = 4 * 1024 * 1024

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'))

export function formatBatch(first: number, entries: readonly Uint8Array[]): Uint8Array {
  const payload = formatBundle(entries)
  const header = new Uint8Array(BATCH_HEADER_BYTES)
  const view = new DataView(header.buffer)
  header.set(MAGIC)
  view.setBigUint64(4, BigInt(first))
  view.setUint32(12, entries.length)
  view.setUint32(16, payload.length)
  header.set(sha256(header.subarray(0, 20)).subarray(0, 8), 20)
  const batch = concat(header, payload)
  return concat(batch, sha256(batch))
}

export interface Tail {
  readonly entries: readonly Uint8Array[]
  /** Length of what holds; behind it lies at most one batch that a crash tore. */
  readonly bytes: number
  readonly isTorn: boolean
}

/** Zeros of so many bytes at the end are not the end of a hash. */
const ZEROS_MIN = 16

/** A block that was never written reads as zeros. */
function hasHole(bytes: Uint8Array, from: number, to: number): boolean {
  for (let block = Math.ceil(from / BLOCK_BYTES) * BLOCK_BYTES; block + BLOCK_BYTES <= to; block += BLOCK_BYTES) {
    if (bytes.subarray(block, block + BLOCK_BYTES).every((b) => b === 0)) return true
  }
  const last = Math.max(from, Math.floor((to - 1) / BLOCK_BYTES) * BLOCK_BYTES)
  return to - last >= ZEROS_MIN && bytes.subarray(last, to).every((b) => b === 0)
}

function isHeader(bytes: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, 4), MAGIC) && equalBytes(sha256(bytes.subarray(0, 20)).subarray(0, 8), bytes.subarray(20, 28))
}

/** Whether a batch begins somewhere behind `from`. An entry never looks like one: it is text, and a header has bytes of zero. */
function hasBatchBehind(bytes: Uint8Array, from: number): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = buffer.indexOf(MAGIC, from); at >= 0; at = buffer.indexOf(MAGIC, at + 1)) {
    if (isHeader(bytes.subarray(at))) return true
  }
  return false
}

/** One batch at `at`, or why not: torn by a crash, or damaged. */
function batchAt(bytes: Uint8Array, at: number, first: number): { entries: readonly Uint8Array[]; end: number } | 'torn' {
  const header = bytes.subarray(at, at + BATCH_HEADER_BYTES)
  if (header.length < BATCH_HEADER_BYTES) return 'torn'
  const view = new DataView(header.buffer, header.byteOffset, header.length)
  if (!isHeader(header)) {
    const isHole = header.every((b) => b === 0) || hasHole(bytes, at, bytes.length)
    if (isHole && !hasBatchBehind(bytes, at + 1)) return 'torn'
    throw damaged(`a batch of the tail is not one, at byte ${at}`)
  }
  const [count, length] = [view.getUint32(12), view.getUint32(16)]
  if (view.getBigUint64(4) !== BigInt(first)) throw damaged(`a batch of the tail is not that of entry ${first}`)
  const end = at + BATCH_HEADER_BYTES + length + CHECK_BYTES
  if (count === 0 || count > BATCH_ENTRIES_MAX || end > at + 2 * BATCH_BYTES_MAX) throw damaged('a batch of the tail has a wrong length')
  if (end > bytes.length) return 'torn'
  if (!equalBytes(sha256(bytes.subarray(at, end - CHECK_BYTES)), bytes.subarray(end - CHECK_BYTES, end))) {
    if (end === bytes.length && hasHole(bytes, at, end)) return 'torn'
    throw damaged(`a batch of the tail was changed: entry ${first} or one behind it`)
  }
  return { entries: parseBundle(bytes.subarray(at + BATCH_HEADER_BYTES, end - CHECK_BYTES), count), end }
}

/**
 * Entries of a tail that begins with entry `first`.
 *
 * @throws {AuditError} AUDIT_DAMAGED when something is wrong that no crash explains: a changed byte in what is complete, something
 * behind a torn batch.
 */
export function parseTail(bytes: Uint8Array, first: number): Tail {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const batch = batchAt(bytes, at, first + entries.length)
    if (batch === 'torn') {
      if (bytes.length - at > 2 * BATCH_BYTES_MAX) throw damaged('the tail goes on behind a batch that is not complete')
      return { entries, bytes: at, isTorn: true }
    }
    entries.push(...batch.entries)
    at = batch.end
  }
  return { entries, bytes: at, isTorn: false }
}
