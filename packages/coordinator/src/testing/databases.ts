import { type CompiledQuery, sql } from 'kysely'
import { type Database, type Row, sqlOf } from '../database/database.ts'
import { memoryDatabase } from '../database/pglite.ts'
import { openPostgres } from '../database/postgres.ts'
import { StoreError } from '../database/store-error.ts'
import { PostgresServer, postgresPrograms } from './postgres.ts'

const TABLES = ['api_key', 'api_call', 'key_note', 'child_key', 'replica', 'duty', 'idempotency', 'signing', 'operation', 'key', 'schedule']
const idle: Database[] = []

export type Borrowed = { readonly database: Database } & AsyncDisposable

/** An empty database in memory, and its return: making one takes seconds, emptying one does not. */
export async function borrowDatabase(): Promise<Borrowed> {
  const database = idle.pop() ?? (await memoryDatabase())
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await emptyDatabase(database)
      idle.push(database)
    },
  }
}

async function emptyDatabase(database: Database): Promise<void> {
  await database.run([sql.raw(`truncate ${TABLES.join()} restart identity`).compile(sqlOf)])
}

/** Where a test of the store runs: embedded always, on a server when this machine has one. */
export interface DatabaseKind {
  readonly name: string
  /** Why it cannot be had here. */
  readonly missing: string | undefined
  borrow(): Promise<Borrowed>
  /** After the last test. */
  end(): Promise<void>
}

function serverKind(): DatabaseKind {
  const programs = postgresPrograms()
  let server: PostgresServer | undefined
  let databases = 0
  return {
    name: 'PostgreSQL',
    missing: programs === undefined ? 'no PostgreSQL server on this machine' : undefined,
    borrow: async () => {
      server ??= await PostgresServer.start(programs ?? '')
      const database = await openPostgres(await server.fresh(`db${++databases}`))
      return { database, [Symbol.asyncDispose]: () => database.close() }
    },
    end: async () => {
      await server?.[Symbol.asyncDispose]()
      server = undefined
    },
  }
}

export function databaseKinds(): readonly DatabaseKind[] {
  return [{ name: 'PGlite', missing: undefined, borrow: borrowDatabase, end: async () => undefined }, serverKind()]
}

/** The tests of the store on every kind of database. */
export function onEveryDatabase(title: string, tests: (borrow: () => Promise<Borrowed>) => void): void {
  for (const kind of databaseKinds()) {
    const heading = `${title}, on ${kind.name}`
    if (kind.missing !== undefined) describe.skip(`${heading} (${kind.missing})`, () => tests(kind.borrow))
    else {
      describe(heading, () => {
        after(() => kind.end())
        tests(kind.borrow)
      })
    }
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
    this.deafen()
  }

  /** The database answers nothing until it is back. */
  setAway(isAway: boolean): void {
    this.#isGone = isAway
  }

  /** It hears of nothing any more. */
  deafen(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #check(): void {
    if (this.#isGone) throw new StoreError('STORE_UNAVAILABLE', 'this process is gone', { retriable: true })
  }
}
