import { messageOf, parseKeyId } from '@conclave/core'
import { z } from 'zod'
import { PAYLOAD_TYPES } from './decoded-payload.ts'
import { parseEvmAddress } from './evm-address.ts'
import { parsePathPattern } from './path-pattern.ts'

export const RULES_MAX = 256
export const RULE_LIST_MAX = 10_000
const SEQUENCE_MAX = 0xffffffff
const UINT256_MAX = (1n << 256n) - 1n

// For a field that is missing zod has the same issue as for a field of the wrong type; a person needs to know which.
const expected = (what: string, missing: string) => ({
  error: (issue: { readonly input?: unknown }) => (issue.input === undefined ? missing : what),
})
const mustState = (name: string, what: string) => expected(what, `an allow rule must state "${name}"`)
const required = (name: string, what: string) => expected(what, `"${name}" is missing`)

/** Text that one of our parsers accepts, replaced by what the parser returns. */
function parsed(what: string, parse: (text: string) => string) {
  return z.string({ error: `${what} is text: put it in quotes` }).transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.issues.push({ code: 'custom', message: messageOf(error), input: text })
      return z.NEVER
    }
  })
}

const listOf = <Item extends z.ZodType>(item: Item, error: { error: (issue: { readonly input?: unknown }) => string }) =>
  z
    .array(item, error)
    // An empty list could be read as "none" and as "any".
    .min(1, 'an empty list: leave the condition out, or state a value')
    .max(RULE_LIST_MAX, `more than ${RULE_LIST_MAX} values`)
    .refine((values) => new Set(values).size === values.length, 'a value is listed twice')

const AMOUNT = 'an amount is a quoted whole number of wei, like "1000000000000000000": no sign, point, exponent or leading zero'

const amount = (error: { error: (issue: { readonly input?: unknown }) => string }) =>
  z
    .string(error)
    .regex(/^(0|[1-9][0-9]{0,77})$/, AMOUNT)
    .transform(BigInt)
    .refine((wei) => wei <= UINT256_MAX, 'an amount is below 2^256')

const keys = listOf(parsed('a key id', parseKeyId), required('keys', '"keys" is a list of key ids'))
const paths = listOf(parsed('a path pattern', parsePathPattern), required('paths', '"paths" is a list of path patterns'))
const payload = z.enum(PAYLOAD_TYPES, { error: `"payload" is one of: ${PAYLOAD_TYPES.join(', ')}` })
const chain = z.int({ error: 'a chain id is a whole number' }).min(1, 'a chain id is at least 1').transform(BigInt)
const chains = listOf(chain, mustState('chains', '"chains" is a list of chain ids'))
const destinations = listOf(parsed('an address', parseEvmAddress), mustState('destinations', '"destinations" is a list of addresses'))

const allowWhen = z.strictObject(
  {
    keys: keys.optional(),
    paths: paths.optional(),
    payload: payload.default('evm.tx'),
    chains,
    destinations,
    amountMaxWei: amount(mustState('amountMaxWei', AMOUNT)),
    feeMaxWei: amount(required('feeMaxWei', AMOUNT)).optional(),
    data: z.enum(['none', 'any'], { error: '"data" is "none" or "any"' }).default('none'),
  },
  mustState('when', '"when" is a mapping of conditions'),
)

const notInDeny = (name: string) =>
  z.never({ error: `"${name}" belongs in an allow rule: a deny rule that matches up to a bound would let more through` }).optional()

const denyWhen = z.strictObject(
  {
    keys: keys.optional(),
    paths: paths.optional(),
    payload: payload.optional(),
    chains: chains.optional(),
    destinations: destinations.optional(),
    amountMaxWei: notInDeny('amountMaxWei'),
    feeMaxWei: notInDeny('feeMaxWei'),
    data: notInDeny('data'),
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
export const policySchema = z.strictObject(
  {
    version: z.literal(1, { error: '"version" must be 1' }),
    sequence: z
      .int(required('sequence', '"sequence" is a whole number'))
      .min(1, '"sequence" starts at 1')
      .max(SEQUENCE_MAX, `"sequence" is at most ${SEQUENCE_MAX}`),
    rules: z.array(rule, required('rules', '"rules" is a list')).max(RULES_MAX, `more than ${RULES_MAX} rules`),
  },
  { error: 'a policy is a mapping of version, sequence and rules' },
)
