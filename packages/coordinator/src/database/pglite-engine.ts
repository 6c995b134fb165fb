import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { PARSERS } from './database.ts'
import { DurableFiles } from './durable-files.ts'

const DATA = 'pg'
const UNFINISHED = 'pg.new'
/** `-F` would turn fsync off. `fsync` is the one method of syncing that reaches the file system here. */
const START = [
  ...PGlite.defaultStartParams.filter((p) => p !== '-F'),
  ...['fsync=on', 'wal_sync_method=fsync', 'shared_buffers=16MB', 'max_wal_size=64MB', 'timezone=UTC'].flatMap((p) => ['-c', p]),
]
const SYNCS_MAX = 256
const SMALL_LOG = ['--wal-segsize=1', '--no-sync']

async function openIn(options: PGliteOptions): Promise<PGlite> {
  return await PGlite.create({ ...options, parsers: Object.fromEntries(PARSERS), initDbStartParams: SMALL_LOG })
}

/**
 * The engine on the database of a directory, which is made when there is none. It is made under another name and renamed when it is
 * complete: one with this name is always whole.
 */
export async function openFiles(path: string): Promise<PGlite> {
  const names = await readdir(path)
  if (!names.includes(DATA)) {
    await rm(join(path, UNFINISHED), { recursive: true, force: true })
    await mkdir(join(path, UNFINISHED), { mode: 0o700 })
    const fresh = await openIn({ fs: new DurableFiles(join(path, UNFINISHED)), startParams: START })
    await fresh.close()
    await syncAll(join(path, UNFINISHED))
    await rename(join(path, UNFINISHED), join(path, DATA))
    await sync(path)
  }
  // Without this file PGlite makes a new database over what is there.
  if (!existsSync(join(path, DATA, 'PG_VERSION'))) throw new Error('the database has lost its PG_VERSION')
  return await openIn({ fs: new DurableFiles(join(path, DATA)), startParams: START })
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

async function syncAll(path: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  // Many at once share what the file system has to do for each.
  for (let i = 0; i < entries.length; i += SYNCS_MAX) {
    await Promise.all(entries.slice(i, i + SYNCS_MAX).map((entry) => sync(join(entry.parentPath, entry.name))))
  }
  await sync(path)
}

/** One that is gone when it is closed. */
export async function openMemory(): Promise<PGlite> {
  return await openIn({ dataDir: 'memory://' })
}
