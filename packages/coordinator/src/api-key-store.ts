import { createHash } from 'node:crypto'
import type { Random } from '@conclave/core'
import type { Selectable } from 'kysely'
import type { ApiSchema } from './database/api-tables.ts'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { type PageQuery, pageOf } from './pages.ts'
import type { Page } from './records.ts'
import type { ApiRole } from './settings.ts'

const SECRET_BYTES = 32
const SECRET = /^cvk_[A-Za-z0-9_-]{43}$/
/** That one tenant may have, revoked ones too. */
export const API_KEYS_MAX = 10_000

/** An API key as it is kept: never its secret. */
export interface ApiKeyRecord {
  readonly name: string
  readonly tenant: string
  readonly role: ApiRole
  readonly createdBy: string
  readonly createdAtMs: number
  readonly oldUntilMs: number | null
  readonly revokedAtMs: number | null
  readonly lastUsedAtMs: number | null
}

/** Hex. A secret of 256 random bits needs no slow hash. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Whether a text may be a secret that was made here. */
export function isSecret(text: string): boolean {
  return SECRET.test(text)
}

export function newSecret(random: Random): string {
  return `cvk_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')}`
}

const recordOf = (r: Selectable<ApiSchema['api_key']>): ApiKeyRecord => ({
  ...{ name: r.name, tenant: r.tenant, role: r.role, createdBy: r.created_by, createdAtMs: r.created_at_ms },
  ...{ oldUntilMs: r.old_hash === null ? null : r.old_until_ms, revokedAtMs: r.revoked_at_ms, lastUsedAtMs: r.last_used_at_ms },
})

/** API keys in the database. @throws {StoreError} of the database, from every method. */
export class ApiKeyStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The key of a secret that is valid at this time. */
  async find(hash: string, nowMs: number): Promise<ApiKeyRecord | undefined> {
    const query = sqlOf
      .selectFrom('api_key')
      .selectAll()
      .where('revoked_at_ms', 'is', null)
      .where((is) => is.or([is('hash', '=', hash), is.and([is('old_hash', '=', hash), is('old_until_ms', '>', nowMs)])]))
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  /** @returns whether it was added: not when there is one of that name, or has been. */
  async add({ name, tenant, role, createdBy, createdAtMs }: ApiKeyRecord, hash: string): Promise<boolean> {
    const row = { name, tenant, role, hash, created_by: createdBy, created_at_ms: createdAtMs }
    const query = sqlOf
      .insertInto('api_key')
      .values(row)
      .onConflict((there) => there.column('name').doNothing())
      .returning('name')
    return (await rowsOf(this.#database, query.compile())).length === 1
  }

  async count(tenant: string): Promise<number> {
    const query = sqlOf
      .selectFrom('api_key')
      .select((is) => is.fn.countAll<number>().as('n'))
      .where('tenant', '=', tenant)
    return (await rowsOf(this.#database, query.compile()))[0]?.n ?? 0
  }

  async get(tenant: string, name: string): Promise<ApiKeyRecord | undefined> {
    const query = sqlOf.selectFrom('api_key').selectAll().where('tenant', '=', tenant).where('name', '=', name)
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  /** Newest first. */
  async list(tenant: string, { limit, beyond }: PageQuery): Promise<Page<ApiKeyRecord>> {
    let query = sqlOf.selectFrom('api_key').selectAll().where('tenant', '=', tenant)
    if (beyond !== undefined) query = query.where('place', '<', beyond)
    return pageOf(
      await rowsOf(
        this.#database,
        query
          .orderBy('place', 'desc')
          .limit(limit + 1)
          .compile(),
      ),
      limit,
      recordOf,
    )
  }

  /** A new secret; the one before is taken until `oldUntilMs`. @returns undefined when there is no such key, or it is revoked. */
  async rotate(
    tenant: string,
    name: string,
    { hash, oldUntilMs }: { hash: string; oldUntilMs: number },
  ): Promise<ApiKeyRecord | undefined> {
    const query = sqlOf
      .updateTable('api_key')
      .set((is) => ({ old_hash: is.ref('hash'), old_until_ms: oldUntilMs, hash }))
      .where('tenant', '=', tenant)
      .where('name', '=', name)
      .where('revoked_at_ms', 'is', null)
      .returningAll()
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  /** For ever. @returns undefined when there is no such key. */
  async revoke(tenant: string, name: string, nowMs: number): Promise<ApiKeyRecord | undefined> {
    const query = sqlOf
      .updateTable('api_key')
      .set((is) => ({ revoked_at_ms: is.fn.coalesce('revoked_at_ms', is.val(nowMs)), old_hash: null, old_until_ms: null }))
      .where('tenant', '=', tenant)
      .where('name', '=', name)
      .returningAll()
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  async noteUse(name: string, atMs: number): Promise<void> {
    await this.#database.run([sqlOf.updateTable('api_key').set({ last_used_at_ms: atMs }).where('name', '=', name).compile()])
  }
}
