import { codeOf } from '@conclave/core'
import type { CompiledQuery } from 'kysely'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { TENANT } from './database/schema.ts'
import { StoreError } from './database/store-error.ts'
import { noticeOf } from './notices.ts'
import { type IdempotencyRecord, isOver, type KeyRecord, type OperationRecord, type SigningRecord } from './records.ts'
import type { Replica } from './replica.ts'
import type { ScheduleRecord } from './schedule-record.ts'
import { idempotencyRow, SigningWriter } from './signing-writer.ts'

/** What one coordinator keeps, by its name, and what it shares with others on the same database. */
export class Records {
  readonly #database: Database
  readonly #replica: Pick<Replica, 'owner' | 'isKeeper'>
  readonly #writer: SigningWriter
  #isInDoubt = false

  constructor(database: Database, replica: Pick<Replica, 'owner' | 'isKeeper'>) {
    this.#database = database
    this.#replica = replica
    this.#writer = new SigningWriter(database, replica.owner)
  }

  async operation(id: string): Promise<OperationRecord | undefined> {
    return (await this.#rows(sqlOf.selectFrom('operation').select('body').where('operation_id', '=', id).compile()))[0]?.body
  }

  async signing(id: string): Promise<SigningRecord | undefined> {
    const query = sqlOf.selectFrom('signing').select(['body', 'cancel_requested']).where('request_id', '=', id)
    return (await this.#rows(query.compile())).map(signingIn)[0]
  }

  async idempotency(hash: string): Promise<IdempotencyRecord | undefined> {
    const query = sqlOf.selectFrom('idempotency').select(['body_hash', 'status', 'body']).where('hash', '=', hash)
    const [row] = await this.#rows(query.compile())
    return row === undefined ? undefined : { bodyHash: row.body_hash, status: row.status, body: row.body }
  }

  async keys(): Promise<readonly KeyRecord[]> {
    return (await this.#rows(sqlOf.selectFrom('key').select('body').orderBy('key_id').compile())).map(({ body }) => body)
  }

  async schedules(): Promise<readonly ScheduleRecord[]> {
    const rows = await this.#rows(sqlOf.selectFrom('schedule').selectAll().compile())
    return rows.map((r) => ({
      ...{ keyId: r.key_id, refreshEveryDays: r.refresh_every_days, epoch: r.epoch },
      ...{ refreshedAtMs: r.refreshed_at_ms, failures: r.failures, retryAtMs: r.retry_at_ms },
    }))
  }

  /** Asks whoever drives a request to end it. @returns whether it is open. */
  async requestCancel(requestId: string): Promise<boolean> {
    const asked = sqlOf
      .updateTable('signing')
      .set({ cancel_requested: true })
      .where('request_id', '=', requestId)
      .where('is_open', '=', true)
    return (await this.#rows(asked.returning(noticeOf('cancel', requestId).as('told')).compile())).length > 0
  }

  /**
   * A new operation or request together with the answer it is acknowledged with: both are kept, or neither.
   *
   * @throws {StoreError} STORE_CONFLICT when the hash, the request or an open operation on the key is there already.
   */
  async admit(record: OperationRecord | SigningRecord, hash: string, answer: IdempotencyRecord): Promise<void> {
    if (!('operationId' in record)) {
      try {
        return await this.#writer.add(record, { hash, answer })
      } catch (error) {
        if (codeOf(error) === 'STORE_UNAVAILABLE') this.doubt()
        throw error
      }
    }
    await this.#database.run([sqlOf.insertInto('idempotency').values(idempotencyRow(hash, answer)).compile(), this.#newOperation(record)])
  }

  /** A new operation that nobody waits for an answer of. @throws {StoreError} STORE_CONFLICT. */
  async addOperation(record: OperationRecord): Promise<void> {
    await this.#database.run([this.#newOperation(record)])
  }

  /** @throws {StoreError} LEASE_LOST when another coordinator drives it. */
  async saveOperation(record: OperationRecord): Promise<void> {
    const { operationId, state } = record
    const saved = sqlOf
      .updateTable('operation')
      .set({ state, is_open: !isOver(record), body: JSON.stringify(record) })
      .where('operation_id', '=', operationId)
      .where('owner', '=', this.#replica.owner)
      .where((w) => w.or([w('is_open', '=', true), w.val(isOver(record))]))
      .returning(['operation_id', noticeOf('changed', operationId).as('told')])
    if ((await this.#rows(saved.compile())).length === 0) {
      throw new StoreError('LEASE_LOST', `another coordinator drives operation ${operationId}`)
    }
  }

  /** @returns whether somebody has asked to cancel it. @throws {StoreError} LEASE_LOST when another coordinator drives it. */
  async saveSigning(record: SigningRecord): Promise<boolean> {
    return await this.#writer.save(record)
  }

  /** A key that is there keeps its public key, and goes to higher epochs only. */
  async saveKeys(keys: readonly KeyRecord[]): Promise<void> {
    const rows = keys.map((key) => ({
      ...{ key_id: key.keyId, tenant: TENANT, public_key: key.publicKey, epoch: key.epoch, body: JSON.stringify(key) },
    }))
    await this.#database.run([
      ...rows.map((row) =>
        sqlOf
          .insertInto('key')
          .values(row)
          .onConflict((there) =>
            there
              .column('key_id')
              .doUpdateSet({ epoch: row.epoch, body: row.body })
              .where('key.public_key', '=', row.public_key)
              .where('key.epoch', '<=', row.epoch),
          )
          .compile(),
      ),
      sqlOf.selectNoFrom(noticeOf('keys', '-').as('told')).compile(),
    ])
  }

  /** Sets or ends the schedule of a key, and forgets its failures. @param first - what there is to know of it when nothing is kept yet. */
  async saveRefreshEvery(first: ScheduleRecord): Promise<void> {
    const row = scheduleRow(first)
    const { refresh_every_days } = row
    await this.#saveSchedules([
      sqlOf
        .insertInto('schedule')
        .values(row)
        .onConflict((there) => there.column('key_id').doUpdateSet({ refresh_every_days, failures: 0, retry_at_ms: null }))
        .compile(),
    ])
  }

  /** Keys that have gone on to an epoch; of an epoch that is known already nothing changes. */
  async saveRenewals(schedules: readonly ScheduleRecord[]): Promise<void> {
    const queries = schedules.map(scheduleRow).map((row) => {
      const { epoch, refreshed_at_ms } = row
      const change = { epoch, refreshed_at_ms, failures: 0, retry_at_ms: null }
      return sqlOf
        .insertInto('schedule')
        .values(row)
        .onConflict((there) => there.column('key_id').doUpdateSet(change).where('schedule.epoch', '<', epoch))
        .compile()
    })
    await this.#saveSchedules(queries)
  }

  async saveFailure({ keyId, failures, retryAtMs }: ScheduleRecord): Promise<void> {
    const change = { failures, retry_at_ms: retryAtMs }
    await this.#saveSchedules([sqlOf.updateTable('schedule').set(change).where('key_id', '=', keyId).compile()])
  }

  /** Requests may have been stored although their writer was told otherwise, or may be driven by nobody here. */
  doubt(): void {
    this.#isInDoubt = true
  }

  /** Whether there may be open requests of this coordinator that it does not drive; answered with yes once. */
  takeDoubt(): boolean {
    const was = this.#isInDoubt
    this.#isInDoubt = false
    return was
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writer.settled()
  }

  async #saveSchedules(queries: readonly CompiledQuery[]): Promise<void> {
    await this.#database.run([...queries, sqlOf.selectNoFrom(noticeOf('schedules', '-').as('told')).compile()])
  }

  #newOperation(record: OperationRecord): CompiledQuery {
    const row = {
      ...{ operation_id: record.operationId, tenant: record.tenant, key_id: record.keyId, requested_by: record.requestedBy },
      ...{ state: record.state, is_open: !isOver(record), created_at_ms: record.createdAtMs, body: JSON.stringify(record) },
      // Whoever keeps the keys takes it over when this one does not.
      owner: this.#replica.isKeeper ? this.#replica.owner : null,
    }
    return sqlOf.insertInto('operation').values(row).compile()
  }

  async #rows<R>(query: CompiledQuery<R>): Promise<readonly R[]> {
    return await rowsOf(this.#database, query)
  }
}

function scheduleRow(s: ScheduleRecord) {
  return {
    ...{ key_id: s.keyId, refresh_every_days: s.refreshEveryDays, epoch: s.epoch },
    ...{ refreshed_at_ms: s.refreshedAtMs, failures: s.failures, retry_at_ms: s.retryAtMs },
  }
}

export function signingIn({ body, cancel_requested }: { body: SigningRecord; cancel_requested: boolean }): SigningRecord {
  return cancel_requested ? { ...body, cancelRequested: true } : body
}
