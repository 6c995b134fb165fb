import { type Clock, ConclaveError, type ExtendedKey, type Journal, messageOf, toHex } from '@conclave/core'
import type { Decoding, StatementDigest } from '@conclave/policy'
import { traced, tracedNow } from '@conclave/telemetry'
import type { Propose, Verdict } from '@conclave/wire'
import type { ApprovalBook } from './approvals/approval-book.ts'
import { verdictEvent } from './audit/signing-events.ts'
import type { SigningGate } from './audit/signing-gate.ts'
import { VerdictJournal } from './audit/verdict-journal.ts'
import type { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { Judge, type Judged, type PolicyName, type Proposal } from './judge.ts'
import type { ClockGuard } from './ledger/clock-guard.ts'
import type { Reservation, SpendingLedger } from './ledger/spending-ledger.ts'
import type { Policies } from './policies/in-force.ts'
import { RequestGate } from './request-gate.ts'
import type { RequestScope } from './request-scope.ts'
import { termsOf } from './request-terms.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'
import type { RequestStore } from './store/request-store.ts'
import { StoreError } from './store/store.ts'
import { together } from './together.ts'

export interface ProposalsOptions {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly requests: RequestStore
  readonly approvals: ApprovalBook
  readonly freezes: FreezeKeeper
  readonly ledger: SpendingLedger
  readonly clockGuard: ClockGuard
  readonly policies: Policies
  /** Why nothing is signed under the present policy. */
  stale(): ConclaveError | undefined
  readonly decoding: Decoding
  readonly clock: Clock
  readonly journal: Journal
  readonly gate: SigningGate
  /** A request waits for approvals from now on. */
  pending(requestId: Uint8Array): void
}

/** Requests that were denied here lately: an attempt may come right behind its proposal. */
export const DENIED_MAX = 256

/** What fits the wire of the text that a policy's author wrote. */
const [REASON_CHARS_MAX, RULE_CHARS_MAX] = [512, 128]

const hashOf = ({ digest }: StatementDigest) => digest
const isSignable = (code: string) => code === 'ALLOWED' || code === 'PENDING_APPROVAL'

/** What was proposed to this node and what it makes of it: the statement, the approvals that it holds, the verdict of its own policy. */
export class Proposals {
  readonly #o: ProposalsOptions
  readonly #judge: Judge
  readonly #requestGate: RequestGate
  readonly #verdicts: VerdictJournal
  readonly #denied = new Map<string, Proposal>()

  constructor(options: ProposalsOptions) {
    this.#o = options
    const { policies, decoding, clock, scope, journal, approvals, ledger, clockGuard } = options
    const { clusterId } = scope
    const approvedBy = (statement: Uint8Array, requestId: Uint8Array) => approvals.approvedBy(requestId, statement)
    this.#judge = new Judge({
      ...{ clusterId, policies, decoding, approvedBy },
      history: (requestId) => ledger.history(requestId),
      nowMs: () => clockGuard.nowMs(),
    })
    this.#requestGate = new RequestGate({ clusterId, policies, clock })
    this.#verdicts = new VerdictJournal(journal, clock)
  }

  /**
   * This node's own verdict on a proposal, all items or none. A refusal is an answer, not an error. Either is in the log before anybody
   * hears of it.
   *
   * @throws {ConclaveError} REQUEST_TOO_EARLY, POLICY_STALE, CLOCK_NOT_SURE, EPOCH_MISMATCH, AUDIT_UNAVAILABLE, AUDIT_ROLLED_BACK, AUDIT_FORKED; {StoreError}.
   */
  async propose(p: Propose, { log, span }: RequestScope): Promise<Verdict> {
    const { requestId } = p
    this.#o.gate.check()
    try {
      const refusal = this.refusal(p)
      if (refusal !== undefined) {
        this.#noteDenied(p)
        throw refusal
      }
      const { verdict, digests, hash } = tracedNow(span, 'judge', () => this.judged(p))
      const { allowed, code, rule } = verdict
      if (code === 'CLOCK_NOT_SURE') {
        this.#noteDenied(p)
        throw new ConclaveError(code, verdict.reason, { retriable: true })
      }
      const hashes = digests.map(hashOf)
      // What is denied is not remembered: a coordinator must not be able to fill the disk with what nobody may sign.
      if (!isSignable(code)) this.#noteDenied(p)
      const remembered = isSignable(code) ? this.#remember(p, code) : Promise.resolve()
      await traced(span, 'store', () =>
        together([remembered, this.#verdicts.record(verdictEvent(p, verdict, { digests: hashes, statement: hash }))]),
      )
      const said = { keyId: p.keyId, items: p.items.length, statement: toHex(hash), code, rule }
      log.info(said, allowed ? 'request allowed' : 'request not allowed')
      const text = { reason: verdict.reason.slice(0, REASON_CHARS_MAX), rule: rule.slice(0, RULE_CHARS_MAX) }
      return { requestId, allowed, code, ...text, digests: hashes, statement: hash }
    } catch (error) {
      if (!(error instanceof ConclaveError) || error.retriable || error instanceof StoreError) throw error
      const reason = messageOf(error).slice(0, REASON_CHARS_MAX)
      await this.#verdicts.record(verdictEvent(p, { allowed: false, code: error.code, reason, rule: '' }, undefined))
      return { requestId, allowed: false, code: error.code, reason, rule: '', digests: [], statement: new Uint8Array(0) }
    }
  }

  async get(requestId: Uint8Array): Promise<Proposal | undefined> {
    return (await this.#o.requests.get(requestId)) ?? this.#denied.get(toHex(requestId))
  }

  /** What speaks against a request whatever the policy says of its payloads: the key, a newer policy, the requester, the time. */
  refusal(p: Proposal): ConclaveError | undefined {
    return this.#o.lives.refusal(p.keyId) ?? this.#o.stale() ?? this.#requestGate.refusal(p)
  }

  /** @throws {ConclaveError} UNKNOWN_KEY, EPOCH_MISMATCH; {InvalidArgument} what {@link Judge.judge} throws. */
  judged(p: Proposal): Judged {
    const key = this.#o.keys.get(p.keyId)
    // Every epoch has the same key, so an earlier one says nothing less; of a later one this node has yet to hear.
    if (p.terms.keyEpoch > key.epoch)
      throw new ConclaveError('EPOCH_MISMATCH', `this node is in epoch ${key.epoch} of key "${key.keyId}"`, { retriable: true })
    const judged = this.#judge.judge(p, key)
    const frozen = this.#o.freezes.refusal(
      p.keyId,
      [...p.items, ...judged.digests].map(({ path }) => path),
    )
    if (frozen !== undefined) return { ...judged, verdict: { allowed: false, code: 'FROZEN', reason: frozen.message, rule: '' } }
    const rejectedBy = this.#o.approvals.rejectedBy(p.requestId, judged.hash)
    if (rejectedBy.length === 0 || !isSignable(judged.verdict.code)) return judged
    const reason = `rejected by ${rejectedBy.join(', ')}`
    return { ...judged, verdict: { ...judged.verdict, allowed: false, code: 'REJECTED', reason } }
  }

  /** What this node makes of a proposal under a policy that has been in force. @throws what {@link judged} throws. */
  stated(p: Proposal, policy: PolicyName): Pick<Judged, 'statement' | 'summaries'> {
    return this.#judge.stated(p, this.#o.keys.get(p.keyId), policy)
  }

  /** Counts what an allowed request spends; in the same turn of the event loop as {@link judged}. */
  reserve({ requestId }: Proposal, { spends }: Judged): Reservation {
    const { ledger, clock, clockGuard } = this.#o
    return ledger.reserve(requestId, spends, { nowMs: clock.nowMs(), sureMs: clockGuard.nowMs() })
  }

  /**
   * What this node said to an attempt, of what it made of the proposal: in the log before anything that is recorded later, and once.
   *
   * @throws {ConclaveError} AUDIT_UNAVAILABLE.
   */
  async noteVerdict(p: Proposal, said: Parameters<typeof verdictEvent>[1], { digests, hash }: Judged): Promise<void> {
    await this.#verdicts.record(verdictEvent(p, said, { digests: digests.map(hashOf), statement: hash }))
  }

  /** @throws {ConclaveError} UNKNOWN_KEY. */
  keyOf({ keyId }: Proposal): ExtendedKey {
    return this.#o.keys.get(keyId)
  }

  async #remember(p: Propose, code: string): Promise<void> {
    await this.#o.requests.remember(p)
    if (code !== 'PENDING_APPROVAL') return
    await this.#o.approvals.open(p.requestId, termsOf(p.terms).expiresAtMs)
    this.#o.pending(p.requestId)
  }

  #noteDenied(p: Propose): void {
    const name = toHex(p.requestId)
    this.#denied.delete(name)
    this.#denied.set(name, p)
    if (this.#denied.size > DENIED_MAX) this.#denied.delete(this.#denied.keys().next().value as string)
  }
}
