import { codeOf, messageOf } from '@conclave/core'
import { NO_SPAN, type Span } from '@conclave/telemetry'
import { type ChosenAttempt, firstAttempt } from './chosen-attempt.ts'
import { Doubts } from './doubts.ts'
import { NodeLoads } from './node-loads.ts'
import type { Notices } from './notices.ts'
import { ApiError, problemOf } from './problem.ts'
import { isOver, OPEN_MAX, type SigningRecord } from './records.ts'
import type { SigningContext } from './signing-context.ts'
import { SigningJob } from './signing-job.ts'
import { Limiter, waitForAny } from './wait.ts'

const RERUN_MS = 1000
/** States of a request that was just admitted, or that signs. */
const UNDER_WAY: ReadonlySet<string> = new Set(['decoded', 'signing'])

export interface SigningDriverOptions extends Omit<SigningContext, 'slots' | 'loads' | 'doubts'> {
  readonly notices: Notices
}

interface Submission {
  /** Of the HTTP request that asked for it. */
  readonly span?: Span
  /** The attempt that was stored with it; taken over. */
  readonly first?: ChosenAttempt | undefined
}

/** Drives the open signing requests of this coordinator; a request is open from its admission until its record is terminal. */
export class SigningDriver {
  readonly #ctx: SigningContext
  readonly #notices: Notices
  readonly #jobs = new Map<string, SigningJob>()
  readonly #running = new Set<Promise<void>>()

  constructor(options: SigningDriverOptions) {
    this.#notices = options.notices
    options.notices.on('approved', (id) => {
      for (const job of id === undefined ? this.#jobs.values() : [this.#jobs.get(id)]) job?.approved.fire()
    })
    this.#ctx = { ...options, slots: new Limiter(options.settings.parallel), loads: new NodeLoads(), doubts: new Doubts(options.clock) }
  }

  /** Goes on with an open request that another coordinator, or an earlier run of this one, has left. @throws {StoreError}. */
  async takeOver(record: SigningRecord): Promise<void> {
    if (this.#jobs.has(record.requestId)) return
    const endedAtMs = this.#ctx.clock.nowMs()
    const attempts = record.attempts.map((a) =>
      a.outcome === 'running' ? ({ ...a, outcome: 'interrupted', code: 'COORDINATOR_RESTARTED', endedAtMs } as const) : a,
    )
    const state = record.state === 'signing' ? 'queued' : record.state
    const next = { ...record, attempts, state }
    await this.#ctx.records.saveSigning(next)
    await this.submit(next)
  }

  /** @throws {ApiError} TOO_MANY_OPEN. */
  checkRoom(): void {
    if (this.#jobs.size >= OPEN_MAX) throw new ApiError('TOO_MANY_OPEN', `${OPEN_MAX} signing requests are open: try again later`)
  }

  /** The first attempt of a request that is about to be stored, if it can begin at once: the caller stores it and submits it, or disposes of it. */
  first(record: SigningRecord): ChosenAttempt | undefined {
    const key = this.#ctx.directory.get(record.keyId)
    return key === undefined ? undefined : firstAttempt(this.#ctx, key, record)
  }

  /** Begins to drive a stored request. */
  async submit(record: SigningRecord, { span = NO_SPAN, first }: Submission = {}): Promise<void> {
    const { records, clock, directory } = this.#ctx
    if (this.#jobs.has(record.requestId)) {
      first?.[Symbol.dispose]()
      return
    }
    const key = directory.get(record.keyId)
    if (key === undefined) {
      // Keys are never removed from the store, so this is a store that lost something.
      const error = problemOf(new ApiError('KEY_NOT_FOUND', `key ${record.keyId} is not known any more`), record.requestId)
      first?.[Symbol.dispose]()
      await records.saveSigning({ ...record, state: 'failed', error, endedAtMs: clock.nowMs() })
      return
    }
    const part = span.child('signing request', { 'conclave.request': record.requestId, 'conclave.key': record.keyId })
    const job = new SigningJob(this.#ctx, key, { record, span: part, first })
    this.#jobs.set(record.requestId, job)
    const running = this.#run(job).finally(() => {
      this.#jobs.delete(record.requestId)
      this.#running.delete(running)
      part.end(job.record.error?.code)
      this.#ctx.metrics.ended(job.record)
    })
    this.#running.add(running)
  }

  /** Open requests, by state. */
  open(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { record } of this.#jobs.values()) counts.set(record.state, (counts.get(record.state) ?? 0) + 1)
    return counts
  }

  /** Resolves when no request is under way that would end by itself soon, or after `ms`. What waits for nodes or people stays open. */
  async quiet(ms: number): Promise<void> {
    const { clock, stopping } = this.#ctx
    const untilMs = clock.nowMs() + ms
    for (;;) {
      const busy = [...this.#jobs.values()].filter(({ record }) => UNDER_WAY.has(record.state))
      const leftMs = untilMs - clock.nowMs()
      if (busy.length === 0 || leftMs <= 0 || stopping.aborted) return
      await waitForAny({ clock, signal: stopping, ms: leftMs, pulses: busy.map((job) => job.changed) })
    }
  }

  async record(requestId: string): Promise<SigningRecord | undefined> {
    return this.#jobs.get(requestId)?.record ?? (await this.#ctx.records.signing(requestId))
  }

  /** The record as soon as it is terminal, or as it is after `ms`; whichever coordinator drives it. */
  async settled(requestId: string, ms: number, signal: AbortSignal): Promise<SigningRecord | undefined> {
    const { clock, stopping } = this.#ctx
    const untilMs = clock.nowMs() + ms
    const until = AbortSignal.any([signal, stopping])
    for (;;) {
      const job = this.#jobs.get(requestId)
      const leftMs = untilMs - clock.nowMs()
      if (leftMs <= 0 || until.aborted) return await this.record(requestId)
      if (job !== undefined && !isOver(job.record)) await waitForAny({ clock, signal: until, ms: leftMs, pulses: [job.changed] })
      else {
        const elsewhere = this.#notices.changed(requestId, { clock, ms: leftMs, signal: until })
        // Read after the wait has begun, so that no change falls between.
        const record = await this.record(requestId)
        if (record === undefined || isOver(record)) return record
        await elsewhere
      }
    }
  }

  /** An approval was given: nodes that wait for one are asked again, by whoever drives the request. */
  async approved(requestId: string): Promise<void> {
    const job = this.#jobs.get(requestId)
    if (job !== undefined) job.approved.fire()
    else await this.#notices.tell('approved', requestId)
  }

  /** Somebody asked another coordinator to cancel a request of this one. */
  cancelHere(requestId: string): void {
    // What cannot be stored now is asked for again at the next renewal of the lease.
    this.#jobs
      .get(requestId)
      ?.cancel()
      .catch(() => undefined)
  }

  /** @throws {ApiError} REQUEST_NOT_FOUND; REQUEST_ENDED unless it ended by being cancelled. */
  async cancel(requestId: string): Promise<SigningRecord> {
    const job = this.#jobs.get(requestId)
    if (job !== undefined) await job.cancel()
    else await this.#ctx.records.requestCancel(requestId)
    const record = await this.record(requestId)
    if (record === undefined) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
    if (isOver(record) && record.state !== 'cancelled') throw new ApiError('REQUEST_ENDED', `the request is already ${record.state}`)
    return record
  }

  /** Resolves when no job runs any more; the context's `stopping` must have aborted. */
  async drained(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(job: SigningJob): Promise<void> {
    const { clock, logger, stopping } = this.#ctx
    while (!stopping.aborted && !isOver(job.record)) {
      try {
        await job.run()
      } catch (error) {
        if (codeOf(error) === 'LEASE_LOST') {
          logger.warn({ signingRequest: job.record.requestId }, 'another coordinator drives this request')
          this.#ctx.records.doubt()
          return
        }
        // Mostly a database that is away. The request was acknowledged, so it is not given up.
        logger.error({ err: error, signingRequest: job.record.requestId, code: codeOf(error), reason: messageOf(error) }, 'request stalled')
        await waitForAny({ clock, signal: stopping, ms: RERUN_MS, pulses: [] })
      }
    }
  }
}
