import type { Arena } from './arena.ts'
import { type Exports, wasm } from './load.ts'

const BLOCK_BYTES = 64
/** So many messages are hashed at once. */
export const MESSAGES = 8
const LENGTH_BYTES = 8
const COUNTER_BYTES = 4
/** The compiled code keeps the schedules of so many blocks from that of the first counter on, for all messages. */
export const LAST_SCHEDULES_BYTES = 4096
/** Rounds come in eights. */
const ROUNDS = 8

const { prepareHash } = wasm as Exports<'prepareHash'>

/** Where the compiled code finds what it hashes. */
export interface Messages {
  /** The words of the tail. */
  readonly words: number
  /** Blocks of the tail. */
  readonly blocks: number
  /** The tail's byte at which the first field begins. */
  readonly first: number
  /** That at which the first counter begins. */
  readonly counter: number
  /** The round with which the blocks that hold fields can begin. */
  readonly early: number
}

/**
 * Lays out messages of SHA-256 in counter mode: `prefix`, then each part with its length in front, then `counters` parts of 32 bits, the
 * last of which is the number of the block. What varies is zero here.
 *
 * @param parts - the first one varies.
 */
export function prepare(arena: Arena, prefix: Uint8Array, parts: readonly Uint8Array[], counters: number = 1): Messages {
  const whole = prefix.length - (prefix.length % BLOCK_BYTES)
  const fields = [...parts, ...Array.from({ length: counters }, () => new Uint8Array(COUNTER_BYTES))]
  const pieces = [prefix.subarray(whole), ...fields.flatMap((part) => [lengthOf(part.length), part])]
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const tail = new Uint8Array(Math.ceil((bytes + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES)
  let at = 0
  for (const piece of pieces) {
    tail.set(piece, at)
    at += piece.length
  }
  tail[bytes] = 0x80
  tail.set(lengthOf(8 * (whole + bytes)), tail.length - LENGTH_BYTES)
  const [first, blocks] = [prefix.length - whole + LENGTH_BYTES, tail.length / BLOCK_BYTES]
  const counter = bytes - counters * (LENGTH_BYTES + COUNTER_BYTES) + LENGTH_BYTES
  const early = counter >= BLOCK_BYTES && first >= 4 * ROUNDS ? ROUNDS : 0
  const words = arena.reserve(MESSAGES * tail.length)
  prepareHash(arena.put(prefix.subarray(0, whole)), whole / BLOCK_BYTES, arena.put(tail), blocks, words, early)
  return { words, blocks, first, counter, early }
}

/** 64 bits, big-endian. */
function lengthOf(n: number): Uint8Array {
  const out = new Uint8Array(LENGTH_BYTES)
  for (let i = LENGTH_BYTES - 1, rest = n; rest > 0; i--, rest = Math.floor(rest / 256)) out[i] = rest
  return out
}
