import { type Random, toHex } from '@conclave/core'
import { type CompiledQuery, sql } from 'kysely'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { noticeOf } from './notices.ts'
import { signingIn } from './record-store.ts'
import type { OperationRecord, SigningRecord } from './records.ts'

const OWNER_BYTES = 8
/** Taken over in one statement, so that several coordinators share what a dead one leaves. */
export const CLAIM_MAX = 100

/** What one coordinator of several does: drive the operations on keys, and begin those that are due. */
const KEYS = 'keys'

const nobody = (owner: 'signing.owner' | 'duty.owner') =>
  sql<boolean>`not exists (select from replica as r where r.owner = ${sql.ref(owner)} and r.until > now())`

export interface ReplicaOptions {
  readonly database: Database
  /** In the cluster lock. */
  readonly name: string
  readonly random: Random
  readonly leaseMs: number
}

/**
 * One run of a coordinator among those on its database, and its lease. The clock is that of the database.
 *
 * The lease says when others may take over. Who drives something is the owner in its row, and every write of a driver asks for it:
 * so a coordinator that was taken over can write nothing more, however late it finds out, and sends nothing that needs a write first.
 */
export class Replica {
  /** Its name in the database: another one for every run. */
  readonly owner: string
  readonly #options: ReplicaOptions
  #isKeeper = false

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.owner = `${options.name}/${toHex(options.random.bytes(OWNER_BYTES))}`
  }

  /** Whether the operations on keys are this one's to drive, as far as it knows. */
  get isKeeper(): boolean {
    return this.#isKeeper
  }

  /** Begins the lease. An earlier run of the same name has ended, or ends now: its identity is one. @throws {StoreError}. */
  async enrol(): Promise<void> {
    const { name } = this.#options
    const row = { owner: this.owner, until: this.#until() }
    const entered = sqlOf.insertInto('replica').values({ name, ...row })
    // What has one user has no other coordinator that could be alive.
    const alone = this.#options.database.isShared ? [] : [sqlOf.deleteFrom('replica').compile()]
    await this.#options.database.run([...alone, entered.onConflict((there) => there.column('name').doUpdateSet(row)).compile()])
  }

  /** @returns whether there is a lease to renew: not when a later run of the same name has begun. @throws {StoreError}. */
  async renew(): Promise<boolean> {
    const renewed = sqlOf.updateTable('replica').set({ until: this.#until() }).where('owner', '=', this.owner).returning('name')
    return (await this.#rows(renewed.compile())).length > 0
  }

  /** Takes over open requests that nobody drives, CLAIM_MAX at most. @throws {StoreError}. */
  async claimSignings(): Promise<readonly SigningRecord[]> {
    const orphans = sqlOf
      .selectFrom('signing')
      .select('request_id')
      .where('is_open', '=', true)
      .where((w) => w.or([w('owner', 'is', null), nobody('signing.owner')]))
      .limit(CLAIM_MAX)
      .forUpdate()
      .skipLocked()
    const claimed = sqlOf
      .updateTable('signing')
      .set({ owner: this.owner })
      .where('request_id', 'in', orphans)
      .returning(['body', 'cancel_requested'])
    return (await this.#rows(claimed.compile())).map(signingIn)
  }

  /** Open requests that are this one's. @throws {StoreError}. */
  async ownSignings(): Promise<readonly SigningRecord[]> {
    const own = sqlOf.selectFrom('signing').select(['body', 'cancel_requested']).where('owner', '=', this.owner).where('is_open', '=', true)
    return (await this.#rows(own.compile())).map(signingIn)
  }

  /** Of its own open requests those that somebody has asked another coordinator to cancel. @throws {StoreError}. */
  async cancelled(): Promise<readonly string[]> {
    const own = sqlOf.selectFrom('signing').select('request_id').where('owner', '=', this.owner).where('is_open', '=', true)
    return (await this.#rows(own.where('cancel_requested', '=', true).compile())).map((r) => r.request_id)
  }

  /** Whether the operations on keys are this one's now: they are the first one's, for as long as it lives. @throws {StoreError}. */
  async keepKeys(): Promise<boolean> {
    const row = { name: KEYS, owner: this.owner }
    const taken = sqlOf.insertInto('duty').values(row).returning('owner')
    const query = taken.onConflict((there) =>
      there
        .column('name')
        .doUpdateSet(row)
        .where((w) => w.or([w('duty.owner', '=', this.owner), nobody('duty.owner')])),
    )
    this.#isKeeper = (await this.#rows(query.compile())).length > 0
    return this.#isKeeper
  }

  /** All open operations, for their one driver. @throws {StoreError}. */
  async claimOperations(): Promise<readonly OperationRecord[]> {
    const claimed = sqlOf.updateTable('operation').set({ owner: this.owner }).where('is_open', '=', true).returning('body')
    return (await this.#rows(claimed.compile())).map(({ body }) => body)
  }

  /** Lets go of everything, so that others need not wait for the end of the lease. @throws {StoreError}. */
  async release(): Promise<void> {
    this.#isKeeper = false
    const { database } = this.#options
    await database.run([
      sqlOf.updateTable('signing').set({ owner: null }).where('owner', '=', this.owner).where('is_open', '=', true).compile(),
      sqlOf.updateTable('operation').set({ owner: null }).where('owner', '=', this.owner).where('is_open', '=', true).compile(),
      sqlOf.deleteFrom('duty').where('owner', '=', this.owner).compile(),
      sqlOf.deleteFrom('replica').where('owner', '=', this.owner).compile(),
      sqlOf.selectNoFrom(noticeOf('released', '-').as('told')).compile(),
    ])
  }

  #until() {
    return sql<Date>`now() + ${`${this.#options.leaseMs} milliseconds`}::interval`
  }

  async #rows<R>(query: CompiledQuery<R>): Promise<readonly R[]> {
    return await rowsOf(this.#options.database, query)
  }
}
