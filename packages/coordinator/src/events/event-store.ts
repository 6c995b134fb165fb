import { sql } from 'kysely'
import { type Database, rowsOf, sqlOf } from '../database/database.ts'

/** Something that has happened, as it was told then. */
export interface EventRecord {
  readonly eventId: string
  readonly atMs: number
  readonly type: string
  /** What it happened to: the id of a request, an operation, a key, ... */
  readonly subject: string
  readonly keyId: string | null
  readonly data: object
}

/** Which events; every field narrows it. */
export interface EventFilter {
  readonly tenant: string
  readonly types?: readonly string[] | undefined
  readonly keyId?: string | undefined
  readonly subject?: string | undefined
}

/** A place in the order of events, which only the database reads. */
export interface EventPlace {
  readonly tx: string
  readonly place: number
}

export const FIRST_PLACE: EventPlace = { tx: '0', place: 0 }

export interface EventPage {
  readonly events: readonly EventRecord[]
  /** Where the next page begins. */
  readonly next: EventPlace
  /** Whether there are events that cannot be told yet: one that is before them may still be on its way. */
  readonly isWaiting: boolean
}

/** Deleted in one statement. */
const TRIM_MAX = 1000

/**
 * The events that are kept.
 *
 * Transactions end in another order than they begin, so numbers alone would let a reader pass over an event that becomes visible later.
 * Readers therefore see an event once no transaction that began before its own is open, in the order of transactions.
 */
export class EventStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Events after a place, oldest first, `limit` at most. @throws {StoreError}. */
  async page(filter: EventFilter, after: EventPlace, limit: number): Promise<EventPage> {
    const { tenant, types, keyId, subject } = filter
    let query = sqlOf
      .selectFrom('event')
      .select(['event_id', 'tx', 'place', 'at', 'type', 'subject', 'key_id', 'data'])
      .select(sql<boolean>`tx < pg_snapshot_xmin(pg_current_snapshot())`.as('is_settled'))
      .where('tenant', '=', tenant)
      .where(sql<boolean>`(tx, place) > (${after.tx}::xid8, ${after.place}::bigint)`)
    if (subject !== undefined) query = query.where('subject', '=', subject)
    if (keyId !== undefined) query = query.where('key_id', '=', keyId)
    if (types !== undefined) query = query.where(matches(types))
    const rows = await rowsOf(this.#database, query.orderBy('tx').orderBy('place').limit(limit).compile())
    const unsettled = rows.findIndex((row) => !row.is_settled)
    const told = unsettled === -1 ? rows : rows.slice(0, unsettled)
    const last = told.at(-1)
    const next = last === undefined ? after : { tx: last.tx, place: last.place }
    return { events: told.map(recordOf), next, isWaiting: unsettled !== -1 }
  }

  /** After the newest event that can be told. @throws {StoreError}. */
  async end(tenant: string): Promise<EventPlace> {
    const settled = sql<boolean>`tx < pg_snapshot_xmin(pg_current_snapshot())`
    const query = sqlOf.selectFrom('event').select(['tx', 'place']).where('tenant', '=', tenant).where(settled)
    const [row] = await rowsOf(this.#database, query.orderBy('tx', 'desc').orderBy('place', 'desc').limit(1).compile())
    return row ?? FIRST_PLACE
  }

  /** After an event; undefined when it is not kept any more, or never was. @throws {StoreError}. */
  async after(tenant: string, eventId: string): Promise<EventPlace | undefined> {
    const query = sqlOf.selectFrom('event').select(['tx', 'place']).where('tenant', '=', tenant).where('event_id', '=', eventId)
    return (await rowsOf(this.#database, query.compile()))[0]
  }

  /** Forgets events that are older, and their deliveries. @throws {StoreError}. */
  async trim(days: number): Promise<void> {
    const before = sql<Date>`now() - ${`${days} days`}::interval`
    const old = sqlOf.selectFrom('event').select('event_id').where('at', '<', before).limit(TRIM_MAX)
    const query = sqlOf.deleteFrom('event').where('event_id', 'in', old).returning('event_id')
    while ((await rowsOf(this.#database, query.compile())).length === TRIM_MAX);
  }

  /**
   * Puts events of another server, from which this database was restored, before all that this one makes. Call it before events are read.
   *
   * @throws {StoreError}.
   */
  async adopt(): Promise<void> {
    const foreign = sql<boolean>`tx >= pg_snapshot_xmax(pg_current_snapshot())`
    await this.#database.run([sqlOf.updateTable('event').set({ tx: '0' }).where(foreign).compile()])
  }
}

/** A type, or `subject.*` for all of a subject. */
function matches(types: readonly string[]) {
  const list = sql`array[${sql.join(types)}]::text[]`
  return sql<boolean>`(type = any (${list}) or split_part(type, '.', 1) || '.*' = any (${list}))`
}

interface Row {
  readonly event_id: string
  readonly at: Date
  readonly type: string
  readonly subject: string
  readonly key_id: string | null
  readonly data: object
}

export function recordOf({ event_id, at, type, subject, key_id, data }: Row): EventRecord {
  return { eventId: event_id, atMs: at.getTime(), type, subject, keyId: key_id, data }
}
