import { parseKeyId } from '@conclave/core'
import { z } from 'zod'
import { amount, RULE_LIST_MAX, tokenAmountsMax } from './amount-schema.ts'
import { approvals, approvers, requesters, resolveApprovals } from './approver-schema.ts'
import { parseBitcoinAddress } from './bitcoin-address.ts'
import { PAYLOAD_TYPES, type PayloadType } from './decoded-payload.ts'
import { parseEvmAddress } from './evm-address.ts'
import { keyLabels, nameConditions, unknownNames } from './key-label-schema.ts'
import { limitProblem, limits } from './limit-schema.ts'
import { parsedText } from './parsed-text.ts'
import { parsePathPattern } from './path-pattern.ts'
import { CONTRACT_CREATION, NO_CONTRACT } from './payload-facts.ts'
import { times } from './time-schema.ts'

export const RULES_MAX = 256
const SEQUENCE_MAX = 0xffffffff

// For a field that is missing zod has the same issue as for a field of the wrong type; a person needs to know which.
const expected = (what: string, missing: string) => ({
  error: (issue: { readonly input?: unknown }) => (issue.input === undefined ? missing : what),
})
const mustState = (name: string, what: string) => expected(what, `an allow rule must state "${name}"`)
const required = (name: string, what: string) => expected(what, `"${name}" is missing`)

const listOf = <Item extends z.ZodType>(item: Item, error: { error: (issue: { readonly input?: unknown }) => string }) =>
  z
    .array(item, error)
    // An empty list could be read as "none" and as "any".
    .min(1, 'an empty list: leave the condition out, or state a value')
    .max(RULE_LIST_MAX, `more than ${RULE_LIST_MAX} values`)
    .refine((values) => new Set(values).size === values.length, 'a value is listed twice')

const SCRIPT = /^script:([0-9a-f]{2}){1,10000}$/

/** An address of Ethereum or Bitcoin, a Bitcoin script that has none, or a word for there being no destination, as the decoders name it. */
function parseDestination(text: string): string {
  if (text === CONTRACT_CREATION || text === NO_CONTRACT || SCRIPT.test(text)) return text
  return text.startsWith('0x') ? parseEvmAddress(text) : parseBitcoinAddress(text)
}

const METHOD = 'a method is its signature, like "transfer(address,uint256)"'
const TYPE_NAME = 'a primary type is a name, like "Permit"'
const listNamed = (name: string, what: string) => required(name, `"${name}" is a list of ${what}`)

const keys = listOf(parsedText('a key id', parseKeyId), listNamed('keys', 'key ids'))
const paths = listOf(parsedText('a path pattern', parsePathPattern), listNamed('paths', 'path patterns'))
const payload = z.enum(PAYLOAD_TYPES, { error: `"payload" is one of: ${PAYLOAD_TYPES.join(', ')}` })
const chain = z.int({ error: 'a chain id is a whole number' }).min(0, 'a chain id is not negative').transform(BigInt)
const chains = listOf(chain, listNamed('chains', 'chain ids'))
const destinations = listOf(parsedText('an address', parseDestination), listNamed('destinations', 'addresses'))
const methods = listOf(
  z
    .string(METHOD)
    .regex(/^[A-Za-z_$][\w$]*\([\w$(),[\]]*\)$/, METHOD)
    .max(512, METHOD),
  listNamed('methods', 'signatures'),
)
const primaryTypes = listOf(z.string(TYPE_NAME).regex(/^[A-Za-z_$][\w$]{0,127}$/, TYPE_NAME), listNamed('primaryTypes', 'type names'))

/** Of each payload type: what an allow rule must state, and what it may state beside keys and paths. */
const BOUNDS: Readonly<Record<PayloadType, { readonly must: readonly string[]; readonly may: readonly string[] }>> = {
  'evm.tx': { must: ['chains', 'destinations', 'amountMaxWei'], may: ['feeMaxWei', 'data', 'methods', 'tokenAmountsMax'] },
  eip712: { must: ['chains', 'destinations', 'primaryTypes'], may: ['tokenAmountsMax'] },
  'btc.psbt': { must: ['destinations', 'amountMaxSat', 'feeMaxSat'], may: [] },
  raw: { must: [], may: [] },
  drill: { must: [], may: [] },
}

const anyPayload = {
  ...{ keys: keys.optional(), paths: paths.optional(), chains: chains.optional(), destinations: destinations.optional() },
  ...{ amountMaxWei: amount.optional(), feeMaxWei: amount.optional(), amountMaxSat: amount.optional(), feeMaxSat: amount.optional() },
  data: z.enum(['none', 'known', 'any'], { error: '"data" is "none", "known" or "any"' }).optional(),
  ...{ methods: methods.optional(), primaryTypes: primaryTypes.optional(), tokenAmountsMax: tokenAmountsMax.optional() },
  ...{ limits: limits.optional(), times: times.optional(), approvals: approvals.optional() },
  ...nameConditions,
}

const allowWhen = z
  .strictObject({ ...anyPayload, payload: payload.default('evm.tx') }, mustState('when', '"when" is a mapping of conditions'))
  .superRefine((when, context) => {
    const { must, may } = BOUNDS[when.payload]
    const complain = (message: string, path: string[]) => context.addIssue({ code: 'custom', message, path })
    for (const name of must) if (when[name as keyof typeof when] === undefined) complain(`an allow rule must state "${name}"`, [name])
    const known = ['keys', 'paths', 'payload', 'limits', 'times', 'approvals', 'roles', 'tags', 'requesters', ...must, ...may]
    for (const [name, value] of Object.entries(when))
      if (value !== undefined && !known.includes(name)) complain(`"${name}" is not a condition of payload ${when.payload}`, [name])
    for (const [i, limit] of (when.limits ?? []).entries()) {
      const problem = limitProblem(limit, when.payload)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, path: ['limits', i] })
    }
  })
  .transform(({ primaryTypes: types, data, ...when }) => ({
    ...when,
    ...(types === undefined ? {} : { methods: types }),
    ...(when.payload === 'evm.tx' ? { data: data ?? ('none' as const) } : {}),
    // Tokens that a message gives away keep to a limit.
    ...(when.payload === 'eip712' ? { data: 'known' as const } : {}),
  }))

const notInDeny = (name: string) =>
  z.never({ error: `"${name}" belongs in an allow rule: a deny rule that matches up to a bound would let more through` }).optional()

const ALLOW_ONLY = [
  'amountMaxWei',
  'feeMaxWei',
  'amountMaxSat',
  'feeMaxSat',
  'tokenAmountsMax',
  'data',
  'methods',
  'primaryTypes',
  'limits',
  'approvals',
] as const

const denyWhen = z.strictObject(
  {
    keys: keys.optional(),
    paths: paths.optional(),
    payload: payload.optional(),
    chains: chains.optional(),
    destinations: destinations.optional(),
    times: times.optional(),
    ...nameConditions,
    ...(Object.fromEntries(ALLOW_ONLY.map((name) => [name, notInDeny(name)])) as Record<
      (typeof ALLOW_ONLY)[number],
      ReturnType<typeof notInDeny>
    >),
  },
  required('when', '"when" is a mapping of conditions; {} denies everything'),
)

const NAME = 'a rule name is 1 to 63 characters of a-z, 0-9 and "-"'
const name = z.string(required('name', NAME)).regex(/^[a-z0-9][a-z0-9-]{0,62}$/, NAME)

const rule = z.discriminatedUnion(
  'effect',
  [
    z.strictObject({ name, effect: z.literal('allow'), when: allowWhen }),
    z.strictObject({ name, effect: z.literal('deny'), when: denyWhen }),
  ],
  { error: 'a rule is a mapping whose "effect" is "allow" or "deny"' },
)

/** The policy file as data: strict, amounts and chain ids as bigint, addresses with checksum, defaults filled in. */
export const policySchema = z
  .strictObject(
    {
      version: z.literal(1, { error: '"version" must be 1' }),
      sequence: z
        .int(required('sequence', '"sequence" is a whole number'))
        .min(1, '"sequence" starts at 1')
        .max(SEQUENCE_MAX, `"sequence" is at most ${SEQUENCE_MAX}`),
      rules: z.array(rule, required('rules', '"rules" is a list')).max(RULES_MAX, `more than ${RULES_MAX} rules`),
      requesters: requesters.optional(),
      approvers: approvers.optional(),
      keys: keyLabels.optional(),
    },
    { error: 'a policy is a mapping of version, sequence and rules, and of keys, requesters and approvers where there are some' },
  )
  .transform(({ rules, ...policy }, context) => ({
    ...policy,
    rules: rules.map((rule, i) => {
      for (const { field, message } of unknownNames(rule.when, policy))
        context.addIssue({ code: 'custom', message, path: ['rules', i, 'when', field] })
      if (rule.effect === 'deny' || rule.when.approvals === undefined) return rule
      const complain = (message: string) => context.addIssue({ code: 'custom', message, path: ['rules', i, 'when', 'approvals'] })
      const approvals = resolveApprovals(rule.when.approvals, policy.approvers ?? [], complain)
      return { ...rule, when: { ...rule.when, approvals } }
    }),
  }))
