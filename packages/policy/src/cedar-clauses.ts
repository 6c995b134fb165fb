import { assert, tagged, toHex, utf8 } from '@conclave/core'
import { type ApprovalCount, countText } from './approver.ts'
import { entities, holds, NOBODY, setOf } from './cedar-text.ts'
import type { ALLOW_CONDITIONS, DENY_CONDITIONS } from './conditions.ts'
import { limitText } from './limits.ts'
import type { RuleConditions } from './policy.ts'
import { timeWindowText } from './time-windows.ts'

/** What Cedar is asked for one condition of a rule: by itself, or by a fact that holds when our own code says that the condition is met. */
export type Clause =
  | { readonly text: string }
  | { readonly fact: string }
  | { readonly text: string; readonly counts: ReadonlyMap<string, ApprovalCount> }

/** Undefined where the rule does not state the condition. */
type ClauseOf = (when: RuleConditions, rule: string) => Clause | undefined

const when =
  <Stated>(
    stated: (conditions: RuleConditions) => Stated | undefined,
    clause: (value: Stated, conditions: RuleConditions) => Clause,
  ): ClauseOf =>
  (conditions) => {
    const value = stated(conditions)
    return value === undefined ? undefined : clause(value, conditions)
  }

/** Cedar reads a list anew at every request, at half a microsecond a value: a longer one is a fact. */
const LISTED_MAX = 64

/** One text for one set. */
function listText(values: readonly (string | bigint)[]): string {
  const texts = values.map(String).sort()
  assert(!texts.some((text) => text.includes(', ')), 'no value of a list looks like two')
  if (texts.length <= LISTED_MAX) return texts.join(', ')
  return `${texts.length} values with hash ${toHex(tagged('cedar-list', ...texts.map(utf8)))}`
}

const listed = (what: string, values: readonly (string | bigint)[], text: () => string): Clause =>
  values.length > LISTED_MAX ? { fact: `${what} ${listText(values)}` } : { text: text() }

const key = when(
  ({ keys }) => keys,
  (keys) => listed('key in', keys, () => `${entities('Key', keys)}.contains(resource)`),
)
const role = when(
  ({ roles }) => roles,
  (roles) => ({ text: `resource has role && ${setOf(roles)}.contains(resource.role)` }),
)
const tag = when(
  ({ tags }) => tags,
  (tags) => ({ text: `resource.tags.containsAny(${setOf(tags)})` }),
)
const times = (verb: string) =>
  when(
    (c) => c.times,
    (windows) => ({ fact: `${verb} ${listText(windows.map(timeWindowText))}` }),
  )
const atMost = (what: string, max: (conditions: RuleConditions) => bigint | undefined) =>
  when(max, (units) => ({ fact: `${what} at most ${units}` }))

const tokens: ClauseOf = ({ tokenAmountsMax, data }) => {
  const limited = [...(tokenAmountsMax ?? [])]
  if (limited.length > 0)
    return {
      fact: `tokens at most ${listText(limited.map(([token, max]) => `${token}=${max}`))}${data === undefined || data === 'any' ? '' : ', no others'}`,
    }
  return data === undefined || data === 'any' ? undefined : { text: 'context.tokens.isEmpty()' }
}

const limit: ClauseOf = ({ limits, chains }, rule) => {
  if (limits === undefined) return undefined
  const whose = limits.some((l) => l.per === 'rule') ? ` of rule ${JSON.stringify(rule)}` : ''
  return {
    fact: `within limits${whose} ${listText(limits.map(limitText))}${chains === undefined ? '' : ` on chains ${listText(chains)}`}`,
  }
}

const approvals = when(
  (c) => c.approvals,
  (rule) => {
    const counts = new Map(rule.flat().map((count) => [countText(count), count]))
    const all = (list: readonly ApprovalCount[]) => (list.length === 0 ? 'false' : list.map((c) => holds(countText(c))).join(' && '))
    return { text: rule.length === 0 ? 'false' : rule.map((list) => `(${all(list)})`).join(' || '), counts }
  },
)

/** Of each condition of an allow rule. The payload type is in the head of the policy. */
export const ALLOW_CLAUSES: Readonly<Record<keyof typeof ALLOW_CONDITIONS, ClauseOf>> = {
  ...{ key, role, tag, approvals, tokens, limit },
  drill: ({ payload }) => (payload === 'drill' ? { text: 'context has drilled && context.drilled == resource' } : undefined),
  requester: when(
    (c) => c.requesters,
    (names) => ({ text: `${entities('Requester', names)}.contains(principal)` }),
  ),
  path: when(
    (c) => c.paths,
    (paths) => ({ fact: `every path in ${listText(paths)}` }),
  ),
  payloadType: () => undefined,
  chain: when(
    (c) => c.chains,
    (chains) => listed('chain in', chains, () => `context has chain && ${setOf(chains)}.contains(context.chain)`),
  ),
  destination: when(
    (c) => c.destinations,
    (list) => listed('every destination in', list, () => `context has destinations && ${setOf(list)}.containsAll(context.destinations)`),
  ),
  data: when(
    (c) => (c.data === 'any' ? undefined : c.data),
    (data) => ({ text: `${setOf(data === 'known' ? ['none', 'known'] : ['none'])}.contains(context.call)` }),
  ),
  method: when(
    (c) => c.methods,
    (methods) =>
      listed(
        'no call or method in',
        methods,
        () => `context.call == "none" || (context has method && ${setOf(methods)}.contains(context.method))`,
      ),
  ),
  amountWei: atMost('wei', (c) => c.amountMaxWei),
  amountSat: atMost('sat', (c) => c.amountMaxSat),
  feeWei: atMost('fee in wei', (c) => c.feeMaxWei),
  feeSat: atMost('fee in sat', (c) => c.feeMaxSat),
  time: times('it is'),
}

/** Of each condition of a deny rule: of what is not known the rule holds. */
export const DENY_CLAUSES: Readonly<Record<keyof typeof DENY_CONDITIONS, ClauseOf>> = {
  ...{ key, role, tag },
  requester: when(
    (c) => c.requesters,
    (names) => ({ text: `${entities('Requester', [NOBODY, ...names])}.contains(principal)` }),
  ),
  path: when(
    (c) => c.paths,
    (paths) => ({ fact: `some path in ${listText(paths)}` }),
  ),
  payloadType: () => undefined,
  // What is valid on chain 0 is valid on each.
  chain: when(
    (c) => c.chains,
    (chains) =>
      listed('some chain in', chains, () => {
        const valid = setOf([...new Set([0n, ...chains])])
        return `if context has chain then ${valid}.contains(context.chain) else action == Action::"raw"`
      }),
  ),
  destination: when(
    (c) => c.destinations,
    (list) =>
      listed(
        'some destination in',
        list,
        () => `if context has destinations then context.destinations.containsAny(${setOf(list)}) else true`,
      ),
  ),
  time: times('it is or may be'),
}
