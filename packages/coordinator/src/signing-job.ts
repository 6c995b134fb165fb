import { type Clock, type ConclaveError, codeOf, fromHex, type PartyId, parsePath, toHex } from '@conclave/core'
import type { Sign, Signed } from '@conclave/wire'
import type { Logger } from 'pino'
import { askAll } from './ask-all.ts'
import { type AttemptOutcome, judgeAttempt } from './attempt-outcome.ts'
import type { ClusterView } from './cluster-view.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { NodeCalls } from './node-calls.ts'
import type { NodeLoads } from './node-loads.ts'
import { assemblePayload, payloadBytes } from './payload.ts'
import { ApiError, problemOf } from './problem.ts'
import type { AttemptRecord, KeyRecord, Records, SigningRecord, SigningState } from './records.ts'
import type { SigningSettings } from './settings.ts'
import { describeAttempts, describeDenials, describeShortage } from './signing-problems.ts'
import { chooseSigners, countedAttempts, type Quorum } from './signing-quorum.ts'
import { VerdictBook } from './verdict-book.ts'
import { type Limiter, Pulse, sharedController, waitForAny } from './wait.ts'

/** After the first answer of an attempt, how long the other signers are waited for. */
export const ANSWER_GRACE_MS = 2000
/** While too few nodes can sign: how often they are asked again even when nothing seems to have changed. */
export const RETRY_MS = 1000
export const BACKOFF_MS = 200
export const BACKOFF_MAX_MS = 3200

export interface SigningContext {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly records: Records
  readonly directory: KeyDirectory
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: SigningSettings
  readonly slots: Limiter
  readonly loads: NodeLoads
  /** Aborts when the coordinator stops: jobs return and leave their record open. */
  readonly stopping: AbortSignal
}

/** One open signing request, driven from its record to a terminal state. */
export class SigningJob {
  /** Fires whenever `record` has changed, after it was stored. */
  readonly changed = new Pulse()
  readonly #ctx: SigningContext
  /** As it was known when the request was taken up; keys are never forgotten, so this is only a last resort. */
  readonly #firstKey: KeyRecord
  readonly #book: VerdictBook
  readonly #logger: Logger
  /** Ends waiting, not attempts: deadline, cancel, stop. */
  readonly #halt = sharedController()
  #record: SigningRecord
  #saving: Promise<unknown> = Promise.resolve()
  #hasAsked = false
  #hasFailed = false

  constructor(ctx: SigningContext, key: KeyRecord, record: SigningRecord) {
    const { view, calls, clock } = ctx
    this.#ctx = ctx
    this.#firstKey = key
    this.#record = record
    this.#logger = ctx.logger.child({ signingRequest: record.requestId })
    const { requestId, keyId, derivationPath, payload, digest } = record
    const what = { keyId, path: parsePath(derivationPath), payloadType: payload.type, payload: payloadBytes(payload.bytes) }
    const propose = { requestId: fromHex(requestId), ...what }
    const committee = () => this.#key
    const book = { view, calls, clock, logger: this.#logger, propose, digest, committee, known: record.nodeVerdicts }
    this.#book = new VerdictBook(book)
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
    if (this.#halt.signal.aborted) return this.#endHalted()
    if (this.#hasFailed) await this.#recover()
    this.#hasAsked = true
    await this.#book.gather(this.#halt.signal)
    if (this.#halt.signal.aborted) return false
    await this.#noteVerdicts()
    if (this.#book.isDenied()) return this.#end('denied', describeDenials(this.#ctx.view, this.#key, this.#book))
    if (countedAttempts(this.#record.attempts).length >= this.#ctx.settings.maxAttempts) {
      return this.#end('failed', new ApiError('SIGNING_FAILED', describeAttempts(this.#ctx.view, this.#record)))
    }
    if (this.#choose() === undefined) {
      await this.#waitForChange()
      return false
    }
    using slot = await this.#ctx.slots.acquire(this.#halt.signal)
    // Nodes may have gone while this request was queued.
    const quorum = this.#choose()
    if (slot === undefined || this.#halt.signal.aborted || quorum === undefined) return false
    return await this.#attempt(quorum)
  }

  #choose(): Quorum | undefined {
    const { view, loads } = this.#ctx
    return chooseSigners({ view, loads, key: this.#key, attempts: this.#record.attempts, allowing: this.#book.allowing() })
  }

  async #noteVerdicts(): Promise<void> {
    const nodeVerdicts = this.#book.verdicts()
    const isSame = JSON.stringify(nodeVerdicts) === JSON.stringify(this.#record.nodeVerdicts)
    if (!isSame || this.#record.state !== 'queued') await this.#update(() => ({ nodeVerdicts, state: 'queued' }))
  }

  async #waitForChange(): Promise<void> {
    const { clock, view } = this.#ctx
    const sinceMs = clock.nowMs()
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

  async #attempt({ signers, epoch }: Quorum): Promise<boolean> {
    const { clock, stopping, loads } = this.#ctx
    const attempt = (this.#record.attempts.at(-1)?.attempt ?? 0) + 1
    const startedAtMs = clock.nowMs()
    const started: AttemptRecord = {
      ...{ attempt, signers, outcome: 'running', code: null, culprits: [], waitingFor: [], refusedBy: [] },
      ...{ bytesOnWire: 0, startedAtMs, endedAtMs: null },
    }
    // On disk before anything is sent: an attempt number names a session, and no session may run twice.
    await this.#update((r) => ({ state: 'signing', attempts: [...r.attempts, started] }))
    using _load = loads.begin(signers)
    const answers = await this.#collect({ requestId: fromHex(this.#record.requestId), attempt, signers, epoch })
    if (stopping.aborted) return false
    const { requestId, digest, publicKey } = this.#record
    const expected = { requestId: fromHex(requestId), digest: fromHex(digest), publicKey: fromHex(publicKey), signers }
    const { signed, ...outcome } = judgeAttempt(answers, expected)
    this.#logger.info({ attempt, signers, ...outcome, signed: signed !== undefined }, 'attempt ended')
    if (signed !== undefined) return this.#endSigned(started, signed, outcome)
    for (const party of outcome.refusedBy) this.#book.forget(party)
    this.#hasFailed = true
    await this.#update((r) => ({ state: 'queued', attempts: this.#withOutcome(r, { ...started, ...outcome, outcome: 'failed' }) }))
    return false
  }

  #collect(sign: Sign): Promise<ReadonlyMap<PartyId, Signed | ConclaveError>> {
    const { view, calls, clock, settings, stopping } = this.#ctx
    const timeoutMs = Math.max(1, Math.min(settings.attemptTimeoutMs, this.#record.deadlineAtMs - clock.nowMs()))
    return askAll<Signed>({
      nodes: sign.signers.map((p) => view.node(p)),
      ask: (node, signal) => calls.call(node, { sign }, 'signed', { timeoutMs, signal }),
      hurries: () => true,
      graceMs: ANSWER_GRACE_MS,
      clock,
      signal: stopping,
    })
  }

  #withOutcome(record: SigningRecord, ended: AttemptRecord): readonly AttemptRecord[] {
    return [...record.attempts.slice(0, -1), { ...ended, endedAtMs: this.#ctx.clock.nowMs() }]
  }

  async #endSigned(started: AttemptRecord, signed: Signed, outcome: Omit<AttemptOutcome, 'signed'>): Promise<boolean> {
    const { signature, recovery } = signed
    let signedTransaction: string | null = null
    try {
      signedTransaction = assemblePayload(this.#record.payload, signature, recovery)
    } catch (error) {
      // Recovery 2 and 3 exist for ECDSA and not for Ethereum; the signature itself stands.
      this.#logger.warn({ code: codeOf(error), recovery }, 'the signature does not assemble to a transaction')
    }
    const result = { signature: toHex(signature), recovery, signedTransaction, signers: started.signers }
    await this.#update((r) => ({
      state: 'signed',
      result,
      attempts: this.#withOutcome(r, { ...started, ...outcome, outcome: 'signed' }),
      endedAtMs: this.#ctx.clock.nowMs(),
    }))
    return true
  }

  async #endHalted(): Promise<boolean> {
    const { stopping, view } = this.#ctx
    if (stopping.aborted) return false
    if (this.#record.cancelRequested) return this.#end('cancelled', new ApiError('CANCELLED', 'cancelled by the requester'))
    if (!this.#hasAsked) return this.#end('failed', new ApiError('DEADLINE_EXCEEDED', 'the deadline passed before the nodes were asked'))
    if (this.#choose() === undefined) return this.#end('failed', describeShortage(view, this.#key, this.#book))
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
      await this.#ctx.records.saveSigning(next)
      this.#record = next
      this.changed.fire()
    }
    const done = this.#saving.then(apply)
    this.#saving = done.catch(() => undefined)
    return done
  }
}
