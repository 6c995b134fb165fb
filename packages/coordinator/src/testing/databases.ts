import { type CompiledQuery, sql } from 'kysely'
import { type Database, type Row, sqlOf } from '../database/database.ts'
import { memoryDatabase } from '../database/pglite.ts'
import { StoreError } from '../database/store-error.ts'

const TABLES = ['replica', 'duty', 'idempotency', 'signing', 'operation', 'key', 'schedule', 'event', 'webhook', 'delivery', 'observed']
const idle: Database[] = []

/** An empty database in memory, and its return: making one takes seconds, emptying one does not. */
export async function borrowDatabase(): Promise<{ database: Database } & AsyncDisposable> {
  const database = idle.pop() ?? (await memoryDatabase())
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await database.run([sql.raw(`truncate ${TABLES.join()} restart identity`).compile(sqlOf)])
      idle.push(database)
    },
  }
}

/** A database as one process sees it, until that process is gone: what it has asked for by then is done or not, and it hears of neither. */
export class Mortal implements Database {
  readonly isShared: boolean
  readonly #database: Database
  readonly #ends: (() => void)[] = []
  #isGone = false

  constructor(database: Database) {
    this.#database = database
    this.isShared = database.isShared
  }

  async run(queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]> {
    this.#check()
    const rows = await this.#database.run(queries)
    this.#check()
    return rows
  }

  listen(heard: (payload: string | undefined) => void): () => void {
    const end = this.#database.listen(heard)
    this.#ends.push(end)
    return end
  }

  async close(): Promise<void> {
    this.kill()
  }

  kill(): void {
    this.#isGone = true
    for (const end of this.#ends.splice(0)) end()
  }

  #check(): void {
    if (this.#isGone) throw new StoreError('STORE_UNAVAILABLE', 'this process is gone', { retriable: true })
  }
}
