import { assert } from '@conclave/core'
import { loadPolicies } from './cedar-engine.ts'
import { type CompiledRule, compileRules } from './cedar-policy.ts'
import { CEDAR_SCHEMA } from './cedar-text.ts'
import type { KeyLabel, Policy } from './policy.ts'

/** A policy that Cedar has read. */
export interface PreparedPolicy {
  /** Under which Cedar knows it. */
  readonly name: string
  readonly rules: readonly CompiledRule[]
  readonly labels: ReadonlyMap<string, KeyLabel>
}

/** How many policies are kept ready: Cedar forgets one only when another takes its name. */
const PREPARED_MAX = 32
const freeNames = Array.from({ length: PREPARED_MAX }, (_, i) => `policy-${i}`)
/** The least recently used first. */
const prepared = new Map<Policy, PreparedPolicy>()

function takeName(): string {
  const [oldest] = prepared
  if (freeNames.length === 0 && oldest !== undefined) {
    prepared.delete(oldest[0])
    freeNames.push(oldest[1].name)
  }
  const name = freeNames.pop()
  assert(name !== undefined, 'every name is free or of a policy that is kept')
  return name
}

function prepare(policy: Policy): PreparedPolicy {
  const rules = compileRules(policy)
  const labels = new Map((policy.keys ?? []).map((label) => [label.id, label]))
  const name = takeName()
  try {
    loadPolicies(
      name,
      rules.map((r) => r.text),
    )
  } catch (error) {
    freeNames.push(name)
    throw error
  }
  return { name, rules, labels }
}

/**
 * Has Cedar read a policy, unless it is one of the last that it read: whoever starts with one does not wait at its first request.
 *
 * @throws {ConfigError} BAD_POLICY: Cedar refuses a rule.
 */
export function preparePolicy(policy: Policy): PreparedPolicy {
  const ready = prepared.get(policy) ?? prepare(policy)
  prepared.delete(policy)
  prepared.set(policy, ready)
  return ready
}

/** A policy in the language of its engine. */
export interface CedarPolicy {
  /** As Cedar's own tools read it. */
  readonly schema: string
  /** One permit or forbid for each rule, in their order, with the name of the rule as its `@id`. */
  readonly policies: readonly { readonly rule: string; readonly text: string }[]
}

/**
 * What nodes hand to Cedar, so that its own tools can be asked about it.
 *
 * @throws {ConfigError} BAD_POLICY: Cedar refuses a rule.
 */
export function cedarPolicy(policy: Policy): CedarPolicy {
  const { rules } = preparePolicy(policy)
  return { schema: CEDAR_SCHEMA, policies: rules.map(({ rule, text }) => ({ rule: rule.name, text })) }
}
