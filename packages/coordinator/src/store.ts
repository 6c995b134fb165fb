import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { ConclaveError, concat, equalBytes, tagged, utf8 } from '@conclave/core'
import { Level } from 'level'

/** STORE_LOCKED, STORE_DAMAGED, STORE_UNAVAILABLE. */
export class StoreError extends ConclaveError {}

/** One change of an atomic write; a `value` of undefined deletes. */
export interface Write {
  readonly table: string
  readonly key: string
  readonly value: unknown
}

export interface Scan {
  readonly limit: number
  readonly reverse?: boolean
  /** Only keys strictly beyond this one, in the direction of the scan. */
  readonly beyond?: string
}

const CHECKSUM_BYTES = 16
const DATABASE = 'db'
const UNFINISHED = 'db.new'

type Operation = { readonly type: 'put'; readonly key: string; readonly value: Uint8Array } | { readonly type: 'del'; readonly key: string }

interface Waiting {
  readonly operations: readonly Operation[]
  resolve(): void
  reject(error: unknown): void
}

type Database = Level<string, Uint8Array>

const checksum = (key: string, json: Uint8Array) => tagged('coordinator-record', utf8(key), json).subarray(0, CHECKSUM_BYTES)

function seal(key: string, value: unknown): Uint8Array {
  const json = utf8(JSON.stringify(value))
  return concat(checksum(key, json), json)
}

function unseal(key: string, stored: Uint8Array): unknown {
  const json = stored.subarray(CHECKSUM_BYTES)
  // The database returns rotten values without an error (design/stack.md).
  if (!equalBytes(stored.subarray(0, CHECKSUM_BYTES), checksum(key, json))) {
    throw new StoreError('STORE_DAMAGED', `the store returned a damaged record at ${key}`)
  }
  return JSON.parse(new TextDecoder().decode(json))
}

function database(path: string): Database {
  return new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' })
}

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/**
 * Makes the empty database under another name and renames it when it is complete: a directory named `db` is always whole.
 *
 * Only an empty place is initialised. Creating a database over what is left of a damaged one would delete it.
 */
async function initialise(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const foreign = (await readdir(path)).filter((name) => name !== UNFINISHED)
  if (foreign.length > 0) throw new StoreError('STORE_DAMAGED', `${path} holds no store but is not empty`, { details: { path } })
  await rm(join(path, UNFINISHED), { recursive: true, force: true })
  const fresh = database(join(path, UNFINISHED))
  await fresh.open({ createIfMissing: true, errorIfExists: true })
  await fresh.close()
  await rename(join(path, UNFINISHED), join(path, DATABASE))
  await syncDirectory(path)
}

function openError(path: string, cause: unknown): StoreError {
  const inner = (cause as { cause?: { code?: unknown } }).cause
  if (inner?.code === 'LEVEL_LOCKED') return new StoreError('STORE_LOCKED', `another process uses the store ${path}`, { cause })
  return new StoreError('STORE_DAMAGED', `the store ${path} cannot be opened: restore it, or repair it after a backup`, { cause })
}

/** Small JSON records in tables. Every write is atomic and on disk when its promise resolves. */
export class Store {
  readonly #db: Database
  readonly #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  private constructor(db: Database) {
    this.#db = db
  }

  /** @throws {StoreError} STORE_LOCKED when another process has it; STORE_DAMAGED. */
  static async open(path: string): Promise<Store> {
    const location = join(path, DATABASE)
    if (!existsSync(location)) await initialise(path)
    // With CURRENT missing LevelDB opens an empty database and deletes every table (design/stack.md).
    if (!existsSync(join(location, 'CURRENT'))) throw new StoreError('STORE_DAMAGED', `the store ${path} has lost its CURRENT file`)
    const db = database(location)
    try {
      await db.open({ createIfMissing: false })
    } catch (cause) {
      throw openError(path, cause)
    }
    return new Store(db)
  }

  /** @throws {StoreError} STORE_DAMAGED. */
  async get(table: string, key: string): Promise<unknown> {
    const name = `${table}/${key}`
    const stored = await this.#db.get(name)
    return stored === undefined ? undefined : unseal(name, stored)
  }

  /** Applies all writes or none. What is written in one turn of the event loop, or while the disk is busy, goes to the disk together. */
  write(writes: readonly Write[]): Promise<void> {
    const operations = writes.map(({ table, key, value }): Operation => {
      const name = `${table}/${key}`
      return value === undefined ? { type: 'del', key: name } : { type: 'put', key: name, value: seal(name, value) }
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ operations, resolve, reject })
    this.#flushing ??= this.#flush()
    return promise
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await setImmediate()
      const group = this.#waiting.splice(0)
      try {
        await this.#db.batch(
          group.flatMap((w) => w.operations),
          { sync: true },
        )
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#flushing = undefined
  }

  /** Keys and values of a table in the order of the keys. */
  async scan(table: string, { limit, reverse = false, beyond }: Scan): Promise<readonly (readonly [string, unknown])[]> {
    const prefix = `${table}/`
    // '0' is the character after '/'.
    const bounds = { gt: prefix, lt: `${table}0` }
    if (beyond !== undefined) Object.assign(bounds, reverse ? { lt: prefix + beyond } : { gt: prefix + beyond })
    const rows: (readonly [string, unknown])[] = []
    for await (const [key, stored] of this.#db.iterator({ ...bounds, reverse, limit })) {
      rows.push([key.slice(prefix.length), unseal(key, stored)])
    }
    return rows
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.#db.close()
  }
}
