import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { apiTables } from './api-tables.ts'
import { StoreError } from './store-error.ts'

/** The tables of version 1. A migration is never changed once it is released; the next one changes what it made. */
async function tables(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    'create table replica (name text primary key, owner text not null unique, until timestamptz not null)',
    'create table duty (name text primary key, owner text not null)',
    `create table idempotency (
      hash text primary key, body_hash text not null, status integer not null, body json not null, created_at timestamptz not null default now())`,
    `create table signing (
      request_id text primary key, place bigint not null generated always as identity unique, tenant text not null, key_id text not null,
      requester text not null, state text not null, is_open boolean not null, cancel_requested boolean not null default false, owner text,
      created_at_ms bigint not null, body json not null)`,
    'create index signing_open on signing (owner) where is_open',
    'create index signing_page on signing (tenant, place desc)',
    `create table operation (
      operation_id text primary key, place bigint not null generated always as identity unique, tenant text not null, key_id text not null,
      requested_by text not null, state text not null, is_open boolean not null, owner text, created_at_ms bigint not null, body json not null)`,
    // Of several coordinators that begin an operation on one key, this lets one.
    'create unique index operation_open on operation (key_id) where is_open',
    'create index operation_page on operation (tenant, place desc)',
    'create index operation_of_key on operation (key_id, place desc)',
    `create table key (key_id text primary key, tenant text not null, public_key text not null, epoch bigint not null, body json not null)`,
    `create table schedule (
      key_id text primary key, refresh_every_days integer, epoch bigint not null, refreshed_at_ms bigint not null, failures integer not null,
      retry_at_ms bigint)`,
  ]) {
    await sql.raw(text).execute(db)
  }
}

/** In the order of their names. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-tables': { up: tables },
  '0002-api': { up: apiTables },
}

/**
 * Brings a database to the newest version, under a lock that lets one coordinator do it.
 *
 * @throws {StoreError} STORE_NEWER when a later version of this program was here; what the database throws.
 */
export async function migrate(db: Kysely<unknown>, migrations = MIGRATIONS): Promise<void> {
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } }).migrateToLatest()
  if (error === undefined) return
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new StoreError('STORE_NEWER', 'a newer version of this program has used this database', { cause: error })
  }
  throw error
}
