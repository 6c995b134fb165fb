import { ConfigError } from '@conclave/core'
import type { PolicyRequest } from './conditions.ts'
import { evaluate, type PolicyVerdict } from './evaluate.ts'
import type { Policy } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

/** A node's own policy on top of that of the cluster: what is allowed, both allow. */
export interface LayeredPolicy {
  readonly policy: Policy
  readonly overlay?: Policy | undefined
}

/**
 * Reads an overlay: a policy file whose rules need nothing that only the policy of the cluster has.
 *
 * @throws {ConfigError} BAD_POLICY; BAD_OVERLAY when it names requesters or approvers, or limits what one rule lets through.
 */
export function parseOverlay(text: string, file: string): Policy {
  const overlay = parsePolicy(text, file)
  const refuse = (why: string) => new ConfigError('BAD_OVERLAY', `${file}: ${why}`, { file })
  if (overlay.requesters !== undefined || overlay.approvers !== undefined)
    throw refuse('an overlay has no requesters and no approvers: those are of the cluster')
  // What is spent is counted by the rule of the policy that allowed it.
  const perRule = overlay.rules.find((r) => r.effect === 'allow' && r.when.limits?.some((l) => l.per === 'rule'))
  if (perRule !== undefined) throw refuse(`rule "${perRule.name}": the limits of an overlay are per key`)
  return overlay
}

/**
 * The verdict of the policy, unless the overlay denies what the policy allows or would allow with approvals. So an overlay never allows
 * more. Never throws; `rule` is that of the policy, or `overlay:` and the name of the rule that denied.
 */
export function evaluateLayered({ policy, overlay }: LayeredPolicy, request: PolicyRequest): PolicyVerdict {
  const verdict = evaluate(policy, request)
  if (overlay === undefined || (!verdict.allowed && verdict.code !== 'PENDING_APPROVAL')) return verdict
  const own = evaluate(overlay, request)
  return own.allowed ? verdict : { ...own, reason: `the overlay of this node: ${own.reason}`, rule: `overlay:${own.rule}` }
}
