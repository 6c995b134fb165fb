import { LogFiles } from './disk.ts'
import { CHECKPOINT_FILE } from './log.ts'
import { parseTilePath } from './tiles.ts'

/** A checkpoint and its cosignatures; a tile has 8 KiB. */
const PUBLISHED_BYTES_MAX = 64 * 1024

/**
 * The checkpoint or a tile of hashes of the log in a directory, by its name in the layout of C2SP. Entries are not published: they say
 * what was asked for.
 *
 * @returns undefined when there is none of that name. @throws {AuditError} AUDIT_UNAVAILABLE, AUDIT_DAMAGED.
 */
export async function publishedFile(dir: string, name: string): Promise<Uint8Array | undefined> {
  const level = parseTilePath(name)?.level
  if (name !== CHECKPOINT_FILE && (level === undefined || level === 'entries')) return undefined
  return await new LogFiles(dir).read(name, PUBLISHED_BYTES_MAX)
}
