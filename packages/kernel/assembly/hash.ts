// Many hashes of messages that differ in a few fields: eight at once, from the state after what they share.
//
// A message is a prefix of whole blocks and a tail. The tail's words lie in memory as vectors, a lane for each of four messages, and the
// words of four more messages after them; fields are put into them at any byte. The last fields are counters: that of a column if there
// is one, and the number of the block of output. Blocks of the tail before the counters are the head, which all that is counted shares.
// When no other field reaches beyond the head, the blocks after it are the same in all messages and their schedules are made once. What is
// laid out where is public, what the fields hold is not.
import { BLOCK, rounds, schedule, SCHEDULE, start, STATES } from './sha256'
import { reduceFour, wipeLimbs } from './wide'

/** Messages at once, and on one side. */
const MESSAGES: usize = 8
const LANES: usize = 4
/** The tail's blocks from that of the first counter on: counters and padding reach into at most one more. */
const LAST_BLOCKS: usize = 2
/** Schedules of the last blocks for both sides. */
const LAST: usize = 2 * LAST_BLOCKS * SCHEDULE
/** Blocks of output that make a scalar. */
const WIDE_BLOCKS: usize = 2

const ZERO: usize = memory.data(STATES, 16)
/** After the prefix. */
const MIDDLE: usize = memory.data(STATES, 16)
/** After those eight rounds on top that see nothing but the prefix, if there are such, not added to what was before. */
const EARLY: usize = memory.data(STATES, 16)
/** After the head. */
const HEAD: usize = memory.data(STATES, 16)
const DIGESTS: usize = memory.data(WIDE_BLOCKS * STATES, 16)
const EXPANDED: usize = memory.data(4 * BLOCK, 16)
const SCHEDULES: usize = memory.data(2 * SCHEDULE, 16)
const WIDE: usize = memory.data(WIDE_BLOCKS * LAST, 16)

/** Swaps the bytes of each word. */
function turnWords(v: v128): v128 { return i8x16.shuffle(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12) }

/** Puts 32 bits into each lane of words, at any byte. */
function put(words: usize, at: usize, value: v128): void {
  const word = words + ((at >> 2) << 4), shift = i32(at & 3) << 3, ones = i32x4.splat(-1)
  // Two shifts leave the second word as it is when nothing of the value reaches it.
  const here = i32x4.shr_u(ones, shift), next = i32x4.shl(i32x4.shl(ones, 1), 31 - shift)
  v128.store(word, v128.bitselect(i32x4.shr_u(value, shift), v128.load(word), here), 0)
  v128.store(word, v128.bitselect(i32x4.shl(i32x4.shl(value, 1), 31 - shift), v128.load(word, 16), next), 16)
}

/** Puts 16 bytes into each lane: those at `rows`, at `rows + stride` and so on. */
function putBytes(words: usize, at: usize, rows: usize, stride: usize, offset: v128): void {
  const a = turnWords(v128.xor(v128.load(rows), offset)), b = turnWords(v128.xor(v128.load(rows + stride), offset))
  const c = turnWords(v128.xor(v128.load(rows + 2 * stride), offset)), d = turnWords(v128.xor(v128.load(rows + 3 * stride), offset))
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5), ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7)
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5), cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7)
  put(words, at, i64x2.shuffle(ab0, cd0, 0, 2))
  put(words, at + 4, i64x2.shuffle(ab0, cd0, 1, 3))
  put(words, at + 8, i64x2.shuffle(ab1, cd1, 0, 2))
  put(words, at + 12, i64x2.shuffle(ab1, cd1, 1, 3))
}

/** Spreads whole blocks of bytes into words, the same in all lanes. */
function spread(bytes: usize, out: usize, blocks: usize): void {
  for (let i: usize = 0; i < 16 * blocks; i++) v128.store(out + 16 * i, i32x4.splat(i32(bswap(load<u32>(bytes + 4 * i)))))
}

/**
 * Takes in the prefix and the tail, whose fields hold zero.
 *
 * @param words - room for the words of the tail, twice.
 * @param early - 8 when the head is not empty and its first 8 words hold no field, otherwise 0.
 */
export function prepareHash(prefix: usize, prefixBlocks: usize, tail: usize, blocks: usize, words: usize, early: usize): void {
  start(MIDDLE)
  for (let b: usize = 0; b < prefixBlocks; b++) {
    spread(prefix + 64 * b, words, 1)
    schedule(words, EXPANDED, SCHEDULES)
    rounds(MIDDLE, 0, 64, SCHEDULES, SCHEDULES, MIDDLE, MIDDLE)
  }
  spread(tail, words, blocks)
  spread(tail, words + BLOCK * blocks, blocks)
  schedule(words, EXPANDED, SCHEDULES)
  rounds(MIDDLE, 0, early, SCHEDULES, SCHEDULES, ZERO, EARLY)
}

/** The states after the head's blocks, of which there are `heads`; the first one begins with round `early`. */
function runHead(words: usize, blocks: usize, heads: usize, early: usize): void {
  let state = EARLY, feed = MIDDLE
  if (heads == 0) memory.copy(HEAD, MIDDLE, STATES)
  for (let b: usize = 0; b < heads; b++) {
    schedule(words + BLOCK * b, EXPANDED, SCHEDULES)
    schedule(words + BLOCK * (blocks + b), EXPANDED, SCHEDULES + SCHEDULE)
    rounds(state, early, 64, SCHEDULES, SCHEDULES + SCHEDULE, feed, HEAD)
    state = HEAD
    feed = HEAD
    early = 0
  }
}

/** The schedules of the last blocks, of which there are `count`. */
function scheduleLast(words: usize, side: usize, count: usize, out: usize): void {
  for (let b: usize = 0; b < count; b++) {
    schedule(words + BLOCK * b, EXPANDED, out)
    schedule(side + BLOCK * b, EXPANDED, out + SCHEDULE)
    out += 2 * SCHEDULE
  }
}

/** The same for block `n` of the output. */
function scheduleNumber(words: usize, blocks: usize, last: usize, n: usize, out: usize): void {
  const number = i32x4.splat(i32(n)), heads = last >> 6, side = words + BLOCK * blocks
  put(words, last, number)
  put(side, last, number)
  scheduleLast(words + BLOCK * heads, side + BLOCK * heads, blocks - heads, out)
}

/** Eight digests, from the states after the head. */
function runLast(blocks: usize, schedules: usize, out: usize): void {
  let state = HEAD
  for (let b: usize = 0; b < blocks; b++) {
    rounds(state, 0, 64, schedules, schedules + SCHEDULE, state, out)
    state = out
    schedules += 2 * SCHEDULE
  }
}

/** Eight scalars, at `out` and multiples of `stride` after it. */
function digestScalars(out: usize, stride: usize, blocks: usize, schedules: usize): void {
  runLast(blocks, schedules, DIGESTS)
  runLast(blocks, schedules + LAST, DIGESTS + STATES)
  reduceFour(out, stride, DIGESTS, DIGESTS + STATES)
  reduceFour(out + LANES * stride, stride, DIGESTS + 128, DIGESTS + STATES + 128)
}

function indices(j: usize): v128 { return i32x4.add(i32x4.splat(i32(j)), i32x4(0, 1, 2, 3)) }

function wipe(): void {
  memory.fill(MIDDLE, 0, STATES)
  memory.fill(EARLY, 0, STATES)
  memory.fill(HEAD, 0, STATES)
  memory.fill(DIGESTS, 0, WIDE_BLOCKS * STATES)
  memory.fill(EXPANDED, 0, 4 * BLOCK)
  memory.fill(SCHEDULES, 0, 2 * SCHEDULE)
  memory.fill(WIDE, 0, WIDE_BLOCKS * LAST)
  wipeLimbs()
}

/** The schedules of the last blocks, for each column and both blocks of the output that make its scalar. */
function scheduleColumns(words: usize, blocks: usize, column: usize, columns: usize, out: usize): void {
  const heads = column >> 6, side = words + BLOCK * blocks
  for (let c: usize = 0; c < columns; c++) {
    put(words, column, i32x4.splat(i32(c)))
    put(side, column, i32x4.splat(i32(c)))
    for (let n: usize = 0; n < WIDE_BLOCKS; n++) {
      put(words, column + 12, i32x4.splat(i32(n)))
      put(side, column + 12, i32x4.splat(i32(n)))
      scheduleLast(words + BLOCK * heads, side + BLOCK * heads, blocks - heads, out)
      out += LAST
    }
  }
}

/**
 * After `prepareHash`. Fields: j and 16 bytes from byte `first` of the tail on, then c from byte `column` on, then the number.
 *
 * @param count - rows, a multiple of 8.
 * @param schedules - room for those of the last blocks, for both blocks of output of each column.
 * @returns at `out`, scalars by row and column.
 */
export function hashRows(
  out: usize, rows: usize, offset: usize, schedules: usize, count: usize, columns: usize, words: usize, blocks: usize, first: usize,
  column: usize, early: usize,
): void {
  const x = v128.load(offset), stride = 32 * columns, heads = column >> 6, side = words + BLOCK * blocks
  const shared = first + 20 <= 64 * heads
  if (shared) scheduleColumns(words, blocks, column, columns, schedules)
  for (let j: usize = 0; j < count; j += MESSAGES) {
    put(words, first, indices(j))
    put(side, first, indices(j + LANES))
    putBytes(words, first + 4, rows + 16 * j, 16, x)
    putBytes(side, first + 4, rows + 16 * (j + LANES), 16, x)
    if (!shared) scheduleColumns(words, blocks, column, columns, schedules)
    runHead(words, blocks, heads, early)
    for (let c: usize = 0; c < columns; c++) {
      digestScalars(out + stride * j + 32 * c, stride, blocks - heads, schedules + WIDE_BLOCKS * LAST * c)
    }
  }
  wipe()
}

/** After `prepareHash`. Field: j. `count` is a multiple of 8. */
export function hashIndices(out: usize, count: usize, words: usize, blocks: usize, first: usize, last: usize, early: usize): void {
  const heads = last >> 6, side = words + BLOCK * blocks
  for (let j: usize = 0; j < count; j += MESSAGES) {
    put(words, first, indices(j))
    put(side, first, indices(j + LANES))
    runHead(words, blocks, heads, early)
    scheduleNumber(words, blocks, last, 0, WIDE)
    scheduleNumber(words, blocks, last, 1, WIDE + LAST)
    digestScalars(out + 32 * j, 32, blocks - heads, WIDE)
  }
  wipe()
}

/** Writes four digests as bytes, to `out` and multiples of `stride` after it. */
function storeDigests(out: usize, stride: usize, digests: usize): void {
  for (let half: usize = 0; half < 32; half += 16) {
    const at = digests + 4 * half
    const a = turnWords(v128.load(at, 0)), b = turnWords(v128.load(at, 16)), c = turnWords(v128.load(at, 32)), d = turnWords(v128.load(at, 48))
    const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5), ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7)
    const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5), cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7)
    v128.store(out + half, i64x2.shuffle(ab0, cd0, 0, 2))
    v128.store(out + half + stride, i64x2.shuffle(ab0, cd0, 1, 3))
    v128.store(out + half + 2 * stride, i64x2.shuffle(ab1, cd1, 0, 2))
    v128.store(out + half + 3 * stride, i64x2.shuffle(ab1, cd1, 1, 3))
  }
}

/** Puts 32 bytes into each lane. */
function putSeeds(words: usize, at: usize, seeds: usize): void {
  putBytes(words, at, seeds, 32, i32x4.splat(0))
  putBytes(words, at + 16, seeds + 16, 32, i32x4.splat(0))
}

/**
 * After `prepareHash`. Field: 32 bytes.
 *
 * @param count - seeds, a multiple of 8.
 * @param schedules - room for those of the last blocks, for each block of output.
 * @param out - `bytes` for each seed; room for whole digests.
 */
export function expandSeeds(
  out: usize, seeds: usize, schedules: usize, count: usize, bytes: usize, words: usize, blocks: usize, first: usize, last: usize,
  early: usize,
): void {
  const digests = (bytes + 31) >> 5, stride = 32 * digests, heads = last >> 6, side = words + BLOCK * blocks
  const shared = first + 32 <= 64 * heads
  if (shared) for (let n: usize = 0; n < digests; n++) scheduleNumber(words, blocks, last, n, schedules + LAST * n)
  for (let i: usize = 0; i < count; i += MESSAGES) {
    putSeeds(words, first, seeds + 32 * i)
    putSeeds(side, first, seeds + 32 * (i + LANES))
    if (!shared) for (let n: usize = 0; n < digests; n++) scheduleNumber(words, blocks, last, n, schedules + LAST * n)
    runHead(words, blocks, heads, early)
    for (let n: usize = 0; n < digests; n++) {
      runLast(blocks - heads, schedules + LAST * n, DIGESTS)
      storeDigests(out + stride * i + 32 * n, stride, DIGESTS)
      storeDigests(out + stride * (i + LANES) + 32 * n, stride, DIGESTS + 128)
    }
  }
  for (let i: usize = 1; i < count; i++) memory.copy(out + bytes * i, out + stride * i, bytes)
  wipe()
}
