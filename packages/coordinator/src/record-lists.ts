import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { type PageQuery, pageOf } from './pages.ts'
import type { OperationRecord, Page, SigningRecord } from './records.ts'

/** What of a list is wanted; times are of the creation. */
export interface ListFilter {
  readonly keyId?: string | undefined
  readonly state?: string | undefined
  readonly requester?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** Signing requests of a tenant, newest first. @throws {StoreError}. */
export async function listSignings(database: Database, tenant: string, page: PageQuery, f: ListFilter): Promise<Page<SigningRecord>> {
  let query = sqlOf.selectFrom('signing').select(['place', 'body', 'cancel_requested']).where('tenant', '=', tenant)
  if (page.beyond !== undefined) query = query.where('place', '<', page.beyond)
  if (f.keyId !== undefined) query = query.where('key_id', '=', f.keyId)
  if (f.state !== undefined) query = query.where('state', '=', f.state)
  if (f.requester !== undefined) query = query.where('requester', '=', f.requester)
  if (f.fromMs !== undefined) query = query.where('created_at_ms', '>=', f.fromMs)
  if (f.toMs !== undefined) query = query.where('created_at_ms', '<', f.toMs)
  const rows = await rowsOf(
    database,
    query
      .orderBy('place', 'desc')
      .limit(page.limit + 1)
      .compile(),
  )
  return pageOf(rows, page.limit, ({ body, cancel_requested }) => (cancel_requested ? { ...body, cancelRequested: true } : body))
}

/** Operations of a tenant, newest first. @throws {StoreError}. */
export async function listOperations(database: Database, tenant: string, page: PageQuery, f: ListFilter): Promise<Page<OperationRecord>> {
  let query = sqlOf.selectFrom('operation').select(['place', 'body']).where('tenant', '=', tenant)
  if (page.beyond !== undefined) query = query.where('place', '<', page.beyond)
  if (f.keyId !== undefined) query = query.where('key_id', '=', f.keyId)
  if (f.state !== undefined) query = query.where('state', '=', f.state)
  if (f.requester !== undefined) query = query.where('requested_by', '=', f.requester)
  if (f.fromMs !== undefined) query = query.where('created_at_ms', '>=', f.fromMs)
  if (f.toMs !== undefined) query = query.where('created_at_ms', '<', f.toMs)
  const rows = await rowsOf(
    database,
    query
      .orderBy('place', 'desc')
      .limit(page.limit + 1)
      .compile(),
  )
  return pageOf(rows, page.limit, ({ body }) => body)
}
