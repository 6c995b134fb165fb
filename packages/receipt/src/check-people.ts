import { equalBytes, fromHex, isRequestSigned, messageOf, parsePath, requestIdOf } from '@conclave/core'
import {
  type Approver,
  approvalSignatureFlaw,
  openedPolicyHash,
  type PolicyOpening,
  type Requester,
  type Statement,
} from '@conclave/policy'
import { approvalOf, openedPolicy } from './people.ts'
import type { ReceiptDocument } from './receipt-document.ts'
import { refuse } from './receipt-error.ts'

/** Somebody who is shown in full. */
const isShown = <T>(one: T | Uint8Array): one is T => !(one instanceof Uint8Array)

const isStrictlySorted = (values: readonly string[]): boolean => values.every((v, i) => i === 0 || v > (values[i - 1] as string))

/**
 * R7: what is shown of the policy belongs to the policy of the statement, and nobody is shown who has no part in the request.
 *
 * @throws {ReceiptError} RECEIPT_POLICY.
 */
export function checkPolicy({ policy, approvals }: ReceiptDocument, { policyHash, policySequence, requester }: Statement): PolicyOpening {
  let opening: PolicyOpening
  try {
    opening = openedPolicy(policy, policySequence)
  } catch (cause) {
    refuse('RECEIPT_POLICY', `a key in the policy is none: ${messageOf(cause)}`, cause)
  }
  if (!equalBytes(openedPolicyHash(opening), policyHash)) refuse('RECEIPT_POLICY', 'it shows another policy than the statement names')
  const ids = opening.approvers?.filter(isShown<Approver>) ?? []
  const isNeeded = ids.every((a) => approvals.some((said) => said.approver === a.id) && [...a.groups].sort().join() === a.groups.join())
  const others = opening.requesters?.filter(isShown<Requester>).some((r) => r.name !== requester) ?? false
  if (!isNeeded || others) refuse('RECEIPT_POLICY', 'it shows more of the policy than it needs')
  return opening
}

/**
 * R8: the requester whom the policy names has signed the request.
 *
 * @returns false when the policy names no requesters, so that nobody signs requests.
 * @throws {ReceiptError} RECEIPT_REQUESTER.
 */
export function checkRequester({ request }: ReceiptDocument, statement: Statement, opening: PolicyOpening): boolean {
  if (opening.requesters === undefined) {
    if (request !== null) refuse('RECEIPT_REQUESTER', 'a signature of a request, where nobody signs requests')
    return false
  }
  const requester = opening.requesters.filter(isShown<Requester>).find((r) => r.name === statement.requester)
  if (requester === undefined || request === null) refuse('RECEIPT_REQUESTER', 'the requester and its signature are not in it')
  if (request.paths.length !== statement.items.length) refuse('RECEIPT_REQUESTER', 'not a path for each payload')
  const id = requestIdOf({
    ...statement,
    items: statement.items.map(({ payloadHash }, i) => ({ payloadHash, path: pathOf(request.paths[i]) })),
  })
  if (!equalBytes(id, statement.requestId)) refuse('RECEIPT_REQUESTER', 'the id is not that of this request')
  if (!isRequestSigned(id, requester.key, fromHex(request.signature)))
    refuse('RECEIPT_REQUESTER', `${requester.name} did not sign this request`)
  return true
}

function pathOf(text: string | undefined): readonly number[] {
  try {
    return parsePath(text ?? '')
  } catch (cause) {
    refuse('RECEIPT_REQUESTER', `not a derivation path: ${messageOf(cause)}`, cause)
  }
}

/**
 * R9: every approval is of this statement, by somebody whom the policy names, in time, and not by the requester.
 *
 * @throws {ReceiptError} RECEIPT_APPROVAL.
 */
export function checkApprovals(
  { approvals }: ReceiptDocument,
  opening: PolicyOpening,
  about: { statement: Statement; hash: Uint8Array },
): void {
  const { statement, hash } = about
  if (!isStrictlySorted(approvals.map((a) => a.approver))) refuse('RECEIPT_APPROVAL', 'approvals are not in order, or one is there twice')
  for (const said of approvals) {
    const approver = opening.approvers?.filter(isShown<Approver>).find((a) => a.id === said.approver)
    if (approver === undefined) refuse('RECEIPT_APPROVAL', `the policy does not show an approver ${said.approver}`)
    if (said.approver === statement.requester) refuse('RECEIPT_APPROVAL', `${said.approver} asked for it, and does not approve it`)
    if (said.atMs >= statement.expiresAtMs) refuse('RECEIPT_APPROVAL', `${said.approver} approved after the request had expired`)
    const flaw = approvalSignatureFlaw(approver, approvalOf(said, hash))
    if (flaw !== undefined) refuse('RECEIPT_APPROVAL', `the approval of ${said.approver} is not signed by ${said.approver} (${flaw})`)
  }
}
