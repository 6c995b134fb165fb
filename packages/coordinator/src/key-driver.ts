import { codeOf, messageOf } from '@conclave/core'
import type { Logger } from 'pino'
import { createKeyOnce, type KeyCreationContext } from './key-creation.ts'
import type { KeyDirectory } from './key-directory.ts'
import { ApiError, problemOf } from './problem.ts'
import type { Records } from './record-store.ts'
import { isOver, type KeyRecord, OPEN_MAX, type OperationKind, type OperationRecord } from './records.ts'
import { driveRenewal } from './renewal-driver.ts'
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
}

interface Open {
  record: OperationRecord
  readonly changed: Pulse
}

/** Whether the nodes may still be busy with, or have finished, what an earlier run of the coordinator asked for. */
function mayComplete(outcome: ApiError): boolean {
  return outcome.retriable || (outcome.nodeVerdicts?.some(({ code }) => EARLIER_RUN.has(code)) ?? false)
}

/** Drives operations on keys, one after the other: they are rare, heavy, and need every node. */
export class KeyDriver {
  /** Fires when an operation has ended, after that is on disk. */
  readonly ended = new Pulse()
  readonly #options: KeyDriverOptions
  readonly #open = new Map<string, Open>()
  readonly #running = new Set<Promise<void>>()
  readonly #turn = new Limiter(1)
  readonly #linksUntilMs: number

  constructor(options: KeyDriverOptions) {
    this.#options = options
    this.#linksUntilMs = options.clock.nowMs() + LINKS_GRACE_MS
  }

  /** Takes over what an earlier run of the coordinator left open. */
  async resume(): Promise<void> {
    for (const record of await this.#options.records.openOperations()) this.submit(record)
  }

  /** @throws {ApiError} TOO_MANY_OPEN. */
  checkRoom(): void {
    if (this.#open.size >= OPEN_MAX) throw new ApiError('TOO_MANY_OPEN', `${OPEN_MAX} operations are open: try again later`)
  }

  /** Begins to drive a stored operation. */
  submit(record: OperationRecord): void {
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
    const { clock, stopping } = this.#options
    const untilMs = clock.nowMs() + ms
    for (;;) {
      const open = this.#open.get(operationId)
      const leftMs = untilMs - clock.nowMs()
      if (open === undefined || isOver(open.record) || leftMs <= 0 || signal.aborted || stopping.aborted) return this.record(operationId)
      await waitForAny({ clock, signal: AbortSignal.any([signal, stopping]), ms: leftMs, pulses: [open.changed] })
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
