import { equalBytes, utf8 } from '@conclave/core'
import { AuditError, damaged } from './audit-error.ts'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { FRESH_DIR, LogFiles, readFullTile, unavailable } from './disk.ts'
import { ENTRY_BYTES_MAX, formatBundle, parseBundle } from './entry.ts'
import { consistencyProof, inclusionProof, leafHash, rootOf, type TreeHead } from './merkle.ts'
import { NOTE_BYTES_MAX, parseNote } from './note.ts'
import { createLog, HEAD_FILE, listTails, type RecoveredLog, readHead, recoverLog, tailFile } from './recovery.ts'
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX } from './tail.ts'
import { TailWriter } from './tail-writer.ts'
import { changedTiles, TILE_WIDTH, type TileAddress, TileReader, type TileSource, type TreeEdge, tilePath, tileWidth } from './tiles.ts'

export const CHECKPOINT_FILE = 'checkpoint'
/** Entries without tiles: from here on tiles are made by themselves. */
const FLUSH_ENTRIES = 8192
const FLUSH_BYTES = 8 * 1024 * 1024
/** Beyond these nothing is taken in: the disk takes no tiles, or too much waits for it. */
const UNFLUSHED_ENTRIES_MAX = 16 * FLUSH_ENTRIES
const UNFLUSHED_BYTES_MAX = 16 * FLUSH_BYTES
/** The disk takes several files in the time of one. */
const PUTS_AT_ONCE = 8
const WAITING_MAX = 65_536
const WAITING_BYTES_MAX = 64 * 1024 * 1024

interface Waiting {
  readonly entry: Uint8Array
  readonly resolve: (index: number) => void
  readonly reject: (error: unknown) => void
}

/**
 * An append-only Merkle log in a directory of its own, in the layout of C2SP tlog-tiles with three things beside it: `head`, how far
 * there are tiles; `tail/`, the entries behind that; and `new/`, files in the making. One process at a time.
 */
export class AuditLog {
  readonly origin: string
  readonly #files: LogFiles
  readonly #edge: TreeEdge
  readonly #entries: Uint8Array[]
  #firstEntry: number
  #head: TreeHead
  #unflushedBytes: number
  readonly #tail: TailWriter
  #checkpoint: Uint8Array | undefined
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  readonly #rotations: { resolve: (size: number) => void; reject: (error: unknown) => void }[] = []
  #writing: Promise<void> | undefined
  /** What makes files, one after the other. */
  #busy: Promise<unknown> = Promise.resolve()
  #isFlushing = false
  #isClosed = false

  private constructor(files: LogFiles, origin: string, found: RecoveredLog, tail: TailWriter) {
    this.#files = files
    this.origin = origin
    this.#edge = found.edge
    this.#entries = found.entries
    this.#firstEntry = found.firstEntry
    this.#head = found.head
    this.#tail = tail
    this.#unflushedBytes = found.entries.reduce((sum, e) => sum + e.length, 0)
  }

  /**
   * Opens the log, or begins one in an empty or missing directory. What a crash left half written is cut off: nobody was told of it.
   *
   * @throws {AuditError} AUDIT_DAMAGED when what is there contradicts itself or is another log; AUDIT_UNAVAILABLE.
   */
  static async open(dir: string, origin: string): Promise<AuditLog> {
    const files = new LogFiles(dir)
    await files.remove(FRESH_DIR)
    if ((await readHead(files, origin)) === undefined) await createLog(files, origin)
    const head = await readHead(files, origin)
    if (head === undefined) throw damaged(`the file "${HEAD_FILE}" went away`)
    const found = await recoverLog(files, head)
    const log = new AuditLog(files, origin, found, await TailWriter.open(files, found.tail))
    try {
      log.#checkpoint = await files.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)
      await log.#checkCheckpoint()
      for (const first of await listTails(files))
        if (first < found.head.size && first !== found.tail.first) await files.remove(tailFile(first))
    } catch (error) {
      await log.#tail.close()
      throw error
    }
    return log
  }

  /** Entries that are durable. */
  get size(): number {
    return this.#edge.size
  }

  /** The last checkpoint that was stored. */
  get checkpoint(): Uint8Array | undefined {
    return this.#checkpoint
  }

  /**
   * Resolves with the entry's index when the entry is durable. Entries that come together share one write.
   *
   * @throws {AuditError} AUDIT_UNAVAILABLE; the entry may or may not be in the log then, and the caller must act as if it were not.
   */
  append(entry: Uint8Array): Promise<number> {
    if (this.#isClosed) return Promise.reject(unavailable('it is closed', undefined))
    if (entry.length === 0 || entry.length > ENTRY_BYTES_MAX)
      return Promise.reject(new AuditError('BAD_ENTRY', 'an entry of a wrong length'))
    if (this.#isFull()) return Promise.reject(unavailable('too much waits for the disk', undefined))
    this.#waitingBytes += entry.length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      this.#write()
    })
  }

  /** Root of the first `size` entries. */
  rootAt(size: number): Promise<Uint8Array> {
    return rootOf(new TileReader(this.#source, size), size)
  }

  /** @throws {InvalidArgument} BAD_INDEX; {AuditError} AUDIT_DAMAGED, AUDIT_UNAVAILABLE. */
  inclusion(index: number, size: number): Promise<readonly Uint8Array[]> {
    return inclusionProof(new TileReader(this.#source, size), index, size)
  }

  /** @throws {InvalidArgument} BAD_INDEX; {AuditError} AUDIT_DAMAGED, AUDIT_UNAVAILABLE. */
  consistency(old: number, size: number): Promise<readonly Uint8Array[]> {
    return consistencyProof(new TileReader(this.#source, size), old, size)
  }

  /** Entries of one bundle, as many as there are. @throws {AuditError} AUDIT_DAMAGED, AUDIT_UNAVAILABLE. */
  async bundle(index: number): Promise<readonly Uint8Array[]> {
    const width = tileWidth('entries', index, this.size)
    const first = index * TILE_WIDTH
    if (first >= this.#firstEntry) return this.#entries.slice(first - this.#firstEntry, first - this.#firstEntry + width)
    const bytes = await this.#files.read(tilePath({ level: 'entries', index, width }))
    if (bytes === undefined) throw damaged(`bundle ${index} is missing`)
    return parseBundle(bytes, width)
  }

  /**
   * Makes tiles of everything that is in the log when this is called, and resolves when they are durable. Appending goes on meanwhile.
   *
   * @throws {AuditError} AUDIT_UNAVAILABLE; the entries stay in the tail, and the next call tries again.
   */
  flush(): Promise<TreeHead> {
    return this.#alone(() => this.#flush())
  }

  /** Stores a signed checkpoint of a tree whose tiles are there. @throws {AuditError} AUDIT_UNAVAILABLE. */
  async saveCheckpoint(note: Uint8Array): Promise<void> {
    const { size } = parseCheckpoint(parseNote(note).text)
    if (size > this.#head.size) throw new AuditError('ASSERTION', 'a checkpoint of a tree without tiles')
    await this.#alone(() => this.#files.putNow(CHECKPOINT_FILE, note))
    this.#checkpoint = note
  }

  /** Waits for what was appended, and makes tiles of it if the disk lets it. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    // What could not be flushed lies in the tail, durable.
    await this.flush().catch(() => undefined)
    this.#isClosed = true
    await this.#busy
    await this.#writing
    await this.#tail.close()
  }

  #isFull(): boolean {
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes >= WAITING_BYTES_MAX) return true
    return this.size - this.#head.size >= UNFLUSHED_ENTRIES_MAX || this.#unflushedBytes >= UNFLUSHED_BYTES_MAX
  }

  get #source(): TileSource {
    return { tile: async (address) => (this.#edge.has(address) ? this.#edge.held(address) : readFullTile(this.#files, address)) }
  }

  async #checkCheckpoint(): Promise<void> {
    if (this.#checkpoint === undefined) return
    const { origin, size, root } = parseCheckpoint(parseNote(this.#checkpoint).text)
    if (origin !== this.origin) throw damaged(`its checkpoint is of "${origin}"`)
    if (size > this.#head.size) throw damaged(`its checkpoint is of ${size} entries, and tiles are there of ${this.#head.size}`)
    if (!equalBytes(await this.rootAt(size), root)) throw damaged('the tiles do not come to the root of the checkpoint')
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      if (this.#waiting.length > 0 || this.#rotations.length > 0) this.#write()
    })
  }

  /** The one place that writes the tail. Never rejects. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#rotations.length > 0) {
      const rotation = this.#rotations.shift()
      if (rotation !== undefined) {
        const { size } = this
        await this.#tail.rotate(size).then(() => rotation.resolve(size), rotation.reject)
        continue
      }
      const batch = this.#nextBatch()
      try {
        await this.#tail.write(
          this.size,
          batch.map((w) => w.entry),
        )
      } catch (cause) {
        const error = unavailable('its tail', cause)
        for (const { reject } of batch) reject(error)
        continue
      }
      let index = this.size
      for (const { entry, resolve } of batch) {
        this.#edge.push(leafHash(entry))
        this.#entries.push(entry)
        this.#unflushedBytes += entry.length
        resolve(index++)
      }
      if (this.size - this.#head.size >= FLUSH_ENTRIES || this.#unflushedBytes >= FLUSH_BYTES) this.#flushSoon()
    }
  }

  #nextBatch(): readonly Waiting[] {
    let [count, bytes] = [0, 0]
    for (const { entry } of this.#waiting) {
      if (count === BATCH_ENTRIES_MAX || (count > 0 && bytes + 2 + entry.length > BATCH_BYTES_MAX)) break
      count++
      bytes += 2 + entry.length
      this.#waitingBytes -= entry.length
    }
    return this.#waiting.splice(0, count)
  }

  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    // It is tried again with the next batch; when it never works, the bound of what waits says so to everybody.
    const done = () => {
      this.#isFlushing = false
    }
    this.flush().then(done, done)
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(() => {
      if (this.#isClosed) throw unavailable('it is closed', undefined)
      return act()
    })
    // The caller has the failure.
    this.#busy = next.catch(() => undefined)
    return next
  }

  async #flush(): Promise<TreeHead> {
    const size = await new Promise<number>((resolve, reject) => {
      this.#rotations.push({ resolve, reject })
      this.#write()
    })
    const from = this.#head.size
    if (size === from) return this.#head
    const changed = [...changedTiles(from, size)]
    for (let at = 0; at < changed.length; at += PUTS_AT_ONCE) {
      await Promise.all(changed.slice(at, at + PUTS_AT_ONCE).map((address) => this.#files.put(tilePath(address), this.#bytesOf(address))))
    }
    const head = { size, root: await this.rootAt(size) }
    await this.#files.settle()
    await this.#files.putNow(HEAD_FILE, utf8(formatCheckpoint({ origin: this.origin, ...head })))
    this.#head = head
    this.#release(size)
    for (const first of await listTails(this.#files)) if (first < size) await this.#files.remove(tailFile(first))
    for (const address of changed) if (address.width === TILE_WIDTH) await this.#files.remove(`${tilePath(address)}.p`)
    return head
  }

  #bytesOf(address: TileAddress): Uint8Array {
    if (address.level !== 'entries') return this.#edge.held(address)
    const at = address.index * TILE_WIDTH - this.#firstEntry
    return formatBundle(this.#entries.slice(at, at + address.width))
  }

  #release(size: number): void {
    this.#edge.release(size)
    const keep = Math.floor(size / TILE_WIDTH) * TILE_WIDTH
    this.#entries.splice(0, keep - this.#firstEntry)
    this.#firstEntry = keep
    this.#unflushedBytes = this.#entries.reduce((sum, e) => sum + e.length, 0)
  }
}
