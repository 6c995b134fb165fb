import { type Selectable, sql } from 'kysely'
import type { ApiSchema } from './database/api-tables.ts'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { type PageQuery, pageOf } from './pages.ts'
import type { Page } from './records.ts'

export const CHILD_STATES = ['active', 'suspended', 'revoked'] as const
export type ChildState = (typeof CHILD_STATES)[number]

/** A child key that the platform has taken into use. */
export interface ChildRecord {
  readonly path: string
  readonly publicKey: string
  readonly address: string
  readonly label: string | null
  readonly tags: readonly string[]
  readonly state: ChildState
  readonly createdAtMs: number
}

export interface ChildFilter {
  readonly tag?: string | undefined
  readonly state?: ChildState | undefined
  readonly address?: string | undefined
}

export type ChildChange = Partial<Pick<ChildRecord, 'label' | 'tags' | 'state'>>

const recordOf = (r: Selectable<ApiSchema['child_key']>): ChildRecord => ({
  ...{ path: r.path, publicKey: r.public_key, address: r.address, label: r.label, tags: r.tags },
  ...{ state: r.state as ChildState, createdAtMs: r.created_at_ms },
})

/** Child keys in the database. @throws {StoreError} of the database, from every method. */
export class ChildKeyStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async count(keyId: string): Promise<number> {
    const query = sqlOf
      .selectFrom('child_key')
      .select((is) => is.fn.countAll<number>().as('n'))
      .where('key_id', '=', keyId)
    return (await rowsOf(this.#database, query.compile()))[0]?.n ?? 0
  }

  /** All of them in one statement. @returns how many are new; those that are there stay as they are. */
  async add(keyId: string, children: readonly ChildRecord[]): Promise<number> {
    const rows = children.map(({ publicKey, createdAtMs, ...c }) => ({ ...c, public_key: publicKey, created_at_ms: createdAtMs }))
    const query = sql<{ n: number }>`with added as (
      insert into child_key (key_id, path, public_key, address, label, tags, state, created_at_ms)
      select ${keyId}, path, public_key, address, label, array(select json_array_elements_text(tags)), state, created_at_ms
      from json_to_recordset(${JSON.stringify(rows)}::json)
        as c (path text, public_key text, address text, label text, tags json, state text, created_at_ms bigint)
      on conflict (key_id, path) do nothing returning 1)
    select count(*) as n from added`
    return (await rowsOf(this.#database, query.compile(sqlOf)))[0]?.n ?? 0
  }

  async get(keyId: string, path: string): Promise<ChildRecord | undefined> {
    const query = sqlOf.selectFrom('child_key').selectAll().where('key_id', '=', keyId).where('path', '=', path)
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  /** In the order in which they were added. */
  async list(keyId: string, { limit, beyond }: PageQuery, { tag, state, address }: ChildFilter): Promise<Page<ChildRecord>> {
    let query = sqlOf.selectFrom('child_key').selectAll().where('key_id', '=', keyId)
    if (beyond !== undefined) query = query.where('place', '>', beyond)
    if (tag !== undefined) query = query.where(sql<boolean>`${tag} = any(tags)`)
    if (state !== undefined) query = query.where('state', '=', state)
    if (address !== undefined) query = query.where('address', '=', address)
    return pageOf(
      await rowsOf(
        this.#database,
        query
          .orderBy('place')
          .limit(limit + 1)
          .compile(),
      ),
      limit,
      recordOf,
    )
  }

  /** @returns undefined when there is no such child, or it is revoked and was to be something else. */
  async change(keyId: string, path: string, { tags, ...change }: ChildChange): Promise<ChildRecord | undefined> {
    const set = { ...change, ...(tags === undefined ? {} : { tags: [...tags] }) }
    let query = sqlOf.updateTable('child_key').set(set).where('key_id', '=', keyId).where('path', '=', path)
    if (change.state !== undefined && change.state !== 'revoked') query = query.where('state', '!=', 'revoked')
    return (await rowsOf(this.#database, query.returningAll().compile())).map(recordOf)[0]
  }

  /** One of these that may not sign. */
  async inactiveAmong(keyId: string, paths: readonly string[]): Promise<Pick<ChildRecord, 'path' | 'state'> | undefined> {
    if (paths.length === 0) return undefined
    const query = sqlOf.selectFrom('child_key').select(['path', 'state']).where('key_id', '=', keyId)
    const found = query
      .where('state', '!=', 'active')
      .where('path', 'in', [...paths])
      .limit(1)
    return (await rowsOf(this.#database, found.compile())).map(({ path, state }) => ({ path, state: state as ChildState }))[0]
  }
}
