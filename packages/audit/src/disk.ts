import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AuditError, damaged } from './audit-error.ts'
import { HASH_BYTES } from './merkle.ts'
import { TILE_WIDTH, type TileAddress, tilePath } from './tiles.ts'

/** The largest file of a log: a full bundle of the longest entries. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024

/** Files in the making: what is here after a crash is nobody's. */
export const FRESH_DIR = 'new'

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? 'REFUSED'

/** The disk refuses. The code of the system goes into the message: it is what an operator looks for. */
export function unavailable(what: string, cause: unknown): AuditError {
  return new AuditError('AUDIT_UNAVAILABLE', `the audit log cannot be written: ${what} (${codeOf(cause)})`, { cause, retriable: true })
}

/** Makes the entries of a directory durable. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The directory, and durably so; made with those above it where they are missing, up to `root`. */
async function makeDirectory(dir: string, root: string): Promise<void> {
  const isThere = await stat(dir).then(
    (s) => s.isDirectory(),
    () => false,
  )
  if (isThere) return
  if (dir !== root) await makeDirectory(dirname(dir), root)
  // Another file of the same directory may be on its way.
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await syncDirectory(dirname(dir))
}

/**
 * Files of a log. What {@link put} writes is there as a whole or not at all, and durable when {@link put} and then {@link settle} have
 * resolved. Every failure is AUDIT_UNAVAILABLE.
 */
export class LogFiles {
  readonly root: string
  readonly #touched = new Set<string>()
  #fresh = 0

  constructor(root: string) {
    this.root = root
  }

  path(name: string): string {
    return join(this.root, name)
  }

  /** Bytes of a file, or undefined when there is none. @throws {AuditError} AUDIT_UNAVAILABLE, AUDIT_DAMAGED when it is too large. */
  async read(name: string, bytesMax = FILE_BYTES_MAX): Promise<Uint8Array | undefined> {
    try {
      const handle = await open(this.path(name), 'r')
      try {
        if ((await handle.stat()).size > bytesMax) throw new AuditError('AUDIT_DAMAGED', `audit log: ${name} is too large`)
        return new Uint8Array(await handle.readFile())
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (error instanceof AuditError) throw error
      if (codeOf(error) === 'ENOENT') return undefined
      throw new AuditError('AUDIT_UNAVAILABLE', `audit log: cannot read ${name} (${codeOf(error)})`, { cause: error, retriable: true })
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.path(name)
    const fresh = join(this.root, FRESH_DIR, String(this.#fresh++))
    try {
      await makeDirectory(dirname(path), this.root)
      await makeDirectory(dirname(fresh), this.root)
      const handle = await open(fresh, 'w', 0o600)
      try {
        await handle.writeFile(bytes)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(fresh, path)
      this.#touched.add(dirname(path))
    } catch (error) {
      throw unavailable(name, error)
    }
  }

  /** Makes what was put before durable under its name. */
  async settle(): Promise<void> {
    const touched = [...this.#touched]
    this.#touched.clear()
    try {
      await Promise.all(touched.map(syncDirectory))
    } catch (error) {
      for (const dir of touched) this.#touched.add(dir)
      throw unavailable('a directory', error)
    }
  }

  async putNow(name: string, bytes: Uint8Array): Promise<void> {
    await this.put(name, bytes)
    await this.settle()
  }

  /** A new empty file for appending; each write is durable when it resolves. */
  async openTail(name: string): Promise<FileHandle> {
    const path = this.path(name)
    try {
      await makeDirectory(dirname(path), this.root)
      const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC, 0o600)
      await syncDirectory(dirname(path))
      return handle
    } catch (error) {
      throw unavailable(name, error)
    }
  }

  /** Names in a directory; none when it is not there. @throws {AuditError} AUDIT_UNAVAILABLE. */
  async list(name: string): Promise<readonly string[]> {
    try {
      return await readdir(this.path(name))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw new AuditError('AUDIT_UNAVAILABLE', `audit log: cannot read ${name} (${codeOf(error)})`, { cause: error, retriable: true })
    }
  }

  /** A file or a directory. Best effort: what stays is in nobody's way. */
  async remove(name: string): Promise<void> {
    await rm(this.path(name), { recursive: true, force: true }).catch(() => undefined)
  }
}

/** A tile or bundle from a directory: the partial one of that width, or the beginning of the full one. */
export async function readTile(files: Pick<LogFiles, 'read'>, address: TileAddress): Promise<Uint8Array | undefined> {
  return (await files.read(tilePath(address))) ?? files.read(tilePath({ ...address, width: 256 }))
}

/** The beginning of a tile that must be there in full. @throws {AuditError} AUDIT_DAMAGED, AUDIT_UNAVAILABLE. */
export async function readFullTile(files: Pick<LogFiles, 'read'>, address: TileAddress): Promise<Uint8Array> {
  const name = tilePath({ ...address, width: TILE_WIDTH })
  const tile = await files.read(name)
  if (tile?.length !== TILE_WIDTH * HASH_BYTES) throw damaged(`${name} is missing or of a wrong length`)
  return tile.subarray(0, address.width * HASH_BYTES)
}
