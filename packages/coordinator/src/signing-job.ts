import { fromHex, type PartyId } from '@conclave/core'
import { type Span, traced } from '@conclave/telemetry'
import type { Sign, Signed } from '@conclave/wire'
import type { Logger } from 'pino'
import { Attempt } from './attempt.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { attemptBy, type ChosenAttempt, promising, withAttempt, withOutcome } from './chosen-attempt.ts'
import { extendedKeyOf } from './key-creation.ts'
import { ApiError, problemOf } from './problem.ts'
import { type AttemptRecord, digestsOf, type KeyRecord, type SigningRecord, type SigningState } from './records.ts'
import type { SigningContext } from './signing-context.ts'
import { expectedOf, proposalOf, signaturesOf } from './signing-items.ts'
import { describeAttempts, describeDenials, describeMissing, describeShortage } from './signing-problems.ts'
import { chooseSigners, countedAttempts, DENIED, type Quorum } from './signing-quorum.ts'
import { PENDING, VerdictBook } from './verdict-book.ts'
import { Pulse, sharedController, waitForAny } from './wait.ts'

/** While too few nodes can sign: how often they are asked again even when nothing seems to have changed. */
export const RETRY_MS = 1000
export const BACKOFF_MS = 200
export const BACKOFF_MAX_MS = 3200

/** What a job begins with. */
interface SigningWork {
  readonly record: SigningRecord
  readonly span: Span
  readonly first?: ChosenAttempt | undefined
}

/** One open signing request, driven from its record to a terminal state. */
export class SigningJob {
  /** Fires whenever `record` has changed, after it was stored. */
  readonly changed = new Pulse()
  /** To be fired when somebody gave an approval: nodes that wait for one are asked again. */
  readonly approved = new Pulse()
  readonly #ctx: SigningContext
  /** As it was known when the request was taken up; keys are never forgotten, so this is only a last resort. */
  readonly #firstKey: KeyRecord
  readonly #book: VerdictBook
  readonly #logger: Logger
  readonly #span: Span
  /** Ends waiting, not attempts: deadline, cancel, stop. */
  readonly #halt = sharedController()
  #record: SigningRecord
  #saving: Promise<unknown> = Promise.resolve()
  /** Stored with the request, and not yet begun. */
  #first: ChosenAttempt | undefined
  /** Nothing was asked yet, in this run or an earlier one. */
  #isFresh: boolean
  #hasAsked = false
  #hasFailed = false

  /** Takes over `span`, which ends with the job, and `first`: the last attempt of `record`, which begins with it. */
  constructor(ctx: SigningContext, key: KeyRecord, { record, span, first }: SigningWork) {
    const { view, calls, clock } = ctx
    this.#ctx = ctx
    this.#span = span
    this.#first = first
    this.#firstKey = key
    this.#record = record
    this.#isFresh = record.attempts.length === 0 && record.nodeVerdicts.length === 0
    this.#logger = ctx.logger.child({ signingRequest: record.requestId })
    const asked = { propose: proposalOf(record), digests: digestsOf(record).map(({ digest }) => digest), known: record.nodeVerdicts }
    this.#book = new VerdictBook({ view, calls, clock, span, logger: this.#logger, committee: () => this.#key, ...asked })
  }

  get record(): SigningRecord {
    return this.#record
  }

  /** As it is known now: its committee and threshold may change while the request is open. */
  get #key(): KeyRecord {
    return this.#ctx.directory.get(this.#firstKey.keyId) ?? this.#firstKey
  }

  /** Ends the request before its next attempt; an attempt that is running decides for itself. */
  async cancel(): Promise<void> {
    await this.#update(() => ({ cancelRequested: true }))
    this.#halt.abort()
  }

  /** Resolves when the record is terminal, or when the coordinator stops. @throws when the record cannot be stored. */
  async run(): Promise<void> {
    const { clock, stopping } = this.#ctx
    const halt = () => this.#halt.abort()
    stopping.addEventListener('abort', halt, { once: true })
    const leftMs = this.#record.deadlineAtMs - clock.nowMs()
    const stopTimer = clock.after(Math.max(0, leftMs), halt)
    // Both may have come true before a restart.
    if (leftMs <= 0 || this.#record.cancelRequested) halt()
    try {
      while (!stopping.aborted && !(await this.#step()));
    } finally {
      stopTimer()
      stopping.removeEventListener('abort', halt)
    }
  }

  /** One turn of the loop. @returns whether the request has ended. */
  async #step(): Promise<boolean> {
    if (this.#first !== undefined) return await this.#beginFirst(this.#first)
    if (this.#halt.signal.aborted) return this.#endHalted()
    if (this.#isFresh) return await this.#beginAtOnce()
    if (this.#hasFailed) await this.#recover()
    this.#hasAsked = true
    await this.#book.gather(this.#halt.signal)
    if (this.#halt.signal.aborted) return false
    await this.#noteVerdicts()
    if (this.#book.isDenied()) return this.#end(...describeDenials(this.#ctx.view, this.#key, this.#book))
    if (countedAttempts(this.#record.attempts).length >= this.#ctx.settings.maxAttempts) {
      return this.#end('failed', new ApiError('SIGNING_FAILED', describeAttempts(this.#ctx.view, this.#record)))
    }
    if (this.#choose(this.#book.allowing()) === undefined) {
      await this.#waitForChange()
      return false
    }
    using slot = await this.#ctx.slots.acquire(this.#halt.signal, digestsOf(this.#record).length)
    // Nodes may have gone while this request was queued.
    const quorum = this.#choose(this.#book.allowing())
    if (slot === undefined || this.#halt.signal.aborted || quorum === undefined) return false
    return await this.#attempt(attemptBy(this.#ctx, this.#record, quorum, slot))
  }

  /**
   * The first attempt waits for no verdict: the signers get the proposal and, right behind it on the same ordered link, the attempt.
   * Each of them judges the one before it takes part in the other, so what a no costs is the attempt.
   */
  async #beginAtOnce(): Promise<boolean> {
    this.#isFresh = false
    using slot = await this.#ctx.slots.acquire(this.#halt.signal, digestsOf(this.#record).length)
    const quorum = this.#choose(promising(this.#ctx, this.#key))
    if (slot === undefined || this.#halt.signal.aborted || quorum === undefined) return false
    return await this.#beginFirst(attemptBy(this.#ctx, this.#record, quorum, slot))
  }

  #beginFirst(first: ChosenAttempt): Promise<boolean> {
    this.#first = undefined
    this.#hasAsked = true
    return this.#attempt(first)
  }

  #choose(allowing: readonly PartyId[]): Quorum | undefined {
    const { view, loads } = this.#ctx
    return chooseSigners({ view, loads, key: this.#key, request: this.#record, allowing })
  }

  async #noteVerdicts(): Promise<void> {
    const nodeVerdicts = this.#book.verdicts()
    const isSame = JSON.stringify(nodeVerdicts) === JSON.stringify(this.#record.nodeVerdicts)
    const state = this.#book.isPending() && this.#choose(this.#book.allowing()) === undefined ? 'pending_approval' : 'queued'
    if (!isSame || this.#record.state !== state) await this.#update(() => ({ nodeVerdicts, state }))
  }

  async #waitForChange(): Promise<void> {
    const { clock, view } = this.#ctx
    const sinceMs = clock.nowMs()
    const people = { sinceMs: this.#record.createdAtMs, signal: this.#halt.signal, pulse: this.approved }
    if (this.#record.state === 'pending_approval') return traced(this.#span, 'approvals', () => this.#book.waitForPeople(people))
    await waitForAny({ clock, signal: this.#halt.signal, ms: RETRY_MS, pulses: [view.changed] })
    // Not after a change: a report is the news itself, and asking for another one would never end.
    if (clock.nowMs() - sinceMs >= RETRY_MS) await this.#refresh(RETRY_MS)
  }

  /** After a failed attempt. The second attempt follows at once, later ones back off: nodes that are all busy need a moment. */
  async #recover(): Promise<void> {
    const failed = this.#record.attempts.filter((a) => a.outcome === 'failed').length
    const ms = failed < 2 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (failed - 2))
    if (ms > 0) await waitForAny({ clock: this.#ctx.clock, signal: this.#halt.signal, ms, pulses: [] })
    await this.#refresh(0)
    this.#hasFailed = false
  }

  /** Pairs may have been burned or made since the last report. Bounded, because a node may be connected and silent. */
  async #refresh(olderThanMs: number): Promise<void> {
    const { clock, view } = this.#ctx
    const asked = view.refresh(this.#key.parties, olderThanMs)
    const done = new Pulse()
    void asked.then(() => done.fire())
    await waitForAny({ clock, signal: this.#halt.signal, ms: RETRY_MS, pulses: [done] })
  }

  /** @param chosen - disposed of here; its slot when the request is signed, at the latest. */
  async #attempt(chosen: ChosenAttempt): Promise<boolean> {
    using held = chosen
    const { started, epoch, slot } = held
    const { attempt, signers } = started
    const { stopping } = this.#ctx
    // On disk before anything is sent: an attempt number names a session, and no session may run twice.
    if (!this.#record.attempts.includes(started)) await this.#update((r) => withAttempt(r, held))
    const span = this.#span.child('attempt', { 'conclave.attempt': attempt, 'conclave.signers': signers.join(' ') })
    const running = this.#send({ requestId: fromHex(this.#record.requestId), attempt, signers, epoch }, span)
    void running.over.then(() => span.end(running.outcome().signed === undefined ? (running.outcome().code ?? 'FAILED') : undefined))
    await running.settled
    if (stopping.aborted) return false
    const { signed, ...outcome } = running.outcome()
    if (signed !== undefined) {
      await this.#endSigned(started, signed, outcome)
      slot[Symbol.dispose]()
      // The request has ended; who answers what is still recorded.
      await running.over
      if (stopping.aborted) return true
    }
    return await this.#endAttempt(started, running.outcome())
  }

  #send(sign: Sign, span: Span): Attempt {
    const { view, calls, clock, settings, stopping } = this.#ctx
    const { signers } = sign
    const timeoutMs = Math.max(1, Math.min(settings.attemptTimeoutMs, this.#record.deadlineAtMs - clock.nowMs()))
    this.#book.propose(signers, this.#halt.signal)
    return new Attempt({
      nodes: signers.map((p) => view.node(p)),
      expected: expectedOf(this.#record, signers),
      ask: (node, signal) =>
        traced(span, `sign ${node.name}`, (part) => calls.call(node, { sign }, 'signed', { timeoutMs, signal, span: part })),
      unheard: () => signers.filter((p) => this.#book.verdictOf(p) === undefined),
      clock,
      signal: stopping,
    })
  }

  /** Records what every signer answered. @returns whether the request has ended. */
  async #endAttempt(started: AttemptRecord, { signed, ...outcome }: AttemptOutcome): Promise<boolean> {
    const { attempt, signers } = started
    const denying = signers.filter((p) => this.#book.verdictOf(p)?.allowed === false)
    for (const party of [...outcome.culprits, ...outcome.waitingFor]) this.#ctx.doubts.add(party)
    if (signed !== undefined) {
      const known = this.#record.attempts.at(-1)
      const ended: AttemptRecord = { ...started, ...outcome, outcome: 'signed' }
      const isNews = JSON.stringify({ ...known, endedAtMs: null }) !== JSON.stringify(ended)
      if (isNews) await this.#update((r) => ({ attempts: withOutcome(r, ended, this.#ctx.clock.nowMs()) }))
      this.#logger.info({ attempt, signers, ...outcome, signed: true }, 'attempt ended')
      return true
    }
    for (const party of outcome.refusedBy) if (!denying.includes(party)) this.#book.forget(party)
    this.#hasFailed = denying.length === 0
    const code = denying.length > 0 && outcome.culprits.length === 0 ? DENIED : outcome.code
    const failed: AttemptRecord = { ...started, ...outcome, code, outcome: 'failed' }
    await this.#update((r) => ({ state: 'queued', attempts: withOutcome(r, failed, this.#ctx.clock.nowMs()) }))
    this.#logger.info({ attempt, signers, ...outcome, code, denying, signed: false }, 'attempt ended')
    return false
  }

  async #endSigned(started: AttemptRecord, signed: Signed, outcome: Omit<AttemptOutcome, 'signed'>): Promise<void> {
    const result = {
      signatures: signaturesOf(this.#record, signed, { key: extendedKeyOf(this.#key), logger: this.#logger }),
      signers: started.signers,
    }
    await this.#update((r) => ({
      state: 'signed',
      result,
      attempts: withOutcome(r, { ...started, ...outcome, outcome: 'signed' }, this.#ctx.clock.nowMs()),
      endedAtMs: this.#ctx.clock.nowMs(),
      nodeVerdicts: this.#book.verdicts(),
    }))
    const { keyId } = this.#record
    for (const { node, allowed, code } of this.#book.verdicts()) if (!allowed && code !== PENDING) this.#ctx.doubts.add(node, keyId)
  }

  async #endHalted(): Promise<boolean> {
    const { stopping, view } = this.#ctx
    if (stopping.aborted) return false
    if (this.#record.cancelRequested) return this.#end('cancelled', new ApiError('CANCELLED', 'cancelled by the requester'))
    if (!this.#hasAsked) return this.#end('failed', new ApiError('DEADLINE_EXCEEDED', 'the deadline passed before the nodes were asked'))
    if (this.#record.state === 'pending_approval') return this.#end('expired', describeMissing(this.#ctx.view, this.#book))
    if (this.#choose(this.#book.allowing()) === undefined) return this.#end('failed', describeShortage(view, this.#key, this.#book))
    return this.#end('failed', new ApiError('DEADLINE_EXCEEDED', describeAttempts(view, this.#record)))
  }

  async #end(state: SigningState, error: ApiError): Promise<boolean> {
    const nodeVerdicts = this.#book.verdicts()
    const told = new ApiError(error.code as 'INTERNAL', error.message, { retriable: error.retriable, nodeVerdicts })
    const problem = problemOf(told, this.#record.requestId)
    await this.#update(() => ({ state, nodeVerdicts, error: problem, endedAtMs: this.#ctx.clock.nowMs() }))
    this.#logger.info({ state, code: error.code }, 'signing request ended')
    return true
  }

  /** One change after the other: each is stored before it is seen, and none is lost to another. */
  #update(change: (record: SigningRecord) => Partial<SigningRecord>): Promise<void> {
    const apply = async () => {
      const next = { ...this.#record, ...change(this.#record) }
      const { metrics, records } = this.#ctx
      const isCancelRequested = await traced(this.#span, 'store', () => metrics.stored('save', () => records.saveSigning(next)))
      this.#record = isCancelRequested ? { ...next, cancelRequested: true } : next
      if (this.#record.cancelRequested) this.#halt.abort()
      this.changed.fire()
    }
    const done = this.#saving.then(apply)
    this.#saving = done.catch(() => undefined)
    return done
  }
}
