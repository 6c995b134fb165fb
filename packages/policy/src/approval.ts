import { equalBytes, mlDsa65Verifier, tagged, u64, utf8, verifyIdentity } from '@conclave/core'
import type { Approver } from './approver.ts'
import { type Assertion, verifyAssertion } from './passkey.ts'
import type { Policy } from './policy.ts'

export type Decision = 'approve' | 'reject'

/** What an approver signs. */
export interface ApprovalWord {
  /** 32 bytes: of the statement, and so of one request, one cluster, one policy. */
  readonly statement: Uint8Array
  readonly decision: Decision
  /** Id of the approver. */
  readonly approver: string
  /** Milliseconds since 1970. */
  readonly atMs: number
}

/** What a key of a file or of an HSM made, or what an authenticator answered. */
export type Evidence = { readonly signature: Uint8Array } | { readonly assertion: Assertion }

export interface Approval extends ApprovalWord {
  readonly evidence: Evidence
  /** ML-DSA-65, of the same hash: of approvers who have such a key. */
  readonly pq?: Uint8Array | undefined
}

/** How far an approver's clock may be ahead of a node's. */
export const APPROVAL_AHEAD_MS_MAX = 60_000

/** What a key signs, and the challenge of a passkey: 32 bytes. */
export function approvalHash({ statement, decision, approver, atMs }: ApprovalWord): Uint8Array {
  return tagged('approval', statement, utf8(decision), utf8(approver), u64(atMs))
}

/** Whether one of an approver's keys signed it. */
function isSigned({ keys }: Approver, hash: Uint8Array, evidence: Evidence): boolean {
  return keys.some((key) => {
    if ('signature' in evidence) {
      return key.kind === 'identity' && verifyIdentity(key.key, hash, evidence.signature)
    }
    return key.kind === 'webauthn' && verifyAssertion(key, hash, evidence.assertion)
  })
}

/** Why the signatures of an approval are not its approver's; undefined when they are: of one of the keys, and of the ML-DSA key if there is one. */
export function approvalSignatureFlaw(approver: Approver, approval: Approval): ApprovalFlaw | undefined {
  const { atMs, evidence, pq } = approval
  if (approval.approver !== approver.id || !Number.isSafeInteger(atMs) || atMs < 0) return 'APPROVAL_SIGNATURE'
  const hash = approvalHash(approval)
  if (!isSigned(approver, hash, evidence)) return 'APPROVAL_SIGNATURE'
  if (approver.pq === undefined) return pq === undefined ? undefined : 'APPROVAL_PQ_SIGNATURE'
  if (pq === undefined) return 'APPROVAL_PQ_MISSING'
  return mlDsa65Verifier(approver.pq)(hash, pq) ? undefined : 'APPROVAL_PQ_SIGNATURE'
}

export type ApprovalFlaw =
  | 'APPROVAL_OTHER_STATEMENT'
  | 'UNKNOWN_APPROVER'
  | 'APPROVER_IS_REQUESTER'
  | 'APPROVAL_TIME'
  | 'APPROVAL_SIGNATURE'
  | 'APPROVAL_PQ_MISSING'
  | 'APPROVAL_PQ_SIGNATURE'

/** What an approval is about, as the node that checks it knows it. */
export interface ApprovalContext {
  /** 32 bytes. */
  readonly statement: Uint8Array
  readonly requester: string
  readonly expiresAtMs: number
  readonly nowMs: number
}

/** Why an approval does not count; undefined when it does. The requester may say no to itself, and never yes. */
export function approvalFlaw({ approvers = [] }: Policy, approval: Approval, context: ApprovalContext): ApprovalFlaw | undefined {
  const { statement, requester, expiresAtMs, nowMs } = context
  if (!equalBytes(approval.statement, statement)) return 'APPROVAL_OTHER_STATEMENT'
  const approver = approvers.find((a) => a.id === approval.approver)
  if (approver === undefined) return 'UNKNOWN_APPROVER'
  if (approval.decision === 'approve' && approver.id === requester) return 'APPROVER_IS_REQUESTER'
  const { atMs } = approval
  if (!Number.isSafeInteger(atMs) || atMs < 0 || atMs >= expiresAtMs || atMs > nowMs + APPROVAL_AHEAD_MS_MAX) return 'APPROVAL_TIME'
  return approvalSignatureFlaw(approver, approval)
}
