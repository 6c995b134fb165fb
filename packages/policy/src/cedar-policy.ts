import { type ApprovalCount, meetsCount } from './approver.ts'
import { ALLOW_CLAUSES, type Clause, DENY_CLAUSES } from './cedar-clauses.ts'
import { holds, quoted } from './cedar-text.ts'
import { ALLOW_CONDITIONS, type Breach, type Condition, DENY_CONDITIONS, type LabelledRequest } from './conditions.ts'
import type { Policy, Rule } from './policy.ts'

/** A rule as Cedar has it, and as our own code judges it. */
export interface CompiledRule {
  readonly rule: Rule
  /** One Cedar policy. */
  readonly text: string
  /** In the order in which they are told. */
  readonly conditions: readonly Condition[]
  /** By the place of the condition that it stands for. */
  readonly facts: ReadonlyMap<number, string>
  readonly counts: ReadonlyMap<string, ApprovalCount>
}

/** How a rule fared: a breach or undefined for each of its conditions. */
export interface Finding {
  readonly compiled: CompiledRule
  readonly breaches: readonly (Breach | undefined)[]
}

function head({ name, effect, when: { payload } }: Rule): string {
  const action = payload === undefined ? 'action' : `action == Action::${quoted(payload)}`
  return `@id(${quoted(name)})\n${effect === 'allow' ? 'permit' : 'forbid'} (principal, ${action}, resource)`
}

function compileRule(rule: Rule): CompiledRule {
  const [conditions, clauseOf] = rule.effect === 'allow' ? [ALLOW_CONDITIONS, ALLOW_CLAUSES] : [DENY_CONDITIONS, DENY_CLAUSES]
  const names = Object.keys(conditions) as readonly (keyof typeof conditions)[]
  const clauses = names.map((name): Clause | undefined => clauseOf[name](rule.when, rule.name))
  const asked = clauses.flatMap((clause) => (clause === undefined ? [] : ['fact' in clause ? holds(clause.fact) : clause.text]))
  return {
    rule,
    text: `${[head(rule), ...asked.map((text) => `when { ${text} }`)].join('\n')};\n`,
    conditions: names.map((name) => conditions[name]),
    facts: new Map(clauses.flatMap((clause, i) => (clause !== undefined && 'fact' in clause ? [[i, clause.fact] as const] : []))),
    counts: new Map(clauses.flatMap((clause) => (clause !== undefined && 'counts' in clause ? [...clause.counts] : []))),
  }
}

/** Every rule as one Cedar policy, in their order. */
export const compileRules = ({ rules }: Policy): readonly CompiledRule[] => rules.map(compileRule)

/** What our own code says of every condition. @throws whatever a condition throws: a request that nobody can judge is denied. */
export function findingOf(compiled: CompiledRule, request: LabelledRequest): Finding {
  const { rule, conditions } = compiled
  return { compiled, breaches: conditions.map((condition) => condition(rule.when, request, rule.name)) }
}

/** The facts that hold: Cedar asks for nothing else where it cannot look for itself. */
export function factsThatHold(findings: readonly Finding[], { approvedBy = new Set() }: LabelledRequest): ReadonlySet<string> {
  const facts = new Set<string>()
  for (const { compiled, breaches } of findings) {
    for (const [i, fact] of compiled.facts) if (breaches[i] === undefined) facts.add(fact)
    for (const [fact, count] of compiled.counts) if (meetsCount(count, approvedBy)) facts.add(fact)
  }
  return facts
}
