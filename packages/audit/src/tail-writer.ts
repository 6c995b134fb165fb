import type { FileHandle } from 'node:fs/promises'
import type { LogFiles } from './disk.ts'
import { tailFile } from './recovery.ts'
import { formatBatch } from './tail.ts'

/** The open tail of a log. A write that failed is cut off before the next one. */
export class TailWriter {
  readonly #files: LogFiles
  #handle: FileHandle
  #first: number
  #bytes: number
  #isClean: boolean

  private constructor(files: LogFiles, handle: FileHandle, tail: { first: number; bytes: number; isClean: boolean }) {
    this.#files = files
    this.#handle = handle
    this.#first = tail.first
    this.#bytes = tail.bytes
    this.#isClean = tail.isClean
  }

  /** @param tail.bytes - how much of it holds. @throws {AuditError} AUDIT_UNAVAILABLE. */
  static async open(files: LogFiles, tail: { first: number; bytes: number; isTorn: boolean }): Promise<TailWriter> {
    const { first, bytes, isTorn } = tail
    return new TailWriter(files, await files.openTail(tailFile(first)), { first, bytes, isClean: !isTorn })
  }

  /** One batch, durable when this resolves. @throws what the file system throws. */
  async write(first: number, entries: readonly Uint8Array[]): Promise<void> {
    if (!this.#isClean) {
      await this.#handle.truncate(this.#bytes)
      await this.#handle.sync()
    }
    this.#isClean = false
    const batch = formatBatch(first, entries)
    for (let at = 0; at < batch.length; ) {
      at += (await this.#handle.write(batch, at, batch.length - at, this.#bytes + at)).bytesWritten
    }
    this.#bytes += batch.length
    this.#isClean = true
  }

  /** Goes on in a fresh file, so that the one before can go once its entries are in tiles. @throws {AuditError} AUDIT_UNAVAILABLE. */
  async rotate(first: number): Promise<void> {
    if (this.#first === first) return
    const before = this.#handle
    this.#handle = await this.#files.openTail(tailFile(first))
    this.#first = first
    this.#bytes = 0
    // A crash may have left a file of that name.
    this.#isClean = false
    // What was written is durable.
    await before.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
