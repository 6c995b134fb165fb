import { type Clock, ConclaveError, codeOf, formatPath, type IdentitySigner, type Journal, type PartyId, toHex } from '@conclave/core'
import { type Approval, type ApprovalWord, approvalFlaw, approvalHash, encodeStatement, type SummaryLine } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import { APPROVALS_TOLD_MAX, type ApprovalGossip, type Approval as WireApproval } from '@conclave/wire'
import type { Proposal } from '../judge.ts'
import type { Policies } from '../policies/in-force.ts'
import type { Proposals } from '../proposals.ts'
import { termsOf } from '../request-terms.ts'
import type { ApprovalBook } from './approval-book.ts'
import { approvalOf, wireApproval } from './wire-approval.ts'

export interface ApprovalDeskOptions {
  readonly proposals: Proposals
  readonly book: ApprovalBook
  readonly policies: Policies
  readonly identity: IdentitySigner
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  gossip(peer: PartyId, gossip: ApprovalGossip): void
  peersUp(): readonly PartyId[]
}

/** A request as this node sees it, for a person who is asked to approve it. */
export interface AdminRequest {
  /** Hex, as everything that is bytes. */
  readonly requestId: string
  readonly keyId: string
  readonly payloadType: string
  readonly requester: string
  readonly notBefore: string
  readonly expiresAt: string
  /** The verdict of this node as it is now. */
  readonly code: string
  readonly reason: string
  readonly approvedBy: readonly string[]
  readonly rejectedBy: readonly string[]
}

export interface AdminRequestDetails extends AdminRequest {
  readonly statement: string
  readonly statementHash: string
  readonly key: { readonly publicKey: string; readonly chainCode: string }
  readonly items: readonly { readonly path: string; readonly payload: string; readonly summary: readonly SummaryLine[] }[]
}

const MESSAGES = {
  APPROVAL_OTHER_STATEMENT: 'the approval is of another statement',
  UNKNOWN_APPROVER: 'the policy names no such approver',
  APPROVER_IS_REQUESTER: 'nobody approves what he asked for himself',
  APPROVAL_TIME: 'the approval was given after the request expired, or in the future',
  APPROVAL_SIGNATURE: 'no key of the approver signed this',
  APPROVAL_PQ_MISSING: 'the policy asks this approver for an ML-DSA signature too',
  APPROVAL_PQ_SIGNATURE: 'the ML-DSA signature is not of a key of the approver',
} as const

const shortOf = ({ key, items, statement, statementHash, ...short }: AdminRequestDetails): AdminRequest => short

const TIME_MAX_MS = 8.64e15
const isoOf = (ms: number) => new Date(Math.min(ms, TIME_MAX_MS)).toISOString()

/** Takes approvals from wherever they come, checks each against the statement that this node made itself, and passes on what is new. */
export class ApprovalDesk {
  readonly #o: ApprovalDeskOptions

  constructor(options: ApprovalDeskOptions) {
    this.#o = options
  }

  /**
   * Takes one approval or rejection; durable when it resolves, and on its way to the peers.
   *
   * @returns whether it is new.
   * @throws {ConclaveError} UNKNOWN_REQUEST, REQUEST_*, KEY_*, NOTHING_TO_APPROVE, APPROVAL_*, UNKNOWN_APPROVER, APPROVER_IS_REQUESTER,
   * TOO_MANY_APPROVALS, AUDIT_UNAVAILABLE; {StoreError}.
   */
  async submit(a: WireApproval): Promise<boolean> {
    const { proposals, book, policies, clock, journal } = this.#o
    const { p, statement } = await this.#open(a.requestId)
    const { requester, expiresAtMs } = termsOf(p.terms)
    const flaw = approvalFlaw(policies.present.policy, approvalOf(a), { statement, requester, expiresAtMs, nowMs: clock.nowMs() })
    if (flaw !== undefined) throw new ConclaveError(flaw, MESSAGES[flaw])
    if (book.has(a)) return false
    const details = { requestId: toHex(a.requestId), statement: toHex(statement), approver: a.approver }
    await journal.record({ kind: a.approves ? 'approval.given' : 'approval.rejected', details })
    await book.add(a, expiresAtMs)
    this.#o.log.info({ ...details, approves: a.approves, code: proposals.judged(p).verdict.code }, 'approval taken')
    for (const peer of this.#o.peersUp()) this.#o.gossip(peer, { approvals: [a], asks: [] })
    return true
  }

  /** A new request waits: what do the peers know? */
  pending(requestId: Uint8Array): void {
    for (const peer of this.#o.peersUp()) this.#o.gossip(peer, { approvals: [], asks: [requestId] })
  }

  /** What the peer may not have heard while it was away, and what this node may not. */
  greet(peer: PartyId): void {
    const waiting = this.#o.book.waiting()
    for (let i = 0; i < waiting.length; i += APPROVALS_TOLD_MAX)
      this.#o.gossip(peer, { approvals: [], asks: waiting.slice(i, i + APPROVALS_TOLD_MAX) })
    this.#tell(peer, waiting)
  }

  /** Never rejects. What does not hold is dropped: it may be of a request that this node has not heard of, and is asked for when it does. */
  async heard(peer: PartyId, { approvals, asks }: ApprovalGossip): Promise<void> {
    for (const approval of approvals) {
      await this.submit(approval).catch((error: unknown) => {
        const details = { peer, requestId: toHex(approval.requestId), approver: approval.approver, code: codeOf(error) }
        this.#o.log.info(details, 'approval of a peer not taken')
      })
    }
    this.#tell(peer, asks)
  }

  /** Requests that wait for people at this node. */
  async inbox(): Promise<readonly AdminRequest[]> {
    const all = await Promise.all(this.#o.book.waiting().map((id) => this.#shown(id)))
    return all.flatMap((r) => (r?.code === 'PENDING_APPROVAL' ? [shortOf(r)] : []))
  }

  /** @throws {ConclaveError} UNKNOWN_REQUEST. */
  async show(requestId: Uint8Array): Promise<AdminRequestDetails> {
    const shown = await this.#shown(requestId)
    if (shown === undefined) throw new ConclaveError('UNKNOWN_REQUEST', 'this request was not proposed to this node')
    return shown
  }

  /**
   * Signs with this node's own identity key, in its HSM, what its operator was shown; a key that the policy enrols for the approver.
   *
   * @param second - the approver's ML-DSA signature, and the time that it is of.
   */
  async signHere(requestId: Uint8Array, said: Omit<ApprovalWord, 'atMs'>, second?: { atMs: number; pq: Uint8Array }): Promise<boolean> {
    const { identity, clock } = this.#o
    const word = { ...said, atMs: second?.atMs ?? clock.nowMs() }
    const approval: Approval = { ...word, evidence: { signature: await identity.sign(approvalHash(word)) }, pq: second?.pq }
    return this.submit(wireApproval(requestId, approval))
  }

  async #open(requestId: Uint8Array): Promise<{ readonly p: Proposal; readonly statement: Uint8Array }> {
    const { proposals } = this.#o
    const p = await proposals.get(requestId)
    if (p === undefined) throw new ConclaveError('UNKNOWN_REQUEST', 'this request was not proposed to this node')
    const refusal = proposals.refusal(p)
    if (refusal !== undefined) throw refusal
    const { verdict, hash } = proposals.judged(p)
    if (!['ALLOWED', 'PENDING_APPROVAL', 'REJECTED'].includes(verdict.code))
      throw new ConclaveError('NOTHING_TO_APPROVE', `the policy of this node denies the request, whoever approves it: ${verdict.reason}`)
    return { p, statement: hash }
  }

  #tell(peer: PartyId, requests: readonly Uint8Array[]): void {
    const known = requests.flatMap((id) => this.#o.book.of(id))
    for (let i = 0; i < known.length; i += APPROVALS_TOLD_MAX)
      this.#o.gossip(peer, { approvals: known.slice(i, i + APPROVALS_TOLD_MAX), asks: [] })
  }

  async #shown(requestId: Uint8Array): Promise<AdminRequestDetails | undefined> {
    const { proposals, book } = this.#o
    const p = await proposals.get(requestId)
    if (p === undefined) return undefined
    const { verdict, hash, statement, summaries } = proposals.judged(p)
    const refusal = proposals.refusal(p)
    const { requester, notBeforeMs, expiresAtMs } = termsOf(p.terms)
    const { publicKey, chainCode } = proposals.keyOf(p)
    return {
      ...{ requestId: toHex(requestId), keyId: p.keyId, payloadType: p.payloadType, requester },
      ...{ notBefore: isoOf(notBeforeMs), expiresAt: isoOf(expiresAtMs) },
      ...{ code: refusal?.code ?? verdict.code, reason: refusal?.message ?? verdict.reason },
      ...{ approvedBy: [...book.approvedBy(requestId, hash)], rejectedBy: book.rejectedBy(requestId, hash) },
      ...{ statement: toHex(encodeStatement(statement)), statementHash: toHex(hash) },
      key: { publicKey: toHex(publicKey), chainCode: toHex(chainCode) },
      items: p.items.map(({ path, payload }, i) => ({ path: formatPath(path), payload: toHex(payload), summary: summaries[i] ?? [] })),
    }
  }
}
