import { AuditError } from './audit-error.ts'
import { type CheckpointKeys, type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts'
import { CHECKPOINT_FILE } from './log.ts'
import { inclusionProof } from './merkle.ts'
import { NOTE_BYTES_MAX } from './note.ts'
import { TILE_WIDTH, type TileAddress, TileReader, tilePath, tileWidth } from './tiles.ts'
import { type LogFilesReader, readBundle } from './tree-walk.ts'

/** A log as far as its checkpoint goes, read out of its files; a proof from it is for that checkpoint. */
export class LogView {
  readonly checkpoint: OpenedCheckpoint
  /** As it was read. */
  readonly note: Uint8Array
  readonly #source: LogFilesReader
  readonly #tree: TileReader

  private constructor(source: LogFilesReader, checkpoint: OpenedCheckpoint, note: Uint8Array) {
    this.checkpoint = checkpoint
    this.note = note
    this.#source = source
    this.#tree = new TileReader({ tile: (address) => this.#tile(address) }, checkpoint.size)
  }

  /** @throws {AuditError} NO_CHECKPOINT, what `openCheckpoint` throws, and what the source throws. */
  static async open(source: LogFilesReader, keys: CheckpointKeys): Promise<LogView> {
    const note = await source.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)
    if (note === undefined) throw new AuditError('NO_CHECKPOINT', 'nothing in this log is signed')
    return new LogView(source, openCheckpoint(note, keys), note)
  }

  get size(): number {
    return this.checkpoint.size
  }

  /** Entries from index `from` to before index `to`, one bundle in memory at a time. @throws {AuditError} MISSING, BAD_ENTRY. */
  async *entries(from = 0, to = this.size): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }> {
    const end = Math.min(to, this.size)
    for (let bundle = Math.floor(from / TILE_WIDTH); bundle * TILE_WIDTH < end; bundle++) {
      const width = tileWidth('entries', bundle, this.size)
      const entries = await readBundle(this.#source, { level: 'entries', index: bundle, width })
      for (const [i, bytes] of entries.entries()) {
        const index = bundle * TILE_WIDTH + i
        if (index >= from && index < end) yield { index, bytes }
      }
    }
  }

  /** @throws {InvalidArgument} BAD_INDEX; {AuditError} MISSING. */
  inclusion(index: number): Promise<readonly Uint8Array[]> {
    return inclusionProof(this.#tree, index, this.size)
  }

  async #tile(address: TileAddress): Promise<Uint8Array> {
    const bytes = (await this.#source.read(tilePath(address))) ?? (await this.#source.read(tilePath({ ...address, width: TILE_WIDTH })))
    if (bytes === undefined || bytes.length < address.width * 32) throw new AuditError('MISSING', `${tilePath(address)} is missing`)
    return bytes.subarray(0, address.width * 32)
  }
}
