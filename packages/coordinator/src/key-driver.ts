import { codeOf, messageOf } from '@conclave/core'
import type { Logger } from 'pino'
import { createKeyOnce, type KeyCreationContext } from './key-creation.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { Notices } from './notices.ts'
import { ApiError, problemOf } from './problem.ts'
import type { Records } from './record-store.ts'
import { isOver, type KeyRecord, OPEN_MAX, type OperationKind, type OperationRecord } from './records.ts'
import { driveRenewal } from './renewal-driver.ts'
import type { Replica } from './replica.ts'
import { BY_SCHEDULE, type Schedules } from './schedule.ts'
import { Limiter, Pulse, waitForAny } from './wait.ts'

/** After a start, how long links have to come up before a missing node fails an operation. */
export const LINKS_GRACE_MS = 15_000
const RETRY_MS = 2000
const EARLIER_RUN: ReadonlySet<string> = new Set(['KEY_EXISTS', 'KEY_PENDING', 'KEY_BUSY'])

export interface KeyDriverOptions extends KeyCreationContext {
  readonly records: Records
  readonly directory: KeyDirectory
  readonly logger: Logger
  readonly renewalTimeoutMs: number
  readonly schedules: Schedules
  readonly notices: Notices
  readonly replica: Pick<Replica, 'isKeeper'>
}

interface Open {
  record: OperationRecord
  readonly changed: Pulse
}

/** Whether the nodes may still be busy with, or have finished, what an earlier run of the coordinator asked for. */
function mayComplete(outcome: ApiError): boolean {
  return outcome.retriable || (outcome.nodeVerdicts?.some(({ code }) => EARLIER_RUN.has(code)) ?? false)
}

/** Drives operations on keys, one after the other: they are rare, heavy, and need every node. One coordinator of several does. */
export class KeyDriver {
  /** Fires when an operation has ended, after that is on disk. */
  readonly ended = new Pulse()
  /** Fires when it was looked at again whose the operations are. */
  readonly kept = new Pulse()
  readonly #options: KeyDriverOptions
  readonly #open = new Map<string, Open>()
  readonly #running = new Set<Promise<void>>()
  readonly #turn = new Limiter(1)
  readonly #linksUntilMs: number

  constructor(options: KeyDriverOptions) {
    this.#options = options
    this.#linksUntilMs = options.clock.nowMs() + LINKS_GRACE_MS
  }

  /** Goes on with an open operation that another coordinator has stored or left. */
  takeOver(record: OperationRecord): void {
    if (!this.#open.has(record.operationId)) this.#drive(record)
  }

  /** @throws {ApiError} TOO_MANY_OPEN. */
  checkRoom(): void {
    if (this.#open.size >= OPEN_MAX) throw new ApiError('TOO_MANY_OPEN', `${OPEN_MAX} operations are open: try again later`)
  }

  /** Has a stored operation driven, by this coordinator or by the one whose part that is. */
  async submit(record: OperationRecord): Promise<void> {
    const { replica, notices } = this.#options
    if (replica.isKeeper) this.takeOver(record)
    // Without this notice it is found a little later.
    else await notices.tell('begun', record.operationId).catch(() => undefined)
  }

  #drive(record: OperationRecord): void {
    const open: Open = { record, changed: new Pulse() }
    this.#open.set(record.operationId, open)
    const running = this.#run(open).finally(() => {
      this.#open.delete(record.operationId)
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  /** What is open on a key: at most one operation is. */
  busyWith(keyId: string): OperationKind | undefined {
    return [...this.#open.values()].find(({ record }) => record.keyId === keyId && !isOver(record))?.record.kind
  }

  /** Whether an operation that this asked for is open. */
  isOpenFor(requestedBy: string): boolean {
    return [...this.#open.values()].some(({ record }) => record.requestedBy === requestedBy && !isOver(record))
  }

  async record(operationId: string): Promise<OperationRecord | undefined> {
    return this.#open.get(operationId)?.record ?? (await this.#options.records.operation(operationId))
  }

  /** The record as soon as it is terminal, or as it is after `ms`. */
  async settled(operationId: string, ms: number, signal: AbortSignal): Promise<OperationRecord | undefined> {
    const { clock, stopping, notices } = this.#options
    const untilMs = clock.nowMs() + ms
    const until = AbortSignal.any([signal, stopping])
    for (;;) {
      const open = this.#open.get(operationId)
      const leftMs = untilMs - clock.nowMs()
      if (leftMs <= 0 || until.aborted) return await this.record(operationId)
      if (open !== undefined && !isOver(open.record)) await waitForAny({ clock, signal: until, ms: leftMs, pulses: [open.changed] })
      else {
        const elsewhere = notices.changed(operationId, { clock, ms: leftMs, signal: until })
        // Read after the wait has begun, so that no change falls between.
        const record = await this.record(operationId)
        if (record === undefined || isOver(record)) return record
        await elsewhere
      }
    }
  }

  /** Resolves when nothing is driven any more; the context's `stopping` must have aborted. */
  async drained(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(open: Open): Promise<void> {
    const { clock, logger, stopping } = this.#options
    while (!stopping.aborted && !isOver(open.record)) {
      try {
        using turn = await this.#turn.acquire(stopping)
        if (turn !== undefined) await (open.record.kind === 'key.create' ? this.#create(open) : this.#renew(open))
      } catch (error) {
        const { operationId } = open.record
        if (codeOf(error) === 'LEASE_LOST') {
          logger.warn({ operationId }, 'another coordinator drives this operation')
          return
        }
        logger.error({ err: error, operationId, code: codeOf(error), reason: messageOf(error) }, 'operation stalled')
        await waitForAny({ clock, signal: stopping, ms: RETRY_MS, pulses: [] })
      }
    }
  }

  /**
   * One key to its end. An operation that was already running belongs to an earlier run of the coordinator: what it had sent may
   * still complete at the nodes, so it first looks whether the key is there, and tries for as long as a fresh one might take.
   */
  async #create(open: Open): Promise<void> {
    const { clock, view, directory, stopping, timeoutMs } = this.#options
    const isTakenOver = open.record.state === 'running'
    const patientUntilMs = isTakenOver ? clock.nowMs() + timeoutMs : this.#linksUntilMs
    await this.#update(open, { state: 'running' })
    while (!stopping.aborted) {
      const isPatient = clock.nowMs() < patientUntilMs
      const found = isTakenOver ? directory.get(open.record.keyId) : undefined
      if (found !== undefined) return await this.#succeed(open)
      const down = view.downNames(open.record.parties)
      if (down.length === 0) {
        const outcome = await createKeyOnce(this.#options, open.record)
        if (stopping.aborted) return
        if (!(outcome instanceof ApiError)) return await this.#created(open, outcome)
        await view.refresh(open.record.parties)
        if (isTakenOver && directory.get(open.record.keyId) !== undefined) continue
        if (!isTakenOver || !isPatient || !mayComplete(outcome)) return await this.#fail(open, outcome)
      } else if (!isPatient) {
        const line = `creating a key needs all ${open.record.parties.length} nodes; down: ${down.join(', ')}`
        return await this.#fail(open, new ApiError('NODES_UNREACHABLE', line))
      }
      await waitForAny({ clock, signal: stopping, ms: RETRY_MS, pulses: [view.changed, directory.changed] })
    }
  }

  async #renew(open: Open): Promise<void> {
    await this.#update(open, { state: 'running' })
    const update = (change: Partial<OperationRecord>) => this.#update(open, change)
    const operation = {
      update,
      get record() {
        return open.record
      },
    }
    const error = await driveRenewal({ ...this.#options, linksUntilMs: this.#linksUntilMs }, operation)
    if (this.#options.stopping.aborted) return
    await (error === undefined ? this.#succeed(open) : this.#fail(open, error))
  }

  async #created(open: Open, key: KeyRecord): Promise<void> {
    const { directory, view } = this.#options
    await directory.add(key)
    // The pairs that were set up for this key are what the first signing is chosen by.
    await view.refresh(key.parties)
    await this.#succeed(open)
  }

  async #succeed(open: Open): Promise<void> {
    await this.#update(open, { state: 'succeeded', endedAtMs: this.#options.clock.nowMs() })
  }

  async #fail(open: Open, error: ApiError): Promise<void> {
    const { operationId, keyId, kind, requestedBy } = open.record
    this.#options.logger.warn({ operationId, keyId, kind, code: error.code, reason: error.message }, 'operation failed')
    // First, so that a coordinator that is killed in between takes the operation over instead of beginning the next one at once.
    if (requestedBy === BY_SCHEDULE) await this.#options.schedules.noteFailure(keyId)
    const problem = problemOf(error, operationId)
    await this.#update(open, { state: 'failed', error: problem, endedAtMs: this.#options.clock.nowMs() })
  }

  async #update(open: Open, change: Partial<OperationRecord>): Promise<void> {
    const next = { ...open.record, ...change }
    await this.#options.records.saveOperation(next)
    open.record = next
    open.changed.fire()
    if (isOver(next)) this.ended.fire()
  }
}
