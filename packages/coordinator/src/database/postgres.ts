import { setTimeout } from 'node:timers/promises'
import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient, types } from 'pg'
import { CHANNEL, type Database, PARSERS, type Row } from './database.ts'
import { migrate } from './migrations.ts'
import { type SqlFault, StoreError, storeError } from './store-error.ts'

const CONNECTIONS_MAX = 8
const CONNECT_TIMEOUT_MS = 5000
/** Of a statement: longer, and the server or the way to it is not well. */
const STATEMENT_TIMEOUT_MS = 15_000
const LISTEN_RETRY_MS = 1000
/** Texts of statements that a connection keeps prepared. */
const PREPARED_MAX = 200

function fault(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const { code, constraint, message = '' } = error as Partial<SqlFault>
  return storeError({ code, constraint, message }, error)
}

/** A server of PostgreSQL, which several coordinators may share. */
class Postgres implements Database {
  readonly isShared = true
  readonly #config: ClientConfig
  readonly #pool: Pool
  /** Names of prepared statements, by their texts. */
  readonly #names = new Map<string, string>()
  readonly #hearers = new Set<(payload: string | undefined) => void>()
  readonly #closing = new AbortController()
  #listening: Promise<void> | undefined

  constructor(url: string) {
    const getTypeParser = ((oid: number, format?: 'text') =>
      PARSERS.get(oid) ?? types.getTypeParser(oid, format)) as typeof types.getTypeParser
    this.#config = {
      ...{ connectionString: url, application_name: 'conclave', types: { getTypeParser }, keepAlive: true },
      ...{ connectionTimeoutMillis: CONNECT_TIMEOUT_MS, statement_timeout: STATEMENT_TIMEOUT_MS },
    }
    this.#pool = new Pool({ ...this.#config, max: CONNECTIONS_MAX, query_timeout: 2 * STATEMENT_TIMEOUT_MS })
    // Of a connection that nobody uses at the moment; the next statement takes another one.
    this.#pool.on('error', () => undefined)
  }

  /** @throws {StoreError} STORE_UNAVAILABLE, STORE_NEWER, STORE_FAILED. */
  async open(): Promise<void> {
    try {
      await migrate(new Kysely({ dialect: new PostgresDialect({ pool: this.#pool }) }))
    } catch (error) {
      throw fault(error)
    }
  }

  async run(queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]> {
    let client: PoolClient | undefined
    let failed: unknown
    try {
      client = await this.#pool.connect()
      if (queries.length === 1) return [await this.#one(client, queries[0] as CompiledQuery)]
      return await this.#inTransaction(client, queries)
    } catch (error) {
      failed = error
      throw fault(error)
    } finally {
      // A connection that refused a statement is a good one; of any other it is not known.
      client?.release(failed !== undefined && fault(failed).code !== 'STORE_CONFLICT')
    }
  }

  listen(heard: (payload: string | undefined) => void): () => void {
    this.#hearers.add(heard)
    this.#listening ??= this.#listenOn()
    return () => this.#hearers.delete(heard)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#listening
    await this.#pool.end()
  }

  async #inTransaction(client: ClientBase, queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]> {
    await client.query('begin')
    try {
      const rows: (readonly Row[])[] = []
      for (const query of queries) rows.push(await this.#one(client, query))
      await client.query('commit')
      return rows
    } catch (error) {
      // A connection that is lost has nothing to roll back.
      await client.query('rollback').catch(() => undefined)
      throw error
    }
  }

  async #one(client: ClientBase, { sql, parameters }: CompiledQuery): Promise<readonly Row[]> {
    const name = this.#nameOf(sql)
    return (await client.query({ text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) })).rows as Row[]
  }

  #nameOf(text: string): string | undefined {
    if (!this.#names.has(text) && this.#names.size < PREPARED_MAX) this.#names.set(text, `conclave-${this.#names.size}`)
    return this.#names.get(text)
  }

  /** Listens on a connection of its own, and on another one when that is lost. Never rejects. */
  async #listenOn(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const client = new Client(this.#config)
      const lost = Promise.withResolvers<void>()
      const leave = () => lost.resolve()
      client.on('error', leave)
      client.on('end', leave)
      client.on('notification', ({ payload }) => this.#hear(payload))
      signal.addEventListener('abort', leave)
      try {
        await client.connect()
        await client.query(`listen ${CHANNEL}`)
        this.#hear(undefined)
        await lost.promise
      } catch {
        // The next statement of somebody else says why.
      } finally {
        signal.removeEventListener('abort', leave)
        // Of a connection that broke while it was made the end may never be told.
        await Promise.race([client.end().catch(() => undefined), setTimeout(CONNECT_TIMEOUT_MS, undefined, { ref: false })])
      }
      await setTimeout(LISTEN_RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  #hear(payload: string | undefined): void {
    for (const heard of this.#hearers) heard(payload)
  }
}

/**
 * A database of a server, brought to the newest version.
 *
 * @throws {StoreError} STORE_UNAVAILABLE, STORE_NEWER, STORE_FAILED. The URL is in no message.
 */
export async function openPostgres(url: string): Promise<Database> {
  const database = new Postgres(url)
  try {
    await database.open()
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
