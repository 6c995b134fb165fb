import { hash } from 'node:crypto'
import { equalBytes, InvalidArgument } from '@conclave/core'

export const HASH_BYTES = 32
/** Entries of one log: every size and index stays an exact number, and a proof at most 40 hashes long. */
export const SIZE_MAX = 2 ** 40

const sha256 = (bytes: Uint8Array): Uint8Array => {
  const out = hash('sha256', bytes, 'buffer')
  return new Uint8Array(out.buffer, out.byteOffset, HASH_BYTES)
}

/** Of a tree without leaves. */
export const EMPTY_ROOT = sha256(new Uint8Array(0))

/** RFC 6962, 2.1: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length)
  input.set(entry, 1)
  return sha256(input)
}

const pair = new Uint8Array(1 + 2 * HASH_BYTES)
pair[0] = 1

/** RFC 6962, 2.1: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1)
  pair.set(right, 1 + HASH_BYTES)
  return sha256(pair)
}

/** Root of a complete subtree. @param leaves - a power of two of them, concatenated. */
export function foldComplete(leaves: Uint8Array): Uint8Array {
  let row = Array.from({ length: leaves.length / HASH_BYTES }, (_, i) => leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i] as Uint8Array, row[2 * i + 1] as Uint8Array))
  }
  return row[0] as Uint8Array
}

/** A complete subtree: the leaves from index * 2^level on, 2^level of them. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** Where hashes of complete subtrees come from. */
export interface HashReader {
  hash(subtree: Subtree): Promise<Uint8Array>
}

/** Largest power of two below `n`, for n > 1: RFC 6962's k. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** The complete subtrees that make up the leaves from `from` to `to`, from left to right. */
function coverOf(from: number, to: number): readonly Subtree[] {
  const cover: Subtree[] = []
  for (let at = from; at < to; ) {
    let [level, width] = [0, 1]
    while (at % (2 * width) === 0 && at + 2 * width <= to) {
      level++
      width *= 2
    }
    cover.push({ level, index: at / width })
    at += width
  }
  return cover
}

type Range = readonly [from: number, to: number]

/** RFC 6962's MTH of the leaves of a range that its recursion comes to. */
async function rangeHash(reader: HashReader, [from, to]: Range): Promise<Uint8Array> {
  const hashes: Uint8Array[] = []
  for (const subtree of coverOf(from, to)) hashes.push(await reader.hash(subtree))
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

async function rangeHashes(reader: HashReader, ranges: readonly Range[]): Promise<readonly Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (const range of ranges) hashes.push(await rangeHash(reader, range))
  return hashes
}

/** Root of the tree of the first `size` leaves. */
export function rootOf(reader: HashReader, size: number): Promise<Uint8Array> {
  return size === 0 ? Promise.resolve(EMPTY_ROOT) : rangeHash(reader, [0, size])
}

/** RFC 6962, 2.1.1, leaf side first. @throws {InvalidArgument} BAD_INDEX unless index < size. */
export function inclusionProof(reader: HashReader, index: number, size: number): Promise<readonly Uint8Array[]> {
  if (!(index >= 0 && index < size)) throw new InvalidArgument('BAD_INDEX', `the tree of ${size} entries has no entry ${index}`)
  const ranges: Range[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + split(to - from)
    if (index < middle) {
      ranges.push([middle, to])
      to = middle
    } else {
      ranges.push([from, middle])
      from = middle
    }
  }
  return rangeHashes(reader, ranges.reverse())
}

/** RFC 6962, 2.1.2; empty from the empty tree, and to the same size. @throws {InvalidArgument} BAD_INDEX unless old <= size. */
export function consistencyProof(reader: HashReader, old: number, size: number): Promise<readonly Uint8Array[]> {
  if (!(old >= 0 && old <= size)) throw new InvalidArgument('BAD_INDEX', `a tree of ${size} entries does not go on from one of ${old}`)
  if (old === 0 || old === size) return Promise.resolve([])
  const ranges: Range[] = []
  let [from, to] = [0, size]
  while (to > old) {
    const middle = from + split(to - from)
    if (old <= middle) {
      ranges.push([middle, to])
      to = middle
    } else {
      ranges.push([from, middle])
      from = middle
    }
  }
  // When the old tree is a complete subtree of the new one, whoever checks has its root already.
  if (from > 0) ranges.push([from, to])
  return rangeHashes(reader, ranges.reverse())
}

const half = (n: number): number => Math.floor(n / 2)
const isOdd = (n: number): boolean => n % 2 === 1

/** Whether the leaf is at `index` in the tree of `size` leaves with that root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  at: { index: number; size: number },
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const { index, size } = at
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size && size <= SIZE_MAX)) return false
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of proof) {
    if (sn === 0 || p.length !== HASH_BYTES) return false
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else r = nodeHash(r, p)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equalBytes(r, root)
}

/** A tree as far as a checkpoint describes it. */
export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/** Whether `next` is `old` with leaves added behind, or the same (RFC 9162, 2.1.4.2). */
export function verifyConsistency(old: TreeHead, next: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!(old.size >= 0 && old.size <= next.size && next.size <= SIZE_MAX) || proof.some((p) => p.length !== HASH_BYTES)) return false
  if (old.size === 0) return proof.length === 0 && equalBytes(old.root, EMPTY_ROOT) && (next.size > 0 || equalBytes(next.root, EMPTY_ROOT))
  if (old.size === next.size) return proof.length === 0 && equalBytes(old.root, next.root)
  let [fn, sn] = [old.size - 1, next.size - 1]
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  // A complete old tree stands for itself.
  const path = fn === 0 ? [old.root, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined) return false
  let [fr, sr] = [first, first]
  for (const c of rest) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr)
      sr = nodeHash(c, sr)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else sr = nodeHash(sr, c)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equalBytes(fr, old.root) && equalBytes(sr, next.root)
}
