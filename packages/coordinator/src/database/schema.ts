import type { ColumnType, Generated, JSONColumnType } from 'kysely'
import type { KeyRecord, OperationRecord, SigningRecord } from '../records.ts'
import type { ApiSchema } from './api-tables.ts'

/** Of a row that says nothing else. */
export const TENANT = 'main'

/** Written as JSON text, read as what it says. */
type Json<T extends object> = JSONColumnType<T, string, string>
/** The order in which rows were made, given by the database. */
type Order = ColumnType<number, never, never>

export interface Schema extends ApiSchema {
  /** The coordinators that use this database, each until its lease ends. */
  replica: {
    name: string
    /** Of one run of the coordinator: what it drives is under this name. */
    owner: string
    until: Date
  }
  /** What only one of them does at a time. */
  duty: { name: string; owner: string }
  idempotency: { hash: string; body_hash: string; status: number; body: Json<object>; created_at: Generated<Date> }
  signing: {
    request_id: string
    place: Order
    tenant: string
    key_id: string
    requester: string
    state: string
    is_open: boolean
    /** May be set by whoever does not drive it. */
    cancel_requested: Generated<boolean>
    owner: string | null
    created_at_ms: number
    body: Json<SigningRecord>
  }
  operation: {
    operation_id: string
    place: Order
    tenant: string
    key_id: string
    requested_by: string
    state: string
    is_open: boolean
    owner: string | null
    created_at_ms: number
    body: Json<OperationRecord>
  }
  key: { key_id: string; tenant: string; public_key: string; epoch: number; body: Json<KeyRecord> }
  schedule: {
    key_id: string
    refresh_every_days: number | null
    epoch: number
    refreshed_at_ms: number
    failures: number
    retry_at_ms: number | null
  }
}
