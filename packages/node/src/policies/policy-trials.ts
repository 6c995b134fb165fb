import { setImmediate } from 'node:timers/promises'
import { type Clock, type DerivationPath, type ExtendedKey, InvalidArgument, toHex } from '@conclave/core'
import { type Decoding, type Policy, type PolicyVerdict, policyHash, type SpendHistory, type SummaryLine } from '@conclave/policy'
import { type StoredRequest, timeBytes } from '@conclave/wire'
import type { ApprovalBook } from '../approvals/approval-book.ts'
import type { FreezeKeeper } from '../freeze/freeze-keeper.ts'
import { Judge, type Judged, type Proposal } from '../judge.ts'
import type { SpendingLedger } from '../ledger/spending-ledger.ts'
import { termsOf } from '../request-terms.ts'
import type { KeyLives } from '../store/key-lives.ts'
import type { KeyStore } from '../store/key-store.ts'
import type { RequestStore } from '../store/request-store.ts'
import { inForce, type Policies, type PolicyInForce } from './in-force.ts'

/** Requests that one page of a replay looks at. */
export const REPLAY_PAGE_MAX = 200
/** After so many the event loop gets a turn: signing goes on meanwhile. */
const TURN_AFTER = 8

export interface Trial {
  readonly keyId: string
  readonly path: DerivationPath
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly requester: string | undefined
  readonly approvedBy: readonly string[]
  /** Undefined for now. */
  readonly atMs: number | undefined
}

export interface TrialVerdict {
  readonly allowed: boolean
  readonly code: string
  readonly reason: string
  readonly rule: string
  /** Of the policy that was asked; hex. */
  readonly policy: { readonly sequence: number; readonly hash: string }
  readonly summary: readonly SummaryLine[]
}

/** What a policy is asked with beside the question. */
interface Surroundings {
  readonly clusterId: string
  readonly present: PolicyInForce
  readonly decoding: Decoding
  readonly key: ExtendedKey
  readonly history: SpendHistory
  readonly nowMs: number | undefined
}

/** Of a trial: it is in no statement that anybody signs. */
const NO_ID = new Uint8Array(32)

function judge({ clusterId, present, decoding, key, history, nowMs }: Surroundings, p: Proposal, approvedBy: ReadonlySet<string>): Judged {
  const known = { approvedBy: () => approvedBy, history: () => history, nowMs: () => nowMs }
  return new Judge({ clusterId, policies: { present }, decoding, ...known }).judge(p, key)
}

/** What a policy would say of a payload. @throws {InvalidArgument} what {@link Judge.judge} throws. */
export function tryPolicy(around: Surroundings, trial: Trial): TrialVerdict {
  const { present } = around
  const { keyId, payloadType, payload, path, requester } = trial
  const times = { notBefore: timeBytes(0), expiresAt: timeBytes(Number.MAX_SAFE_INTEGER) }
  const terms = { requester: requester ?? 'simulation', nonce: NO_ID, ...times, keyEpoch: 0, signature: new Uint8Array(0) }
  // Nobody approves what he asked for himself.
  const approvedBy = new Set(trial.approvedBy.filter((id) => id !== requester))
  const judged = judge(around, { requestId: NO_ID, keyId, payloadType, items: [{ payload, path }], terms }, approvedBy)
  const policy = { sequence: present.policy.sequence, hash: toHex(present.hash) }
  const rest = { policy, summary: judged.summaries[0] ?? [] }
  const { requesters } = present.policy
  if (requester !== undefined && requesters !== undefined && !requesters.some((r) => r.name === requester))
    return { allowed: false, code: 'UNKNOWN_REQUESTER', reason: 'the policy names no such requester', rule: '', ...rest }
  const { allowed, code, reason, rule } = judged.verdict
  return { allowed, code, reason, rule, ...rest }
}

type Class = 'allowed' | 'pending' | 'denied'
const classOf = ({ allowed, code }: Judged['verdict']): Class => (allowed ? 'allowed' : code === 'PENDING_APPROVAL' ? 'pending' : 'denied')

type Said = Pick<PolicyVerdict, 'reason' | 'rule'> & { readonly code: string }

export interface ReplayedRequest {
  /** Hex. */
  readonly requestId: string
  readonly keyId: string
  readonly requester: string
  readonly at: string
  /** A session of it began here. */
  readonly wasSigned: boolean
  /** What the policy in force says of it, with the sums of that time. */
  readonly inForce: Said
  /** What the other policy says. */
  readonly would: Said
}

export interface ReplayPage {
  /** Requests of the time asked for on this page. */
  readonly examined: number
  readonly changed: readonly ReplayedRequest[]
  /** To ask for the page after this one; null at the end. */
  readonly next: string | null
  /** Since when this node knows what was spent: before, sums may be too low. */
  readonly sumsSince: string | null
}

export interface Replay {
  readonly policy: Policy
  readonly fromMs: number
  readonly toMs: number
  /** `next` of the page before; empty for the first. */
  readonly after: string
}

export interface PolicyTrialsOptions {
  readonly clusterId: string
  readonly policies: Policies
  readonly decoding: Decoding
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly freezes: FreezeKeeper
  readonly ledger: SpendingLedger
  readonly requests: RequestStore
  readonly approvals: ApprovalBook
  readonly clock: Clock
}

const TIME_MAX_MS = 8.64e15
const isoOf = (ms: number) => new Date(Math.min(ms, TIME_MAX_MS)).toISOString()

/** What a policy would say: of a payload, or of what was asked of this node before. Nothing is signed, counted or remembered. */
export class PolicyTrials {
  readonly #o: PolicyTrialsOptions

  constructor(options: PolicyTrialsOptions) {
    this.#o = options
  }

  /**
   * Whether a request would pass here, and by which rule: with what this node has really spent, and what is frozen or suspended.
   *
   * @param policy - in the place of the one in force; the overlay of this node stays.
   * @throws {ConclaveError} UNKNOWN_KEY; {InvalidArgument} what {@link Judge.judge} throws.
   */
  simulate(trial: Trial, policy: Policy | undefined): TrialVerdict {
    const { clusterId, keys, lives, freezes, ledger, clock, decoding } = this.#o
    const key = keys.get(trial.keyId)
    const nowMs = trial.atMs ?? Math.round(clock.nowMs())
    const around = { clusterId, present: this.#layered(policy), decoding, key, nowMs, history: ledger.history(NO_ID) }
    const verdict = tryPolicy(around, trial)
    const refusal = lives.refusal(trial.keyId) ?? freezes.refusal(trial.keyId, [trial.path])
    return refusal === undefined ? verdict : { ...verdict, allowed: false, code: refusal.code, reason: refusal.message, rule: '' }
  }

  /**
   * Which requests of a time another policy would have answered otherwise than the one in force, or than they were. Requests that were
   * denied are on no disk, so what would have been allowed in addition is not seen.
   *
   * @throws {StoreError}.
   */
  async replay({ policy, fromMs, toMs, after }: Replay): Promise<ReplayPage> {
    const { ledger, requests } = this.#o
    const page = await requests.page({ after, limit: REPLAY_PAGE_MAX })
    const [present, other] = [this.#o.policies.present, this.#layered(policy)]
    const pasts = [present, other].map((p) => ledger.past([...p.policy.rules, ...(p.overlay?.rules ?? [])]))
    const changed: ReplayedRequest[] = []
    let examined = 0
    for (const [i, request] of page.entries()) {
      if (i % TURN_AFTER === 0) await setImmediate()
      const atMs = ledger.spentAtMs(request.requestId) ?? termsOf(request.terms).notBeforeMs
      if (atMs < fromMs || atMs >= toMs) continue
      examined++
      const approvedBy = await this.#o.approvals.everApprovedBy(request.requestId)
      const said = [present, other].map((p, j) => this.#judge(request, p, { atMs, approvedBy, past: pasts[j] as (typeof pasts)[0] }))
      const row = rowOf(request, atMs, said as [Judged['verdict'], Judged['verdict']])
      if (row !== undefined) changed.push(row)
    }
    const next = page.length < REPLAY_PAGE_MAX ? null : toHex((page.at(-1) as StoredRequest).requestId)
    return { examined, changed, next, sumsSince: ledger.sinceMs === undefined ? null : isoOf(ledger.sinceMs) }
  }

  #layered(policy: Policy | undefined): PolicyInForce {
    const { present } = this.#o.policies
    return policy === undefined ? present : inForce(policy, present.overlay)
  }

  #judge(
    request: StoredRequest,
    present: PolicyInForce,
    { atMs, approvedBy, past }: { atMs: number; approvedBy: ReadonlySet<string>; past: ReturnType<SpendingLedger['past']> },
  ): Judged['verdict'] {
    const { clusterId, decoding, keys } = this.#o
    try {
      const key = keys.get(request.keyId)
      const around = { clusterId, present, decoding, key, nowMs: atMs, history: past(request.requestId, atMs) }
      return judge(around, request, approvedBy).verdict
    } catch (error) {
      // A key that was destroyed since, or a payload that the decoders of today refuse: said as it is.
      return { allowed: false, code: 'POLICY_ERROR', reason: error instanceof Error ? error.message : 'not judged', rule: '' }
    }
  }
}

/** Undefined when nothing would be otherwise. */
function rowOf(request: StoredRequest, atMs: number, [was, would]: [Judged['verdict'], Judged['verdict']]): ReplayedRequest | undefined {
  const wasSigned = request.attempts > 0
  if (classOf(was) === classOf(would) && !(wasSigned && classOf(would) !== 'allowed')) return undefined
  const said = ({ code, reason, rule }: Judged['verdict']): Said => ({ code, reason, rule })
  const { requestId, keyId, terms } = request
  return {
    requestId: toHex(requestId),
    keyId,
    requester: terms.requester,
    at: isoOf(atMs),
    wasSigned,
    inForce: said(was),
    would: said(would),
  }
}

/** Any key: only a PSBT asks whose it is. */
const NO_KEY: ExtendedKey = { publicKey: new Uint8Array(33), chainCode: new Uint8Array(32) }

/**
 * The same away from any node: nothing was spent before.
 *
 * @throws {InvalidArgument} KEY_NEEDED for a PSBT; what {@link Judge.judge} throws.
 */
export function simulateOffline(policy: Policy, trial: Trial, nowMs: number): TrialVerdict {
  if (trial.payloadType === 'btc.psbt') throw new InvalidArgument('KEY_NEEDED', 'a PSBT is decoded with the key that signs it: ask a node')
  const present = { policy, hash: policyHash(policy) }
  const around = {
    clusterId: '00'.repeat(32),
    present,
    decoding: {},
    key: NO_KEY,
    nowMs: trial.atMs ?? nowMs,
    history: { total: () => 0n },
  }
  return tryPolicy(around, trial)
}
