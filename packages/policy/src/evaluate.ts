import { messageOf } from '@conclave/core'
import { type Breach, type BreachCode, CLOCK_NOT_SURE, CONDITIONS, DENY_CONDITIONS, type PolicyRequest } from './conditions.ts'
import type { AllowRule, DenyRule, Policy } from './policy.ts'

export type PolicyCode = 'ALLOWED' | 'POLICY_DENY_RULE' | 'POLICY_NO_RULE' | 'POLICY_ERROR' | BreachCode

export interface PolicyVerdict {
  readonly allowed: boolean
  /** Stable; ALLOWED if and only if `allowed`. */
  readonly code: PolicyCode
  /** One line for a person. */
  readonly reason: string
  /** The rule that allowed or denied, or whose refusal `reason` tells; empty when there is none. */
  readonly rule: string
}

/** How an allow rule failed: the first condition that broke, and how many did. */
interface Miss {
  readonly rule: AllowRule
  readonly first: Breach
  readonly position: number
  readonly broken: number
}

function denies({ name, when }: DenyRule, request: PolicyRequest): boolean {
  return DENY_CONDITIONS.every((condition) => condition(when, request, name) === undefined)
}

function missOf(rule: AllowRule, request: PolicyRequest): Miss | undefined {
  const breaches = CONDITIONS.map((condition) => condition(rule.when, request, rule.name))
  const position = breaches.findIndex((breach) => breach !== undefined)
  const first = breaches[position]
  return first === undefined ? undefined : { rule, first, position, broken: breaches.filter((b) => b !== undefined).length }
}

// The rule that held longest, then with fewest broken conditions, then the one over its limit by least; else the earlier one.
function closer(a: Miss, b: Miss): Miss {
  if (a.position !== b.position) return a.position > b.position ? a : b
  if (a.broken !== b.broken) return a.broken < b.broken ? a : b
  return a.first.excess <= b.first.excess ? a : b
}

function decide(policy: Policy, request: PolicyRequest): PolicyVerdict {
  const denied = policy.rules.filter((rule): rule is DenyRule => rule.effect === 'deny').filter((rule) => denies(rule, request))
  // One that may hold, for all that is known of the time, denies too; but later it may not.
  const sure = denied.find(({ when }) => when.times === undefined || request.nowMs !== undefined)
  if (sure !== undefined) return { allowed: false, code: 'POLICY_DENY_RULE', reason: `rule "${sure.name}" denies this`, rule: sure.name }
  const [perhaps] = denied
  if (perhaps !== undefined)
    return { allowed: false, code: 'CLOCK_NOT_SURE', reason: `rule "${perhaps.name}" may deny this: ${CLOCK_NOT_SURE}`, rule: perhaps.name }
  const misses: Miss[] = []
  for (const rule of policy.rules) {
    if (rule.effect !== 'allow') continue
    const miss = missOf(rule, request)
    if (miss === undefined) return { allowed: true, code: 'ALLOWED', reason: `rule "${rule.name}" allows this`, rule: rule.name }
    misses.push(miss)
  }
  if (misses.length === 0) {
    return { allowed: false, code: 'POLICY_NO_RULE', reason: 'the policy has no rule that allows anything', rule: '' }
  }
  const { rule, first } = misses.reduce(closer)
  return { allowed: false, code: first.code, reason: `closest rule "${rule.name}": ${first.reason}`, rule: rule.name }
}

/**
 * Whether a policy lets a key sign a payload: denied unless an allow rule holds in full and no deny rule does.
 *
 * Pure and deterministic. Never throws: an error in evaluation is the verdict POLICY_ERROR, which denies. When nothing allows, the
 * code is that of the allow rule that came closest, so that a person sees what to change; POLICY_NO_RULE when there is no allow rule.
 *
 * @param request - the key id and the payload as `decodePayload` returned it.
 */
export function evaluate(policy: Policy, request: PolicyRequest): PolicyVerdict {
  try {
    return decide(policy, request)
  } catch (error) {
    // Not rethrown: a node that cannot evaluate must answer no, and say why.
    return { allowed: false, code: 'POLICY_ERROR', reason: `the policy could not be evaluated: ${messageOf(error)}`, rule: '' }
  }
}
