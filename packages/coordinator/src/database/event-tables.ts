import { type ColumnType, type Generated, type Kysely, sql } from 'kysely'
import { CHANNEL } from './database.ts'

/** Given by the database when a row is made. */
type Given<T> = ColumnType<T, never, never>
type Order = Given<number>

/** What has happened, and who is told of it. */
export interface EventSchema {
  event: {
    event_id: Given<string>
    place: Order
    /** The transaction that made it: with `place` the order in which readers see events. */
    tx: ColumnType<string, never, string>
    at: ColumnType<Date, never, Date>
    tenant: string
    type: string
    subject: string
    key_id: string | null
    data: ColumnType<object, string, never>
  }
  webhook: {
    webhook_id: Given<string>
    place: Order
    tenant: string
    url: string
    /** Null: every type. */
    types: string[] | null
    key_id: string | null
    label: string | null
    secret: string
    old_secret: Generated<string | null>
    old_until_ms: Generated<number | null>
    is_enabled: Generated<boolean>
    /** Why it is not enabled. */
    disabled_code: Generated<string | null>
    /** Since when every attempt has failed. */
    failing_since_ms: Generated<number | null>
    created_by: string
    created_at_ms: number
  }
  delivery: {
    delivery_id: Given<string>
    place: Order
    webhook_id: string
    event_id: string
    state: Generated<DeliveryState>
    /** Begun so far. The number of the last one is also the lease: only who began it writes what became of it. */
    attempts: Generated<number>
    /** When it is due; while an attempt is under way, when another coordinator may begin the next. */
    next_at_ms: Generated<number>
    last_at_ms: Generated<number | null>
    last_status: Generated<number | null>
    last_code: Generated<string | null>
    ended_at_ms: Generated<number | null>
    created_at: Given<Date>
  }
  /** What coordinators have last seen of things that they do not drive, so that a change is told once. */
  observed: { name: string; value: string }
}

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** Told to one webhook only. */
export const TEST_EVENT = 'webhook.test'

const idOf = (prefix: string) => `text not null default '${prefix}_' || replace(gen_random_uuid()::text, '-', '')`
const PLACE = 'place bigint not null generated always as identity unique'

/** One of the migrations: never changed once it is released. */
export async function eventTables(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    `create table event (
      event_id ${idOf('evt')} primary key, ${PLACE}, tx xid8 not null default pg_current_xact_id(), at timestamptz not null default now(),
      tenant text not null, type text not null, subject text not null, key_id text, data json not null)`,
    'create index event_stream on event (tenant, tx, place)',
    'create index event_of_subject on event (subject, tx, place)',
    'create index event_age on event (at)',
    `create table webhook (
      webhook_id ${idOf('whk')} primary key, ${PLACE}, tenant text not null, url text not null, types text[], key_id text, label text,
      secret text not null, old_secret text, old_until_ms bigint, is_enabled boolean not null default true, disabled_code text,
      failing_since_ms bigint, created_by text not null, created_at_ms bigint not null)`,
    'create index webhook_page on webhook (tenant, place desc)',
    `create table delivery (
      delivery_id ${idOf('dlv')} primary key, ${PLACE}, webhook_id text not null references webhook on delete cascade,
      event_id text not null references event on delete cascade, state text not null default 'pending', attempts integer not null default 0,
      next_at_ms bigint not null default 0, last_at_ms bigint, last_status integer, last_code text, ended_at_ms bigint,
      created_at timestamptz not null default now())`,
    `create index delivery_due on delivery (next_at_ms) where state = 'pending'`,
    'create index delivery_page on delivery (webhook_id, place desc)',
    'create index delivery_of_event on delivery (event_id)',
    'create table observed (name text primary key, value text not null)',
    // Whoever makes an event makes its deliveries in the same transaction, and cannot forget to.
    `create function event_added() returns trigger language plpgsql as $$ begin
      if not exists (select from added) then return null; end if;
      insert into delivery (webhook_id, event_id) select w.webhook_id, e.event_id from added e join webhook w
        on w.tenant = e.tenant and w.is_enabled and e.type <> '${TEST_EVENT}' and (w.key_id is null or w.key_id = e.key_id)
        and (w.types is null or e.type = any (w.types) or split_part(e.type, '.', 1) || '.*' = any (w.types));
      perform pg_notify('${CHANNEL}', 'event -');
      return null;
    end $$`,
    `create trigger event_added after insert on event referencing new table as added
      for each statement execute function event_added()`,
  ]) {
    await sql.raw(text).execute(db)
  }
}
