import { equalBytes } from '@conclave/core'
import { type ApprovalRule, describeMissing, meetsApprovals, type Policy, policyHash, type Statement } from '@conclave/policy'
import type { NodeWord } from './check-nodes.ts'
import { refuse } from './receipt-error.ts'

/**
 * R16, where the policy itself is at hand: it is the one that the statement names, and each node held the approvals that its rule asks for.
 *
 * @returns names of the rules that allowed the request.
 * @throws {ReceiptError} RECEIPT_OTHER_POLICY, RECEIPT_APPROVALS_MISSING.
 */
export function checkPolicyFile(policy: Policy, statement: Statement, words: readonly NodeWord[]): readonly string[] {
  if (!equalBytes(policyHash(policy), statement.policyHash))
    refuse('RECEIPT_OTHER_POLICY', `the statement names policy ${statement.policySequence} by another hash than this file's`)
  const used = new Set<string>()
  for (const { node, verdict, approvedBy } of words) {
    const said = String(verdict.details.rule)
    // Names are told apart by what stands between them, which a name may contain too.
    const rules = policy.rules.filter((r) => r.effect === 'allow' && (said === r.name || said.split(', ').includes(r.name)))
    if (rules.length === 0) refuse('RECEIPT_OTHER_POLICY', `${node} names a rule that the policy does not have: ${said}`)
    for (const rule of rules) {
      used.add(rule.name)
      const asked = (rule.effect === 'allow' ? rule.when.approvals : undefined) as ApprovalRule | undefined
      if (asked !== undefined && !meetsApprovals(asked, new Set(approvedBy)))
        refuse('RECEIPT_APPROVALS_MISSING', `${node} signed by rule "${rule.name}" without ${describeMissing(asked, new Set(approvedBy))}`)
    }
  }
  return [...used]
}
