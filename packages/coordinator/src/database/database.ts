import { type CompiledQuery, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Schema } from './schema.ts'

export type Row = Readonly<Record<string, unknown>>

/** Where coordinators keep their records: PostgreSQL, as a server or within this process. */
export interface Database {
  /** Whether other coordinators may use it at the same time. */
  readonly isShared: boolean
  /**
   * All of these or none, in their order; on disk when it resolves.
   *
   * @returns the rows of each.
   * @throws {StoreError} STORE_CONFLICT, STORE_UNAVAILABLE, STORE_DAMAGED, STORE_FAILED.
   */
  run(queries: readonly CompiledQuery[]): Promise<readonly (readonly Row[])[]>
  /** From now on, what any coordinator announces on CHANNEL. `undefined` when some of it may have been missed. @returns what ends it. */
  listen(heard: (payload: string | undefined) => void): () => void
  close(): Promise<void>
}

export const CHANNEL = 'conclave'

/** Builds statements and runs none. */
export const sqlOf = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** The rows of one statement. @throws {StoreError} as {@link Database.run}. */
export async function rowsOf<R>(database: Database, query: CompiledQuery<R>): Promise<readonly R[]> {
  const [rows = []] = await database.run([query])
  return rows as readonly R[]
}

const [INT8, JSON_TEXT, JSONB] = [20, 114, 3802]

/** What becomes of the texts that PostgreSQL sends, by its type: in every other way as its libraries read them. */
export const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8 as number, Number],
  [JSON_TEXT as number, JSON.parse],
  [JSONB as number, JSON.parse],
])
