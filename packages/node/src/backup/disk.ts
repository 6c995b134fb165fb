/** Backups and pieces on a disk: read with a limit, and written once, for good. */
import { open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { equalBytes, messageOf } from '@conclave/core'
import { BackupError } from './backup-error.ts'

/** @throws {BackupError} BACKUP_UNREADABLE, also for a file that is longer. */
export async function readLimited(file: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const found = await stat(file)
    // A device or a pipe may have no end.
    if (!found.isFile()) throw new Error('it is not a file')
    if (found.size > bytesMax) throw new Error(`it has ${found.size} bytes, at most ${bytesMax} are expected`)
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new BackupError('BACKUP_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { cause, details: { file } })
  }
}

/**
 * Writes a file that was not there, for its owner only; it is on the disk, and has been read again, when this resolves.
 *
 * @throws {BackupError} BACKUP_EXISTS, BACKUP_NOT_WRITTEN.
 */
export async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    const directory = await open(dirname(file), 'r')
    // Where directories cannot be synced, their entries are on the disk already.
    await directory.sync().catch(() => undefined)
    await directory.close()
    if (!equalBytes(new Uint8Array(await readFile(file)), bytes)) throw new Error('it was read back with other bytes')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
      throw new BackupError('BACKUP_EXISTS', `${file} exists: nothing is written over it`, { cause, details: { file } })
    throw new BackupError('BACKUP_NOT_WRITTEN', `cannot write ${file}: ${messageOf(cause)}`, { cause, details: { file } })
  }
}
