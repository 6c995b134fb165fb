import { assert, messageOf } from '@conclave/core'
import { askCedar, type Decision } from './cedar-engine.ts'
import { type Finding, factsThatHold, findingOf } from './cedar-policy.ts'
import { type Breach, type BreachCode, CLOCK_NOT_SURE, type PolicyRequest } from './conditions.ts'
import type { Policy } from './policy.ts'
import { preparePolicy } from './prepared-policy.ts'

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
  readonly rule: string
  readonly first: Breach
  readonly position: number
  readonly broken: number
}

function missOf({ compiled, breaches }: Finding): Miss | undefined {
  const position = breaches.findIndex((breach) => breach !== undefined)
  const first = breaches[position]
  if (first === undefined) return undefined
  return { rule: compiled.rule.name, first, position, broken: breaches.filter((b) => b !== undefined).length }
}

// The rule that held longest, then with fewest broken conditions, then the one over its limit by least; else the earlier one.
function closer(a: Miss, b: Miss): Miss {
  if (a.position !== b.position) return a.position > b.position ? a : b
  if (a.broken !== b.broken) return a.broken < b.broken ? a : b
  return a.first.excess <= b.first.excess ? a : b
}

const denied = (code: PolicyCode, rule: string, reason: string): PolicyVerdict => ({ allowed: false, code, reason, rule })

/** Of rules that hold, those that decide: deny rules where there are any. */
function deciding(findings: readonly Finding[]): readonly number[] {
  const holding = findings.flatMap(({ breaches }, place) => (breaches.every((b) => b === undefined) ? [place] : []))
  const denying = holding.filter((place) => findings[place]?.compiled.rule.effect === 'deny')
  return denying.length > 0 ? denying : holding
}

/** What a decision means for a person. */
function explain(findings: readonly Finding[], { allowed, deciding: places }: Decision, isSure: boolean): PolicyVerdict {
  const rules = places.flatMap((place) => findings[place]?.compiled.rule ?? [])
  const [rule] = rules
  if (allowed && rule !== undefined) return { allowed: true, code: 'ALLOWED', reason: `rule "${rule.name}" allows this`, rule: rule.name }
  // One that may hold, for all that is known of the time, denies too; but later it may not.
  const sure = rules.find(({ when }) => when.times === undefined || isSure)
  if (sure !== undefined) return denied('POLICY_DENY_RULE', sure.name, `rule "${sure.name}" denies this`)
  if (rule !== undefined) return denied('CLOCK_NOT_SURE', rule.name, `rule "${rule.name}" may deny this: ${CLOCK_NOT_SURE}`)
  const misses = findings.flatMap((finding) => (finding.compiled.rule.effect === 'allow' ? (missOf(finding) ?? []) : []))
  if (misses.length === 0) return denied('POLICY_NO_RULE', '', 'the policy has no rule that allows anything')
  const closest = misses.reduce(closer)
  return denied(closest.first.code, closest.rule, `closest rule "${closest.rule}": ${closest.first.reason}`)
}

function decide(policy: Policy, asked: PolicyRequest): PolicyVerdict {
  const { name, rules, labels } = preparePolicy(policy)
  const request = { ...asked, label: labels.get(asked.keyId) }
  const findings = rules.map((rule) => findingOf(rule, request))
  const decision = askCedar(name, request, factsThatHold(findings, request))
  const own = deciding(findings)
  const isAllowed = own.length > 0 && own.every((place) => rules[place]?.rule.effect === 'allow')
  // Cedar decides. What is told of it, and counted as spent under a rule, is ours: it must be about the same rules.
  assert(decision.allowed === isAllowed && decision.deciding.join() === own.join(), 'Cedar and the rules as they are explained differ')
  return explain(findings, decision, request.nowMs !== undefined)
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
