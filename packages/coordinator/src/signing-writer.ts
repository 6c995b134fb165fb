import { setImmediate } from 'node:timers/promises'
import { codeOf } from '@conclave/core'
import { type CompiledQuery, sql } from 'kysely'
import { CHANNEL, type Database, type Row, sqlOf } from './database/database.ts'
import { StoreError } from './database/store-error.ts'
import { type IdempotencyRecord, isOver, type SigningRecord } from './records.ts'

/** Requests in one write. */
export const GROUP_MAX = 64

interface Admission {
  readonly hash: string
  readonly answer: IdempotencyRecord
}

interface Waiting {
  readonly record: SigningRecord
  /** Undefined for a record that is there. */
  readonly admission: Admission | undefined
  resolve(isCancelRequested: boolean): void
  reject(error: unknown): void
}

/**
 * Writes signing requests of one coordinator. What is written in one turn of the event loop, or while the database is busy, is one
 * transaction.
 */
export class SigningWriter {
  readonly #database: Database
  readonly #owner: string
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  constructor(database: Database, owner: string) {
    this.#database = database
    this.#owner = owner
  }

  /** A new request and the answer that it is acknowledged with: both are kept, or neither. @throws {StoreError} STORE_CONFLICT. */
  async add(record: SigningRecord, admission: Admission): Promise<void> {
    await this.#write(record, admission)
  }

  /** @returns whether somebody has asked to cancel it. @throws {StoreError} LEASE_LOST when another coordinator drives it. */
  save(record: SigningRecord): Promise<boolean> {
    return this.#write(record, undefined)
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#flushing
  }

  #write(record: SigningRecord, admission: Admission | undefined): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    this.#waiting.push({ record, admission, resolve, reject })
    this.#flushing ??= this.#flush()
    return promise
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await setImmediate()
      await this.#writeGroup(this.#nextGroup())
    }
    this.#flushing = undefined
  }

  /** The first that wait, each request once. */
  #nextGroup(): readonly Waiting[] {
    const group = new Map<string, Waiting>()
    const later: Waiting[] = []
    for (const waiting of this.#waiting) {
      const { requestId } = waiting.record
      if (group.size < GROUP_MAX && !group.has(requestId)) group.set(requestId, waiting)
      else later.push(waiting)
    }
    this.#waiting = later
    return [...group.values()]
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const added = group.filter((w) => w.admission !== undefined)
    const saved = group.filter((w) => w.admission === undefined)
    const queries = [...(added.length > 0 ? [this.#inserts(added)] : []), ...(saved.length > 0 ? [this.#updates(saved)] : [])]
    let rows: readonly Row[] = []
    try {
      rows = (await this.#database.run(queries)).flat()
    } catch (error) {
      if (group.length === 1 || codeOf(error) === 'STORE_UNAVAILABLE') for (const { reject } of group) reject(error)
      // One of them is at fault, and the others are to be none the worse for it.
      else for (const waiting of group) await this.#writeGroup([waiting])
      return
    }
    for (const { resolve } of added) resolve(false)
    const cancelled = new Map(rows.map((r) => [r.request_id, r.cancel_requested === true]))
    for (const { record, resolve, reject } of saved) {
      const isCancelRequested = cancelled.get(record.requestId)
      if (isCancelRequested !== undefined) resolve(isCancelRequested)
      else reject(new StoreError('LEASE_LOST', `another coordinator drives request ${record.requestId}`))
    }
  }

  #inserts(group: readonly Waiting[]): CompiledQuery {
    const answers = group.flatMap(({ admission }) => (admission === undefined ? [] : [idempotencyRow(admission.hash, admission.answer)]))
    const requests = group.map(({ record }) => ({
      ...{ request_id: record.requestId, tenant: record.tenant, key_id: record.keyId, requester: record.requester, owner: this.#owner },
      ...{ state: record.state, is_open: !isOver(record), created_at_ms: record.createdAtMs, body: JSON.stringify(record) },
    }))
    return sqlOf
      .with('answered', (db) => db.insertInto('idempotency').values(answers))
      .insertInto('signing')
      .values(requests)
      .compile()
  }

  #updates(group: readonly Waiting[]): CompiledQuery {
    const rows = group.map(
      ({ record }) => sql`(${record.requestId}::text, ${record.state}::text, ${!isOver(record)}::boolean, ${JSON.stringify(record)}::json)`,
    )
    const notice = this.#database.isShared ? sql`, pg_notify(${CHANNEL}, 'changed ' || request_id)::text` : sql``
    return sql`with saved as (
      update signing as s set state = n.state, is_open = n.is_open, body = n.body
      from (values ${sql.join(rows)}) as n (request_id, state, is_open, body)
      where s.request_id = n.request_id and s.owner = ${this.#owner} and (s.is_open or not n.is_open)
      returning s.request_id, s.cancel_requested)
    select request_id, cancel_requested${notice} from saved`.compile(sqlOf)
  }
}

export function idempotencyRow(hash: string, { bodyHash, status, body }: IdempotencyRecord) {
  return { hash, body_hash: bodyHash, status, body: JSON.stringify(body) }
}
