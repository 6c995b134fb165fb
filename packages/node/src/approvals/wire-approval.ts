import type { Approval } from '@conclave/policy'
import { msOf, timeBytes, type Approval as WireApproval } from '@conclave/wire'

const NONE = new Uint8Array(0)

/** What came over the wire, as the policy package checks it. */
export function approvalOf(a: WireApproval): Approval {
  const { statement, approver, signature, authenticatorData, clientData, pq } = a
  const isPlain = authenticatorData.length === 0 && clientData.length === 0
  const evidence = isPlain ? { signature } : { assertion: { authenticatorData, clientData, signature } }
  const word = { statement, decision: a.approves ? 'approve' : 'reject', approver, atMs: msOf(a.at) } as const
  return { ...word, evidence, ...(pq.length === 0 ? {} : { pq }) }
}

export function wireApproval(requestId: Uint8Array, approval: Approval): WireApproval {
  const { statement, decision, approver, atMs, evidence, pq = NONE } = approval
  const said = { requestId, statement, approves: decision === 'approve', approver, at: timeBytes(atMs), pq }
  if ('signature' in evidence) return { ...said, signature: evidence.signature, authenticatorData: NONE, clientData: NONE }
  return { ...said, ...evidence.assertion }
}
