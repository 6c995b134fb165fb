import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, utf8 } from '@conclave/core'
import { AuditError } from './audit-error.ts'
import { type CheckpointKeys, type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts'
import { LogFiles } from './disk.ts'
import { entryText, parseEntry } from './entry.ts'
import type { LogView } from './log-view.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import { fromBase64, NOTE_BYTES_MAX, toBase64 } from './note.ts'

const FORMAT = 'conclave-audit-pack/1'
const MANIFEST_FILE = 'pack.json'
const CHECKPOINT_NAME = 'checkpoint'
const LOCK_NAME = /^lock-\d{1,2}\.json$/
const MANIFEST_BYTES_MAX = 4096
const PACK_BYTES_MAX = 512 * 1024 * 1024
/** A pack is for people to read. */
export const PACK_ENTRIES_MAX = 100_000

/** Where in the life of a key or a node an event belongs, by the noun of its kind. */
const PHASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '1-membership': ['lock', 'node'],
    '2-key-ceremonies': ['dealing', 'share', 'key', 'pair'],
    '3-hardware': ['hsm', 'kek', 'record'],
    '4-approvals': ['request', 'approval', 'policy', 'freeze', 'approver'],
    '5-signing': ['session'],
    '6-backup': ['backup'],
    '7-log': ['audit'],
  }).flatMap(([phase, nouns]) => nouns.map((noun): [string, string] => [noun, phase])),
)
const OTHER_PHASE = '8-other'

export function phaseOf(kind: string): string {
  return PHASES.get(kind.slice(0, kind.indexOf('.'))) ?? OTHER_PHASE
}

/** Entries `from` to before `to` of a log, with all that proves that they are exactly those. */
export interface PackRange {
  readonly from: number
  readonly to: number
}

interface Line {
  readonly index: number
  /** The entry's bytes: they are text. */
  readonly entry: string
  /** Base64. */
  readonly proof: readonly string[]
}

/** Entries of a period, and one on either side of it, so that the pack shows where it begins and ends. */
export async function rangeOf(view: LogView, fromMs: number, toMs: number): Promise<PackRange> {
  let [first, last] = [-1, -1]
  for await (const { index, bytes } of view.entries()) {
    const { timeMs } = parseEntry(bytes)
    if (timeMs < fromMs || timeMs >= toMs) continue
    if (first < 0) first = index
    last = index
  }
  if (first < 0) throw new ConfigError('NOTHING_FOUND', 'the log has no signed entry of that time')
  return { from: Math.max(0, first - 1), to: Math.min(view.size, last + 2) }
}

/**
 * Writes an evidence pack into an empty or new directory: `pack.json`, the checkpoint, the cluster locks, and a file for each phase of the life cycle with
 * one entry and its inclusion proof a line. @returns entries by phase.
 *
 * @throws {ConfigError} PACK_EXISTS, PACK_TOO_LARGE, FILE_IO; what the view throws.
 */
export async function writePack(
  view: LogView,
  options: PackRange & { locks: readonly Uint8Array[] },
  dir: string,
): Promise<ReadonlyMap<string, number>> {
  const { from, to, locks } = options
  if (to - from > PACK_ENTRIES_MAX) throw new ConfigError('PACK_TOO_LARGE', `a pack has at most ${PACK_ENTRIES_MAX} entries: make several`)
  const phases = new Map<string, string[]>()
  for await (const { index, bytes } of view.entries(from, to)) {
    const line: Line = { index, entry: entryText(bytes), proof: (await view.inclusion(index)).map(toBase64) }
    const phase = phaseOf(parseEntry(bytes).kind)
    const lines = phases.get(phase) ?? []
    lines.push(`${JSON.stringify(line)}\n`)
    phases.set(phase, lines)
  }
  try {
    await mkdir(dir, { recursive: true })
    if ((await readdir(dir)).length > 0) throw new ConfigError('PACK_EXISTS', `${dir} is not empty`)
    const manifest = { format: FORMAT, origin: view.checkpoint.origin, from, to }
    await writeFile(join(dir, MANIFEST_FILE), `${JSON.stringify(manifest)}\n`)
    await writeFile(join(dir, CHECKPOINT_NAME), view.note)
    for (const [i, lock] of locks.entries()) await writeFile(join(dir, `lock-${i + 1}.json`), lock)
    for (const [phase, lines] of phases) await writeFile(join(dir, `${phase}.jsonl`), lines.join(''))
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('FILE_IO', `cannot write the pack to ${dir}`, { dir }, cause)
  }
  return new Map([...phases].map(([phase, lines]) => [phase, lines.length]))
}

/** What an evidence pack proves. */
export interface PackReport extends PackRange {
  readonly checkpoint: OpenedCheckpoint
  readonly phases: ReadonlyMap<string, number>
}

function bad(message: string, cause?: unknown): never {
  throw new AuditError('BAD_PACK', `evidence pack: ${message}`, cause === undefined ? {} : { cause })
}

async function textOf(files: LogFiles, name: string, bytesMax: number): Promise<string> {
  const bytes = await files.read(name, bytesMax)
  if (bytes === undefined) bad(`${name} is missing`)
  return entryText(bytes)
}

/** Whatever is not exactly what {@link writePack} writes is refused. */
async function manifestOf(files: LogFiles, origin: string): Promise<PackRange> {
  const text = await textOf(files, MANIFEST_FILE, MANIFEST_BYTES_MAX)
  const [, from = '', to = ''] = /"from":(\d{1,13}),"to":(\d{1,13})\}\n$/.exec(text) ?? []
  const range = { from: Number(from), to: Number(to) }
  if (text !== `${JSON.stringify({ format: FORMAT, origin, ...range })}\n` || range.from >= range.to) bad(`${MANIFEST_FILE} is not valid`)
  return range
}

function lineOf(text: string): Line {
  try {
    const { index, entry, proof } = JSON.parse(text) as Line
    const line = { index: Number(index), entry: String(entry), proof: proof.map(String) }
    if (JSON.stringify(line) === text) return line
  } catch (cause) {
    bad('a line is not JSON', cause)
  }
  return bad('a line is not in its one form')
}

/**
 * Every entry of the pack is in the log of the checkpoint, at its index, and none between the first and the last is missing.
 *
 * @param isLock - whether a copy of a cluster lock in the pack is one that the caller trusts.
 * @throws {AuditError} BAD_PACK, BAD_ENTRY, BAD_NOTE, and what `openCheckpoint` throws.
 */
export async function verifyPack(dir: string, keys: CheckpointKeys, isLock: (bytes: Uint8Array) => boolean): Promise<PackReport> {
  const files = new LogFiles(dir)
  const note = (await files.read(CHECKPOINT_NAME, NOTE_BYTES_MAX)) ?? bad(`${CHECKPOINT_NAME} is missing`)
  const checkpoint = openCheckpoint(note, keys, { strict: true })
  const { from, to } = await manifestOf(files, checkpoint.origin)
  const names = (await files.list('.')).filter((n) => n !== MANIFEST_FILE && n !== CHECKPOINT_NAME)
  const phases = new Map<string, number>()
  const seen = new Set<number>()
  for (const name of names) {
    if (LOCK_NAME.test(name)) {
      if (!isLock((await files.read(name)) ?? bad(`${name} went away`))) bad(`${name} is not the cluster lock that was given`)
      continue
    }
    const phase = name.replace(/\.jsonl$/, '')
    const lines = (await textOf(files, name, PACK_BYTES_MAX)).split('\n')
    if (phase === name || lines.pop() !== '') bad(`${name} is no part of a pack`)
    for (const text of lines) {
      const { index, entry, proof } = lineOf(text)
      const bytes = utf8(entry)
      if (index < from || index >= to || seen.has(index)) bad(`entry ${index} has no place in it`)
      if (phaseOf(parseEntry(bytes).kind) !== phase) bad(`entry ${index} is in the wrong file`)
      const hashes = proof.map(fromBase64)
      if (!verifyInclusion(leafHash(bytes), { index, size: checkpoint.size }, hashes, checkpoint.root))
        bad(`entry ${index} is not in the log of the checkpoint`)
      seen.add(index)
    }
    phases.set(phase, lines.length)
  }
  if (seen.size !== to - from) bad(`${to - from - seen.size} of its entries are missing`)
  return { from, to, checkpoint, phases }
}
