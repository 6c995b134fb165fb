import { type Clock, ConclaveError, fromHex, type PartyId } from '@conclave/core'
import { type Approval, timeBytes } from '@conclave/wire'
import { askAll } from './ask-all.ts'
import type { ClusterView } from './cluster-view.ts'
import { type NodeCalls, safeCode } from './node-calls.ts'
import { ApiError } from './problem.ts'
import type { ApprovalAnswersBody, CreateApprovalBody } from './signing-schemas.ts'

const APPROVAL_TIMEOUT_MS = 10_000
/** Once one node has taken it, how long the others are waited for: nodes pass it on to each other. */
const GRACE_MS = 500

export interface ApprovalDeskOptions {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly stopping: AbortSignal
}

function approvalOf(requestId: string, body: CreateApprovalBody): Approval {
  const { statement, decision, approver, atMs, signature, authenticatorData = '', clientData = '', pq = '' } = body
  return {
    ...{ requestId: fromHex(requestId), statement: fromHex(statement), approves: decision === 'approve', approver },
    ...{ at: timeBytes(atMs), signature: fromHex(signature) },
    ...{ authenticatorData: fromHex(authenticatorData), clientData: fromHex(clientData), pq: fromHex(pq) },
  }
}

/**
 * Carries an approval to every connected node of a key. Each node checks it; what this coordinator makes of it counts for nothing.
 *
 * @returns what each node said.
 * @throws {ApiError} APPROVAL_REFUSED when no node took it; NODES_UNREACHABLE.
 */
export async function carryApproval(
  { view, calls, clock, stopping }: ApprovalDeskOptions,
  parties: readonly PartyId[],
  requestId: string,
  body: CreateApprovalBody,
): Promise<ApprovalAnswersBody> {
  const approval = approvalOf(requestId, body)
  const nodes = parties.filter((p) => view.isUp(p)).map((p) => view.node(p))
  if (nodes.length === 0) throw new ApiError('NODES_UNREACHABLE', 'no node of the key is connected')
  const answers = await askAll({
    ...{ nodes, graceMs: GRACE_MS, clock, signal: stopping },
    ask: (node, signal) => calls.call(node, { approval }, 'approvalTaken', { timeoutMs: APPROVAL_TIMEOUT_MS, signal }),
    hurries: (answer) => !(answer instanceof ConclaveError),
  })
  const said = [...answers].map(([node, answer]) => ({ node, code: answer instanceof ConclaveError ? safeCode(answer.code) : 'TAKEN' }))
  if (said.some(({ code }) => code === 'TAKEN')) return { nodes: said }
  const refusals = said.map(({ node, code }) => `${view.nameOf(node)} ${code}`).join(', ')
  throw new ApiError('APPROVAL_REFUSED', `no node took the approval: ${refusals || 'none answered'}`)
}
