import { sql } from 'kysely'
import { type Database, rowsOf, sqlOf } from '../database/database.ts'
import { type PageQuery, pageOf } from '../pages.ts'
import type { Page } from '../records.ts'

/** Of one tenant. */
export const WEBHOOKS_MAX = 64

export interface WebhookRecord {
  readonly webhookId: string
  readonly url: string
  readonly types: readonly string[] | null
  readonly keyId: string | null
  readonly label: string | null
  readonly isEnabled: boolean
  /** FAILING, GONE or BY_HAND; null while it is enabled. */
  readonly disabledCode: string | null
  readonly failingSinceMs: number | null
  /** Until when what is sent is also signed by the secret before. */
  readonly oldUntilMs: number | null
  readonly createdBy: string
  readonly createdAtMs: number
}

/** What its owner may say of it. */
export type WebhookChange = Partial<Pick<WebhookRecord, 'url' | 'types' | 'keyId' | 'label' | 'isEnabled'>>

const COLUMNS = [
  ...(['webhook_id', 'place', 'url', 'types', 'key_id', 'label', 'is_enabled', 'disabled_code'] as const),
  ...(['failing_since_ms', 'old_until_ms', 'created_by', 'created_at_ms'] as const),
] as const

/**
 * Webhooks as they are kept. Secrets are kept as they are: every coordinator on the database has to sign with them, and whoever reads the
 * database reads all that they could be told (docs/decisions/0019). No method but {@link DeliveryStore.claim} gives one out.
 */
export class WebhookStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @returns undefined when the tenant has WEBHOOKS_MAX. @throws {StoreError}. */
  async add(tenant: string, record: Omit<WebhookRecord, 'webhookId'>, secret: string): Promise<WebhookRecord | undefined> {
    const { url, types, keyId, label, createdBy, createdAtMs } = record
    const query = sql<Row>`insert into webhook (tenant, url, types, key_id, label, secret, created_by, created_at_ms)
      select ${tenant}, ${url}, ${types}::text[], ${keyId}, ${label}, ${secret}, ${createdBy}, ${createdAtMs}::bigint
      where (select count(*) from webhook where tenant = ${tenant}) < ${WEBHOOKS_MAX}
      returning ${sql.join(COLUMNS.map((name) => sql.ref(name)))}`
    return (await rowsOf(this.#database, query.compile(sqlOf))).map(recordOf)[0]
  }

  /** @throws {StoreError}. */
  async get(tenant: string, webhookId: string): Promise<WebhookRecord | undefined> {
    const query = sqlOf.selectFrom('webhook').select(COLUMNS).where('tenant', '=', tenant).where('webhook_id', '=', webhookId)
    return (await rowsOf(this.#database, query.compile())).map(recordOf)[0]
  }

  /** Newest first. @throws {StoreError}. */
  async list(tenant: string, { limit, beyond }: PageQuery): Promise<Page<WebhookRecord>> {
    let query = sqlOf.selectFrom('webhook').select(COLUMNS).where('tenant', '=', tenant)
    if (beyond !== undefined) query = query.where('place', '<', beyond)
    const compiled = query
      .orderBy('place', 'desc')
      .limit(limit + 1)
      .compile()
    return pageOf(await rowsOf(this.#database, compiled), limit, recordOf)
  }

  /** One that is enabled again has not failed yet. @throws {StoreError}. */
  async change(tenant: string, webhookId: string, change: WebhookChange): Promise<WebhookRecord | undefined> {
    const { url, types, keyId, label, isEnabled } = change
    const set = {
      ...(url === undefined ? {} : { url }),
      ...(types === undefined ? {} : { types: types === null ? null : [...types] }),
      ...(keyId === undefined ? {} : { key_id: keyId }),
      ...(label === undefined ? {} : { label }),
      ...(isEnabled === undefined ? {} : { is_enabled: isEnabled, failing_since_ms: null, disabled_code: isEnabled ? null : 'BY_HAND' }),
    }
    if (Object.keys(set).length === 0) return await this.get(tenant, webhookId)
    const query = sqlOf.updateTable('webhook').set(set).where('tenant', '=', tenant).where('webhook_id', '=', webhookId)
    return (await rowsOf(this.#database, query.returning(COLUMNS).compile())).map(recordOf)[0]
  }

  /** A new secret; what is sent is signed by the one before, too, until `oldUntilMs`. @throws {StoreError}. */
  async rotate(
    tenant: string,
    webhookId: string,
    { secret, oldUntilMs }: { readonly secret: string; readonly oldUntilMs: number },
  ): Promise<WebhookRecord | undefined> {
    const query = sqlOf
      .updateTable('webhook')
      .set((is) => ({ old_secret: is.ref('secret'), old_until_ms: oldUntilMs, secret }))
      .where('tenant', '=', tenant)
      .where('webhook_id', '=', webhookId)
    return (await rowsOf(this.#database, query.returning(COLUMNS).compile())).map(recordOf)[0]
  }

  /** With its deliveries, those that are due too. @throws {StoreError}. */
  async remove(tenant: string, webhookId: string): Promise<WebhookRecord | undefined> {
    const query = sqlOf.deleteFrom('webhook').where('tenant', '=', tenant).where('webhook_id', '=', webhookId)
    return (await rowsOf(this.#database, query.returning(COLUMNS).compile())).map(recordOf)[0]
  }
}

interface Row {
  readonly webhook_id: string
  readonly url: string
  readonly types: readonly string[] | null
  readonly key_id: string | null
  readonly label: string | null
  readonly is_enabled: boolean
  readonly disabled_code: string | null
  readonly failing_since_ms: number | null
  readonly old_until_ms: number | null
  readonly created_by: string
  readonly created_at_ms: number
}

function recordOf(row: Row): WebhookRecord {
  return {
    ...{ webhookId: row.webhook_id, url: row.url, types: row.types, keyId: row.key_id, label: row.label },
    ...{ isEnabled: row.is_enabled, disabledCode: row.disabled_code, failingSinceMs: row.failing_since_ms },
    ...{ oldUntilMs: row.old_until_ms, createdBy: row.created_by, createdAtMs: row.created_at_ms },
  }
}
