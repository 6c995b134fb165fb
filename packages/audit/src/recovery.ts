import { equalBytes, utf8 } from '@conclave/core'
import { damaged } from './audit-error.ts'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { FRESH_DIR, type LogFiles, readTile } from './disk.ts'
import { parseBundle } from './entry.ts'
import { EMPTY_ROOT, leafHash, rootOf, type TreeHead } from './merkle.ts'
import { parseTail } from './tail.ts'
import { TILE_WIDTH, TileReader, TreeEdge, tilePath, tileWidth } from './tiles.ts'

/** How far tiles have been made: origin, size and root as in a checkpoint, without signatures. */
export const HEAD_FILE = 'head'
export const TAIL_DIR = 'tail'
const TAIL_BYTES_MAX = 256 * 1024 * 1024
const TAIL_NAME = /^\d{13}$/
const TEXT_BYTES_MAX = 1024

export const tailFile = (first: number): string => `${TAIL_DIR}/${String(first).padStart(13, '0')}`

/** A log as it is found on the disk. */
export interface RecoveredLog {
  readonly edge: TreeEdge
  /** From the beginning of the last bundle that is not full in the tiles. */
  readonly entries: Uint8Array[]
  readonly firstEntry: number
  /** As far as there are tiles. */
  readonly head: TreeHead
  /** The last tail: where it begins, and how many bytes of it hold. */
  readonly tail: { readonly first: number; readonly bytes: number; readonly isTorn: boolean }
}

/** Makes an empty log. @throws {AuditError} AUDIT_UNAVAILABLE, AUDIT_DAMAGED when there is something already. */
export async function createLog(files: LogFiles, origin: string): Promise<void> {
  const present = await files.list('.')
  // What a crash in the middle of this leaves behind is a tail without bytes.
  const isLeftover = present.every((name) => name === TAIL_DIR || name === FRESH_DIR)
  const tail = await files.read(tailFile(0), 0)
  if (!isLeftover || (await files.list(TAIL_DIR)).length > (tail === undefined ? 0 : 1))
    throw damaged(`there is no file "${HEAD_FILE}", but other files are there`)
  await (await files.openTail(tailFile(0))).close()
  await files.putNow(HEAD_FILE, utf8(formatCheckpoint({ origin, size: 0, root: EMPTY_ROOT })))
}

export async function readHead(files: Pick<LogFiles, 'read'>, origin: string): Promise<TreeHead | undefined> {
  const bytes = await files.read(HEAD_FILE, TEXT_BYTES_MAX)
  if (bytes === undefined) return undefined
  let head: ReturnType<typeof parseCheckpoint>
  try {
    head = parseCheckpoint(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw damaged(`the file "${HEAD_FILE}" is not readable`, cause)
  }
  if (head.origin !== origin) throw damaged(`this is the log of "${head.origin}", not of "${origin}"`)
  return head
}

/** Where the tails begin, in order. */
export async function listTails(files: Pick<LogFiles, 'list'>): Promise<readonly number[]> {
  const names = await files.list(TAIL_DIR)
  return names
    .filter((name) => TAIL_NAME.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** The entries that lie in the tails, which must reach entry `from`. @param found - told of every one of them, in order. */
export async function readTails(
  files: Pick<LogFiles, 'read' | 'list'>,
  from: number,
  found: (entry: Uint8Array, index: number) => void,
): Promise<RecoveredLog['tail']> {
  const firsts = await listTails(files)
  const first = firsts[0]
  if (first === undefined || first > from) throw damaged(`the tail of entry ${from} is not there`)
  let next = first
  let tail: RecoveredLog['tail'] | undefined
  for (const at of firsts) {
    if (at !== next) throw damaged(`the tail of entry ${next} is not there`)
    const bytes = await files.read(tailFile(at), TAIL_BYTES_MAX)
    if (bytes === undefined) throw damaged(`the tail of entry ${at} went away`)
    const parsed = parseTail(bytes, at)
    // A tail is closed only when all that is in it is durable.
    if (parsed.isTorn && at !== firsts.at(-1)) throw damaged(`the tail of entry ${at} is torn, and another one follows it`)
    for (const [i, entry] of parsed.entries.entries()) found(entry, at + i)
    next = at + parsed.entries.length
    tail = { first: at, bytes: parsed.bytes, isTorn: parsed.isTorn }
  }
  if (tail === undefined || next < from) throw damaged(`the tails end before entry ${from}`)
  return tail
}

/**
 * Finds the state of a log: the right edge of its tiles, which must come to the root that was noted, and the tail behind them. The work
 * is that of the edge (a tile a level) and of the tail.
 *
 * @throws {AuditError} AUDIT_DAMAGED, AUDIT_UNAVAILABLE.
 */
export async function recoverLog(files: LogFiles, head: TreeHead): Promise<RecoveredLog> {
  const { size } = head
  const partial = async (address: Parameters<typeof readTile>[1]): Promise<Uint8Array> => {
    const bytes = await readTile(files, address)
    if (bytes === undefined) throw damaged(`a tile of level ${address.level} is missing`)
    return bytes.slice(0, address.width * 32)
  }
  const edge = await TreeEdge.load(size, partial)
  if (!equalBytes(await rootOf(new TileReader(edge, size), size), head.root))
    throw damaged('the tiles do not come to the root that was noted')
  const bundle = Math.floor(size / TILE_WIDTH)
  const width = tileWidth('entries', bundle, size)
  const entries: Uint8Array[] = []
  if (width > 0) {
    const bytes = await files.read(tilePath({ level: 'entries', index: bundle, width }))
    if (bytes === undefined) throw damaged('the last bundle of entries is missing')
    for (const entry of parseBundle(bytes, width)) entries.push(entry)
    const leaves = edge.held({ level: 0, index: bundle, width })
    for (const [i, entry] of entries.entries()) {
      if (!equalBytes(leafHash(entry), leaves.subarray(32 * i, 32 * (i + 1)))) throw damaged(`entry ${bundle * TILE_WIDTH + i} was changed`)
    }
  }
  const tail = await readTails(files, size, (entry, index) => {
    if (index < size) return
    edge.push(leafHash(entry))
    entries.push(entry)
  })
  return { edge, entries, firstEntry: bundle * TILE_WIDTH, head, tail }
}
