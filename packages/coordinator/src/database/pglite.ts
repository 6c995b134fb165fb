import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CompiledQuery } from 'kysely'
import type { Database, Row } from './database.ts'
import type { FromPglite, PgliteStart, ToPglite } from './pglite-messages.ts'
import { lockFile } from './process-lock.ts'
import { StoreError, storeError } from './store-error.ts'

const SCRIPT = new URL('./pglite-worker.ts', import.meta.url)
const OURS: ReadonlySet<string> = new Set(['pg', 'pg.new', 'lock', 'lock-journal'])

interface Waiting {
  resolve(rows: readonly (readonly Row[])[]): void
  reject(error: unknown): void
}

/** One thread with a PGlite in it: open from its start to its end. */
class PgliteThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened = Promise.withResolvers<void>()
  readonly #heard: (payload: string) => void
  #ended = false
  #last = 0

  constructor(start: PgliteStart, heard: (payload: string) => void) {
    this.#heard = heard
    this.#worker = new Worker(SCRIPT, { workerData: start })
    this.#worker.on('message', (m: FromPglite) => this.#take(m))
    // Out of memory, or an abort of the engine: a new thread recovers from the log.
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('the thread of the database has ended')))
  }

  get ended(): boolean {
    return this.#ended
  }

  /** @throws {StoreError}. */
  async opened(): Promise<void> {
    await this.#opened.promise
  }

  run(queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly Row[])[]>()
    const id = ++this.#last
    this.#waiting.set(id, { resolve, reject })
    this.#worker.ref()
    const message: ToPglite = { id, queries: queries.map(({ sql, parameters }) => ({ sql, parameters })) }
    this.#worker.postMessage(message)
    return promise
  }

  async close(): Promise<void> {
    // What it is asked last is to close.
    if (!this.#ended) await this.run([]).catch(() => undefined)
    await this.#worker.terminate()
  }

  #take(m: FromPglite): void {
    if (m.type === 'open') this.#open()
    else if (m.type === 'heard') this.#heard(m.payload)
    else if (m.type === 'refused') this.#refuse(storeError(m.fault))
    else this.#answer(m)
  }

  #answer(m: Extract<FromPglite, { id: number }>): void {
    const waiting = this.#waiting.get(m.id)
    this.#waiting.delete(m.id)
    this.#rest()
    if (m.type === 'done') waiting?.resolve(m.rows)
    else waiting?.reject(storeError(m.fault))
  }

  #open(): void {
    this.#opened.resolve()
    this.#rest()
  }

  /** A thread that nobody waits for keeps no process alive. */
  #rest(): void {
    if (this.#waiting.size === 0) this.#worker.unref()
  }

  #refuse(error: StoreError): void {
    this.#opened.reject(error)
    void this.#worker.terminate()
  }

  #end(cause: unknown): void {
    this.#ended = true
    const error = new StoreError('STORE_UNAVAILABLE', 'the database has stopped', { cause, retriable: true })
    this.#opened.reject(error)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** PostgreSQL within this process, in a thread of its own: one coordinator has it. */
class Pglite implements Database {
  readonly isShared: boolean
  readonly #directory: string | undefined
  readonly #lock: Disposable | undefined
  readonly #hearers = new Set<(payload: string | undefined) => void>()
  #thread: PgliteThread
  #closed = false

  constructor(directory: string | undefined, lock: Disposable | undefined) {
    this.#directory = directory
    this.#lock = lock
    // Two coordinators of one test share it.
    this.isShared = directory === undefined
    this.#thread = this.#start()
  }

  async opened(): Promise<void> {
    await this.#thread.opened()
  }

  async run(queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]> {
    if (queries.length === 0) return []
    if (this.#closed) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed', { retriable: true })
    if (this.#thread.ended) this.#thread = this.#start()
    const thread = this.#thread
    await thread.opened()
    return await thread.run(queries)
  }

  listen(heard: (payload: string | undefined) => void): () => void {
    this.#hearers.add(heard)
    return () => this.#hearers.delete(heard)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#thread.close()
    this.#lock?.[Symbol.dispose]()
  }

  #start(): PgliteThread {
    const thread = new PgliteThread({ directory: this.#directory }, (payload) => {
      for (const heard of this.#hearers) heard(payload)
    })
    // Whoever runs something hears of it.
    thread.opened().catch(() => undefined)
    return thread
  }
}

/** Only an empty place is initialised: a database over what is left of a damaged one would delete it. */
async function checkPlace(path: string): Promise<void> {
  if (existsSync(join(path, 'db', 'CURRENT'))) {
    throw new StoreError('STORE_DAMAGED', `${path} holds a store of an earlier version, which is not read: move it away and start again`)
  }
  const foreign = (await readdir(path)).filter((name) => !OURS.has(name))
  if (foreign.length > 0) throw new StoreError('STORE_DAMAGED', `${path} holds no store but is not empty`, { details: { path } })
}

/**
 * The embedded database of a directory, made when there is none.
 *
 * @throws {StoreError} STORE_LOCKED when another process has it; STORE_DAMAGED; STORE_NEWER.
 */
export async function openPglite(path: string): Promise<Database> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await checkPlace(path)
  const lock = lockFile(join(path, 'lock'))
  const database = new Pglite(path, lock)
  try {
    await database.opened()
  } catch (cause) {
    await database.close()
    if (cause instanceof StoreError && cause.code === 'STORE_NEWER') throw cause
    throw new StoreError('STORE_DAMAGED', `the store ${path} cannot be opened: restore it, or repair it after a backup`, { cause })
  }
  return database
}

/** A database that is gone when it is closed. For tests. */
export async function memoryDatabase(): Promise<Database> {
  const database = new Pglite(undefined, undefined)
  await database.opened()
  return database
}
