import { type ColumnType, type Generated, type Kysely, sql } from 'kysely'
import type { ApiRole } from '../settings.ts'

/** What the HTTP side keeps: who may call, who has called, and what the API says of keys that the nodes know nothing of. */
export interface ApiSchema {
  api_key: {
    /** Never given to another one, so that it says who did what. */
    name: string
    place: ColumnType<number, never, never>
    tenant: string
    role: ApiRole
    /** SHA-256 of the secret, hex. */
    hash: string
    /** Of the secret before the last rotation, and until when it is taken. */
    old_hash: string | null
    old_until_ms: number | null
    created_by: string
    created_at_ms: number
    revoked_at_ms: number | null
    last_used_at_ms: number | null
  }
  api_call: {
    place: ColumnType<number, never, never>
    at_ms: number
    tenant: string | null
    caller: string | null
    method: string
    route: string | null
    status: number
    duration_ms: number
    http_request_id: string
  }
  key_note: { key_id: string; tenant: string; role: string | null; label: string | null; tags: Generated<string[]> }
  child_key: {
    place: ColumnType<number, never, never>
    key_id: string
    path: string
    public_key: string
    address: string
    label: string | null
    tags: string[]
    state: string
    created_at_ms: number
  }
}

/** One of the migrations: never changed once it is released. */
export async function apiTables(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    `create table api_key (
      name text primary key, place bigint not null generated always as identity unique, tenant text not null, role text not null,
      hash text not null unique, old_hash text unique, old_until_ms bigint, created_by text not null, created_at_ms bigint not null,
      revoked_at_ms bigint, last_used_at_ms bigint)`,
    'create index api_key_page on api_key (tenant, place desc)',
    `create table api_call (
      place bigint primary key generated always as identity, at_ms bigint not null, tenant text, caller text, method text not null, route text,
      status integer not null, duration_ms integer not null, http_request_id text not null)`,
    'create index api_call_page on api_call (tenant, place desc)',
    'create table key_note (key_id text primary key, tenant text not null, role text, label text, tags text[] not null default array[]::text[])',
    `create table child_key (
      place bigint not null generated always as identity unique, key_id text not null, path text not null, public_key text not null,
      address text not null, label text, tags text[] not null, state text not null, created_at_ms bigint not null, primary key (key_id, path))`,
    'create index child_key_page on child_key (key_id, place)',
    'create index child_key_address on child_key (address)',
    "create index child_key_inactive on child_key (key_id) where state <> 'active'",
  ]) {
    await sql.raw(text).execute(db)
  }
}
