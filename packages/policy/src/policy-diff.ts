import { toHex } from '@conclave/core'
import type { Policy, Rule } from './policy.ts'

/** What a part of a policy says, on one line; the same text for the same meaning. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [String(k), plain(v)]))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, v]) => (v === undefined ? [] : [[name, plain(v)]])))
}

const textOf = (value: unknown) => JSON.stringify(plain(value))
const ruleText = ({ effect, when }: Rule) => `${effect} when ${textOf(when)}`

interface Named {
  readonly name: string
  readonly text: string
}

const rulesOf = ({ rules }: Policy): readonly Named[] => rules.map((rule) => ({ name: `rule "${rule.name}"`, text: ruleText(rule) }))
const namesOf = ({ requesters = [], approvers = [], keys = [] }: Policy): readonly Named[] => [
  ...requesters.map((r) => ({ name: `requester ${r.name}`, text: textOf(r) })),
  ...approvers.map((a) => ({ name: `approver ${a.id}`, text: textOf(a) })),
  ...keys.map((k) => ({ name: `key ${k.id}`, text: textOf({ ...k, tags: [...k.tags].sort() }) })),
]

/** What a policy says, for a person: a line for each rule, requester, approver and labelled key. */
export function policyLines(policy: Policy): readonly string[] {
  return [...rulesOf(policy), ...namesOf(policy)].map(({ name, text }) => `${name}: ${text}`)
}

function changes(before: readonly Named[], after: readonly Named[]): readonly string[] {
  const was = new Map(before.map((n) => [n.name, n.text]))
  const is = new Map(after.map((n) => [n.name, n.text]))
  const gone = before.filter((n) => !is.has(n.name)).map((n) => `- ${n.name}: ${n.text}`)
  const here = after.flatMap(({ name, text }) => {
    const old = was.get(name)
    if (old === undefined) return [`+ ${name}: ${text}`]
    return old === text ? [] : [`- ${name}: ${old}`, `+ ${name}: ${text}`]
  })
  const order = (list: readonly Named[], other: ReadonlyMap<string, string>) => list.map((n) => n.name).filter((name) => other.has(name))
  // Of two rules that allow the same, the earlier one is named and counted.
  const isMoved = order(before, is).join('\n') !== order(after, was).join('\n')
  return [...gone, ...here, ...(isMoved ? ['~ the order is another'] : [])]
}

/**
 * What changes from one policy to another: lines that begin with `-`, `+` or `~`; none when both say the same. Whether requests need a
 * signature at all is a line of its own.
 */
export function policyChanges(before: Policy, after: Policy): readonly string[] {
  const open = (p: Policy) => p.requesters === undefined
  const gate = open(before) === open(after) ? [] : [open(after) ? '- requests need a signature' : '+ requests need a signature']
  return [...gate, ...changes(rulesOf(before), rulesOf(after)), ...changes(namesOf(before), namesOf(after))]
}
