import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { equalBytes } from '@conclave/core'
import { AuditError } from './audit-error.ts'
import { type CheckpointKeys, type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts'
import { FRESH_DIR, LogFiles } from './disk.ts'
import { type AuditEntry, formatBundle } from './entry.ts'
import { type Finding, Findings } from './findings.ts'
import { CHECKPOINT_FILE } from './log.ts'
import { EMPTY_ROOT, type TreeHead } from './merkle.ts'
import { NOTE_BYTES_MAX } from './note.ts'
import { HEAD_FILE, listTails, readHead, readTails, TAIL_DIR, tailFile } from './recovery.ts'
import { parseTilePath, TILE_LEVELS_MAX, TILE_WIDTH, type TileAddress, tilePath, tileWidth } from './tiles.ts'
import { bundlePrefix, type Mark, readBundle, TreeWalk } from './tree-walk.ts'

export interface VerifyOptions {
  readonly keys: CheckpointKeys
  /** Name of the node whose log it is. */
  readonly node: string
  /** Checkpoints of this log that others hold: it must go on from each of them. */
  readonly known?: readonly Uint8Array[]
  /** Told of every entry in order; again from the first when a running log is read again. */
  readonly entry?: (entry: AuditEntry, index: number, bytes: Uint8Array) => void
}

export interface LogReport {
  readonly origin: string
  /** Entries that were read and hold together. */
  readonly size: number
  readonly root: Uint8Array
  /** What is signed, or undefined when that did not hold. */
  readonly checkpoint: { readonly size: number; readonly cosigners: OpenedCheckpoint['cosigners'] } | undefined
  /** Nothing is wrong when it is empty. */
  readonly findings: readonly Finding[]
}

/** What others hold of a log must be a beginning of it. */
export async function knownMarks(findings: Findings, { keys, known = [] }: VerifyOptions): Promise<readonly Mark[]> {
  const marks: Mark[] = []
  for (const [i, note] of known.entries()) {
    const where = `known checkpoint ${i + 1}`
    const opened = await findings.attempt(where, () => openCheckpoint(note, { ...keys, required: 0 }))
    if (opened !== undefined) marks.push({ ...opened, where, code: 'FORKED' })
  }
  return marks
}

async function filesIn(dir: string): Promise<Set<string>> {
  const names = new Set<string>()
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    // A link or a device is not a file of ours either: it is reported by its name.
    if (!entry.isDirectory()) names.add(relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
  }
  return names
}

/** One verification of the directory of a log. */
class DirectoryCheck {
  readonly #files: LogFiles
  readonly #o: VerifyOptions
  readonly #findings = new Findings()
  #present = new Set<string>()
  /** What nobody has looked at. */
  readonly #unseen = new Set<string>()
  /** Widths of the files that there are, by the path of the full tile. */
  readonly #widths = new Map<string, number[]>()

  constructor(dir: string, options: VerifyOptions) {
    this.#files = new LogFiles(dir)
    this.#o = options
  }

  async run(): Promise<LogReport> {
    const { keys, node, entry } = this.#o
    const findings = this.#findings
    this.#present = await filesIn(this.#files.root)
    for (const name of this.#present) this.#note(name)
    const checkpoint = await this.#checkpoint()
    const head = await this.#head()
    const marks: Mark[] = [...(await knownMarks(findings, this.#o)), { ...head, where: HEAD_FILE, code: 'ROOT_MISMATCH' }]
    if (checkpoint !== undefined) marks.push({ ...checkpoint, where: CHECKPOINT_FILE, code: 'ROOT_MISMATCH' })
    const newest = Math.max(-1, ...marks.map((m) => (m.code === 'FORKED' ? m.size : -1)))
    if (checkpoint !== undefined && newest > checkpoint.size)
      findings.add('STALE_CHECKPOINT', CHECKPOINT_FILE, `others hold one of ${newest} entries`)
    const tile = (address: TileAddress, expected: Uint8Array) => this.#compare(address, (width) => expected.subarray(0, 32 * width))
    const walk = new TreeWalk({ node, findings, marks, tile, ...(entry === undefined ? {} : { entry }) })
    await walk.begin()
    await this.#walk(walk, head.size)
    await walk.end()
    for (const size of new Set([head.size, checkpoint?.size ?? 0])) this.#checkPresence(size)
    for (const name of this.#unseen) findings.add('UNEXPECTED_FILE', name, 'this file has no place in a log')
    const signed = checkpoint === undefined ? undefined : { size: checkpoint.size, cosigners: checkpoint.cosigners }
    return { origin: keys.origin, size: walk.size, root: await walk.root(), checkpoint: signed, findings: findings.list }
  }

  #note(name: string): void {
    this.#unseen.add(name)
    const address = parseTilePath(name)
    if (address === undefined) return
    const tile = tilePath({ ...address, width: TILE_WIDTH })
    this.#widths.set(tile, [...(this.#widths.get(tile) ?? []), address.width])
  }

  async #checkpoint(): Promise<OpenedCheckpoint | undefined> {
    this.#unseen.delete(CHECKPOINT_FILE)
    return this.#findings.attempt(CHECKPOINT_FILE, async () => {
      const bytes = await this.#files.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)
      if (bytes === undefined) throw new AuditError('NO_CHECKPOINT', 'nothing in this log is signed')
      return openCheckpoint(bytes, this.#o.keys, { strict: true })
    })
  }

  async #head(): Promise<TreeHead> {
    this.#unseen.delete(HEAD_FILE)
    const head = await this.#findings.attempt(HEAD_FILE, async () => {
      const found = await readHead(this.#files, this.#o.keys.origin)
      if (found === undefined) throw new AuditError('MISSING', 'this file says how far there are tiles')
      return found
    })
    return head ?? { size: 0, root: EMPTY_ROOT }
  }

  /** Every entry, first those in bundles and then those in the tail. */
  async #walk(walk: TreeWalk, size: number): Promise<void> {
    const stale = new Map<number, Uint8Array>()
    const tail = await this.#tail(size, stale)
    const total = size + tail.length
    for (let index = 0; index * TILE_WIDTH < total; index++) {
      const begin = index * TILE_WIDTH
      const width = tileWidth('entries', index, size)
      const address: TileAddress = { level: 'entries', index, width }
      const bundled = width === 0 ? [] : await this.#findings.attempt(tilePath(address), () => readBundle(this.#files, address))
      // Nothing behind a bundle that cannot be read can be judged.
      if (bundled === undefined || this.#findings.isFull) return
      const entries = [...bundled, ...tail.slice(Math.max(0, begin - size), Math.max(0, begin + TILE_WIDTH - size))]
      await walk.entries(entries)
      const whole = formatBundle(entries)
      await this.#compare({ ...address, width: entries.length }, (w) => bundlePrefix(whole, w))
      for (const [i, entry] of bundled.entries()) {
        const kept = stale.get(begin + i)
        if (kept !== undefined && !equalBytes(kept, entry))
          this.#findings.add('TILE_MISMATCH', 'tail', `entry ${begin + i} is another one than in its bundle`)
      }
    }
  }

  /** Entries behind the tiles. @param stale - gets those that a crash left in old tails although tiles were made of them. */
  async #tail(size: number, stale: Map<number, Uint8Array>): Promise<readonly Uint8Array[]> {
    const entries: Uint8Array[] = []
    const found = await this.#findings.attempt(TAIL_DIR, async () => {
      const firsts = await listTails(this.#files)
      for (const first of firsts) this.#unseen.delete(tailFile(first))
      return readTails(this.#files, size, (entry, index) => {
        if (index >= size) entries.push(entry)
        else stale.set(index, entry)
      })
    })
    if (found?.isTorn === true) this.#findings.add('TORN_TAIL', tailFile(found.first), `bytes from ${found.bytes} on are no entry`)
    return entries
  }

  /** Every file of a tile is as much of what it must be as its width says. */
  async #compare(address: TileAddress, expected: (width: number) => Uint8Array): Promise<void> {
    for (const width of this.#widths.get(tilePath({ ...address, width: TILE_WIDTH })) ?? []) {
      // Wider than the log is: nobody vouches for it.
      if (width > address.width) continue
      const name = tilePath({ ...address, width })
      this.#unseen.delete(name)
      const bytes = await this.#findings.attempt(name, () => this.#files.read(name))
      if (bytes !== undefined && !equalBytes(bytes, expected(width)))
        this.#findings.add('TILE_MISMATCH', name, 'it is not what the entries come to')
    }
  }

  /** The tiles of a tree that somebody may ask for are there. */
  #checkPresence(size: number): void {
    const levels = Array.from({ length: TILE_LEVELS_MAX }, (_, i) => i)
    for (const level of ['entries' as const, ...levels]) {
      for (let index = 0, width = 1; width > 0; index++) {
        width = tileWidth(level, index, size)
        const paths = [width, TILE_WIDTH].map((w) => tilePath({ level, index, width: w }))
        if (width > 0 && !paths.some((p) => this.#present.has(p))) this.#findings.add('MISSING', paths[0] as string, 'this tile is missing')
      }
    }
  }
}

/** What changes in the directory of a running log: every file is made in `new/`, or appended to in `tail/`. */
async function stateOf(dir: string): Promise<string> {
  const tails = await readdir(join(dir, TAIL_DIR)).catch(() => [])
  const paths = [FRESH_DIR, HEAD_FILE, CHECKPOINT_FILE, ...tails.map((name) => join(TAIL_DIR, name))]
  const states = paths.map((path) => stat(join(dir, path)).then(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`, String))
  return (await Promise.all(states)).join()
}

const ATTEMPTS_MAX = 8
const PAUSE_MS = 50

/**
 * Holds every byte of a log's directory against its entries, and these against its signed checkpoint. Nothing in the directory is
 * trusted, and nothing outside is asked. The log may be running: what moved while it was read is read again.
 *
 * @throws what the file system throws when the directory cannot be read at all.
 */
export async function verifyDirectory(dir: string, options: VerifyOptions): Promise<LogReport> {
  for (let attempt = 1; ; attempt++) {
    const before = await stateOf(dir)
    const report = await new DirectoryCheck(dir, options).run()
    const isMoving = (await stateOf(dir)) !== before || report.findings.some((f) => f.where.startsWith(`${FRESH_DIR}/`))
    if (report.findings.length === 0 || attempt === ATTEMPTS_MAX || !isMoving) return report
    await setTimeout(PAUSE_MS)
  }
}
