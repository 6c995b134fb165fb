import { sql } from 'kysely'
import { type Database, rowsOf, sqlOf } from '../database/database.ts'
import { type DeliveryState, TEST_EVENT } from '../database/event-tables.ts'
import { type EventRecord, recordOf as eventOf } from '../events/event-store.ts'
import { noticeOf } from '../notices.ts'
import { type PageQuery, pageOf } from '../pages.ts'
import type { Page } from '../records.ts'

/** An event on its way to a webhook. */
export interface DeliveryRecord {
  readonly deliveryId: string
  readonly webhookId: string
  readonly event: EventRecord
  readonly state: DeliveryState
  readonly attempts: number
  readonly nextAtMs: number
  readonly lastAtMs: number | null
  readonly lastStatus: number | null
  readonly lastCode: string | null
  readonly endedAtMs: number | null
  readonly createdAtMs: number
}

/** An attempt that this coordinator has begun. */
export interface Claimed {
  readonly deliveryId: string
  readonly webhookId: string
  /** Its number, from 1. */
  readonly attempt: number
  readonly url: string
  /** Those that are valid now. */
  readonly secrets: readonly string[]
  readonly event: EventRecord
}

export interface ClaimAsked {
  readonly limit: number
  readonly nowMs: number
  /** After which another coordinator may begin the next attempt. */
  readonly leaseUntilMs: number
  /** Webhooks to which enough is under way. */
  readonly except: readonly string[]
}

/** What became of an attempt. */
export interface Outcome {
  readonly status: number | null
  /** Null: delivered. */
  readonly code: string | null
  readonly nowMs: number
  /** When the next attempt is due; null for none. */
  readonly nextAtMs: number | null
  /** A webhook that has failed at every attempt since then, or that is gone, is not tried any more. */
  readonly disable: { readonly code: string; readonly failingSinceMs: number } | undefined
}

/**
 * Deliveries, which are made with their events. An attempt is begun by whoever first writes so; when nothing more is heard of it, the next
 * one may be begun by anybody after the lease. So no delivery is lost, and one may be made twice.
 */
export class DeliveryStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Begins attempts that are due. @throws {StoreError}. */
  async claim({ limit, nowMs, leaseUntilMs, except }: ClaimAsked): Promise<readonly Claimed[]> {
    const query = sql<ClaimedRow>`update delivery as d
      set attempts = d.attempts + 1, next_at_ms = ${leaseUntilMs}::bigint, last_at_ms = ${nowMs}::bigint
      from (
        select delivery_id from delivery join webhook using (webhook_id)
        where state = 'pending' and next_at_ms <= ${nowMs}::bigint and is_enabled and webhook_id <> all (${except}::text[])
        order by next_at_ms, delivery.place limit ${limit}::integer for update of delivery skip locked) as due,
        webhook as w, event as e
      where d.delivery_id = due.delivery_id and w.webhook_id = d.webhook_id and e.event_id = d.event_id
      returning d.delivery_id, d.webhook_id, d.attempts, w.url, w.secret, w.old_secret, w.old_until_ms,
        e.event_id, e.at, e.type, e.subject, e.key_id, e.data`
    return (await rowsOf(this.#database, query.compile(sqlOf))).map((row) => {
      const old = row.old_secret !== null && (row.old_until_ms ?? 0) > nowMs ? [row.old_secret] : []
      const secrets = [row.secret, ...old]
      return { deliveryId: row.delivery_id, webhookId: row.webhook_id, attempt: row.attempts, url: row.url, secrets, event: eventOf(row) }
    })
  }

  /** When the next attempt is due; undefined when none is. @throws {StoreError}. */
  async nextAtMs(except: readonly string[]): Promise<number | undefined> {
    const query = sql<{ at: number | null }>`select min(next_at_ms) as at from delivery join webhook using (webhook_id)
      where state = 'pending' and is_enabled and webhook_id <> all (${except}::text[])`
    return (await rowsOf(this.#database, query.compile(sqlOf)))[0]?.at ?? undefined
  }

  /** Writes what became of an attempt, unless another coordinator has begun the next one meanwhile. @throws {StoreError}. */
  async settle({ deliveryId, webhookId, attempt }: Claimed, { status, code, nowMs, nextAtMs, disable }: Outcome): Promise<void> {
    const state: DeliveryState = code === null ? 'delivered' : nextAtMs === null ? 'failed' : 'pending'
    const ended = state === 'pending' ? {} : { ended_at_ms: nowMs }
    const settled = sqlOf
      .updateTable('delivery')
      .set({ state, last_status: status, last_code: code, ...(nextAtMs === null ? {} : { next_at_ms: nextAtMs }), ...ended })
      .where('delivery_id', '=', deliveryId)
      .where('attempts', '=', attempt)
      .where('state', '=', 'pending')
    const webhook = sqlOf.updateTable('webhook').where('webhook_id', '=', webhookId)
    const felt =
      code === null
        ? webhook.set({ failing_since_ms: null }).where('failing_since_ms', 'is not', null)
        : webhook.set({ failing_since_ms: nowMs }).where('failing_since_ms', 'is', null)
    await this.#database.run([settled.compile(), felt.compile(), ...(disable === undefined ? [] : [disabling(webhookId, disable)])])
  }

  /** Leaves an attempt to whoever begins the next one. @throws {StoreError}. */
  async release({ deliveryId, attempt }: Claimed, nowMs: number): Promise<void> {
    const released = sqlOf.updateTable('delivery').set({ next_at_ms: nowMs }).where('delivery_id', '=', deliveryId)
    await this.#database.run([released.where('attempts', '=', attempt).where('state', '=', 'pending').compile()])
  }

  /** Newest first. @throws {StoreError}. */
  async list(
    webhookId: string,
    { limit, beyond, state }: PageQuery & { state?: DeliveryState | undefined },
  ): Promise<Page<DeliveryRecord>> {
    let query = this.#select().where('d.webhook_id', '=', webhookId)
    if (state !== undefined) query = query.where('d.state', '=', state)
    if (beyond !== undefined) query = query.where('d.place', '<', beyond)
    const compiled = query
      .orderBy('d.place', 'desc')
      .limit(limit + 1)
      .compile()
    return pageOf(await rowsOf(this.#database, compiled), limit, recordOf)
  }

  /** The same event once more, in a delivery of its own. @returns undefined when there is no such delivery. @throws {StoreError}. */
  async resend(webhookId: string, deliveryId: string): Promise<DeliveryRecord | undefined> {
    const added = sql<{ delivery_id: string }>`insert into delivery (webhook_id, event_id)
      select webhook_id, event_id from delivery where webhook_id = ${webhookId} and delivery_id = ${deliveryId}
      returning delivery_id, ${noticeOf('event', '-')}`
    return await this.#added(await rowsOf(this.#database, added.compile(sqlOf)))
  }

  /** An event that says nothing but that it is one, for this webhook alone. @throws {StoreError}. */
  async test(tenant: string, webhookId: string): Promise<DeliveryRecord | undefined> {
    const added = sql<{ delivery_id: string }>`with told as (
        insert into event (tenant, type, subject, data) values (${tenant}, ${TEST_EVENT}, ${webhookId}, ${JSON.stringify({ webhookId })}::json)
        returning event_id)
      insert into delivery (webhook_id, event_id) select ${webhookId}, event_id from told returning delivery_id`
    return await this.#added(await rowsOf(this.#database, added.compile(sqlOf)))
  }

  async #added([added]: readonly { readonly delivery_id: string }[]): Promise<DeliveryRecord | undefined> {
    if (added === undefined) return undefined
    return (await rowsOf(this.#database, this.#select().where('d.delivery_id', '=', added.delivery_id).compile())).map(recordOf)[0]
  }

  #select() {
    return sqlOf
      .selectFrom('delivery as d')
      .innerJoin('event as e', 'e.event_id', 'd.event_id')
      .select(['d.delivery_id', 'd.place', 'd.webhook_id', 'd.state', 'd.attempts', 'd.next_at_ms', 'd.last_at_ms', 'd.last_status'])
      .select(['d.last_code', 'd.ended_at_ms', 'd.created_at', 'e.event_id', 'e.at', 'e.type', 'e.subject', 'e.key_id', 'e.data'])
  }
}

function disabling(webhookId: string, { code, failingSinceMs }: { readonly code: string; readonly failingSinceMs: number }) {
  return sql`with disabled as (
      update webhook set is_enabled = false, disabled_code = ${code}
      where webhook_id = ${webhookId} and is_enabled and failing_since_ms <= ${failingSinceMs}::bigint returning tenant, url)
    insert into event (tenant, type, subject, data)
    select tenant, 'webhook.disabled', ${webhookId}, json_build_object('webhookId', ${webhookId}::text, 'url', url, 'code', ${code}::text)
    from disabled`.compile(sqlOf)
}

type EventColumns = Parameters<typeof eventOf>[0]

interface ClaimedRow extends EventColumns {
  readonly delivery_id: string
  readonly webhook_id: string
  readonly attempts: number
  readonly url: string
  readonly secret: string
  readonly old_secret: string | null
  readonly old_until_ms: number | null
}

interface Row extends EventColumns {
  readonly delivery_id: string
  readonly webhook_id: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly next_at_ms: number
  readonly last_at_ms: number | null
  readonly last_status: number | null
  readonly last_code: string | null
  readonly ended_at_ms: number | null
  readonly created_at: Date
}

function recordOf(row: Row): DeliveryRecord {
  return {
    ...{ deliveryId: row.delivery_id, webhookId: row.webhook_id, event: eventOf(row), state: row.state, attempts: row.attempts },
    ...{ nextAtMs: row.next_at_ms, lastAtMs: row.last_at_ms, lastStatus: row.last_status, lastCode: row.last_code },
    ...{ endedAtMs: row.ended_at_ms, createdAtMs: row.created_at.getTime() },
  }
}
