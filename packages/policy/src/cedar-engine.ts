import { createRequire } from 'node:module'
import type { DetailedError, PolicySet } from '@cedar-policy/cedar-wasm/nodejs'
import { assert, ConfigError } from '@conclave/core'
import { CEDAR_SCHEMA, NOBODY } from './cedar-text.ts'
import type { LabelledRequest } from './conditions.ts'

/** Loaded with the first policy: 4 MB that whoever only decodes payloads never needs. */
let engine: typeof import('@cedar-policy/cedar-wasm/nodejs') | undefined
function cedar(): typeof import('@cedar-policy/cedar-wasm/nodejs') {
  engine ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as typeof import('@cedar-policy/cedar-wasm/nodejs')
  return engine
}

/** What Cedar decides. */
export interface Decision {
  readonly allowed: boolean
  /** Places of the policies that decided, ascending: every forbid that holds, else every permit that holds. */
  readonly deciding: readonly number[]
}

const idOf = (place: number) => `rule${place}`
const placeOf = (id: string) => Number(id.slice('rule'.length))

const refused = (errors: readonly DetailedError[]): never => {
  throw new ConfigError('BAD_POLICY', `Cedar refuses the policy: ${errors[0]?.message ?? 'no reason given'}`, {}, errors)
}

/**
 * Hands policies to Cedar under a name, in place of what had the name before; each is held against {@link CEDAR_SCHEMA} in strict mode.
 *
 * @throws {ConfigError} BAD_POLICY.
 */
export function loadPolicies(name: string, texts: readonly string[]): void {
  const policies: PolicySet = { staticPolicies: Object.fromEntries(texts.map((text, place) => [idOf(place), text])) }
  const checked = cedar().validate({ schema: CEDAR_SCHEMA, policies, validationSettings: { mode: 'strict' } })
  if (checked.type === 'failure') refused(checked.errors)
  else if (checked.validationErrors.length > 0) refused(checked.validationErrors.map((e) => e.error))
  const parsed = cedar().preparsePolicySet(name, policies)
  if (parsed.type === 'failure') refused(parsed.errors)
}

const contextOf = ({ payload }: LabelledRequest, facts: ReadonlySet<string>) => {
  const { chainId, destinations, call, method, amounts } = payload
  return {
    ...(chainId === undefined ? {} : { chain: String(chainId) }),
    ...(destinations === undefined ? {} : { destinations: destinations.map((d) => d.id) }),
    call,
    ...(method === undefined ? {} : { method }),
    tokens: amounts.map((a) => a.asset).filter((asset) => asset !== 'wei' && asset !== 'sat'),
    ...(payload.type === 'drill' ? { drilled: { __entity: { type: 'Key', id: payload.keyId } } } : {}),
    holds: [...facts],
  }
}

/**
 * What the policies of a name say of a request. An error in a single policy is an error of all: a forbid that fails must not let through.
 *
 * @param facts - those that hold.
 */
export function askCedar(name: string, request: LabelledRequest, facts: ReadonlySet<string>): Decision {
  const { keyId, label, requester, payload } = request
  const resource = { type: 'Key', id: keyId }
  const answer = cedar().statefulIsAuthorized({
    principal: { type: 'Requester', id: requester ?? NOBODY },
    action: { type: 'Action', id: payload.type },
    resource,
    context: contextOf(request, facts),
    preparsedPolicySetId: name,
    entities: [
      { uid: resource, attrs: { ...(label?.role === undefined ? {} : { role: label.role }), tags: [...(label?.tags ?? [])] }, parents: [] },
    ],
  })
  assert(answer.type === 'success', `Cedar did not answer: ${answer.type === 'failure' ? answer.errors[0]?.message : ''}`)
  const { decision, diagnostics } = answer.response
  assert(diagnostics.errors.length === 0, `Cedar could not evaluate a rule: ${diagnostics.errors[0]?.error.message}`)
  return { allowed: decision === 'allow', deciding: diagnostics.reason.map(placeOf).sort((a, b) => a - b) }
}
