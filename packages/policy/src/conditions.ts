import { assert, type DerivationPath, formatPath } from '@conclave/core'
import { describeMissing, meetsApprovals } from './approver.ts'
import type { DecodedPayload } from './decoded-payload.ts'
import { limitBreach, type SpendHistory } from './limits.ts'
import { matchesPath } from './path-pattern.ts'
import type { KeyLabel, RuleConditions } from './policy.ts'
import { isWithin } from './time-windows.ts'

/** What is asked of the policy: may this child of this key sign this payload? */
export interface PolicyRequest {
  readonly keyId: string
  readonly path: DerivationPath
  readonly payload: DecodedPayload
  /** Milliseconds since the Unix epoch; undefined when whoever asks is not sure of the time. */
  readonly nowMs?: number | undefined
  /** What was spent before; without it a rule that limits what is spent is an error, which denies. */
  readonly history?: SpendHistory | undefined
  /** Ids of approvers whose approval was verified; without the requester. */
  readonly approvedBy?: ReadonlySet<string>
  /** Who made the request, where it was verified; undefined when nobody knows. */
  readonly requester?: string | undefined
}

/** A request, and what the policy says of its key. */
export interface LabelledRequest extends PolicyRequest {
  readonly label: KeyLabel | undefined
}

export type BreachCode =
  | 'KEY_NOT_ALLOWED'
  | 'REQUESTER_NOT_ALLOWED'
  | 'PATH_NOT_ALLOWED'
  | 'PAYLOAD_NOT_ALLOWED'
  | 'CHAIN_NOT_ALLOWED'
  | 'DESTINATION_NOT_ALLOWED'
  | 'DATA_NOT_ALLOWED'
  | 'METHOD_NOT_ALLOWED'
  | 'TOKEN_NOT_ALLOWED'
  | 'AMOUNT_OVER_LIMIT'
  | 'FEE_OVER_LIMIT'
  | 'CLOCK_NOT_SURE'
  | 'TIME_NOT_ALLOWED'
  | 'SPENDING_LIMIT'
  | 'COUNT_LIMIT'
  | 'PENDING_APPROVAL'

/** A condition of a rule that a request does not meet. */
export interface Breach {
  readonly code: BreachCode
  /** For a person, without the name of the rule. */
  readonly reason: string
  /** By how many base units, where it is a matter of how much; else 0. */
  readonly excess: bigint
}

/** @param rule - whose condition it is. */
export type Condition = (when: RuleConditions, request: LabelledRequest, rule: string) => Breach | undefined

/** The request meets the condition only if `met` is exactly true: a missing or NaN field never does. */
function unless(met: boolean, code: BreachCode, reason: string, excess = 0n): Breach | undefined {
  return met === true ? undefined : { code, reason, excess }
}

function atMost(value: bigint, max: bigint): boolean {
  assert(typeof value === 'bigint' && value >= 0n, 'an amount is a bigint and not negative')
  return value <= max
}

const key: Condition = ({ keys }, { keyId }) =>
  unless(keys === undefined || keys.includes(keyId), 'KEY_NOT_ALLOWED', `it is not for key ${keyId}`)

const role: Condition = ({ roles }, { keyId, label }) =>
  unless(
    roles === undefined || (label?.role !== undefined && roles.includes(label.role)),
    'KEY_NOT_ALLOWED',
    `it is not for ${label?.role === undefined ? 'a key without a role' : `a key of role ${label.role}`}, as ${keyId} is`,
  )

/** One tag is enough. */
const tag: Condition = ({ tags }, { keyId, label }) =>
  unless(tags === undefined || (label?.tags ?? []).some((t) => tags.includes(t)), 'KEY_NOT_ALLOWED', `key ${keyId} has none of its tags`)

const requester: Condition = ({ requesters }, { requester: name }) =>
  unless(
    requesters === undefined || (name !== undefined && requesters.includes(name)),
    'REQUESTER_NOT_ALLOWED',
    name === undefined ? 'it is not for requests of nobody knows whom' : `it is not for requests of ${name}`,
  )

/** Who is not known may be anybody. */
const anyRequester: Condition = ({ requesters }, { requester: name }) =>
  unless(
    requesters === undefined || name === undefined || requesters.includes(name),
    'REQUESTER_NOT_ALLOWED',
    'it is for requests of others',
  )

/** Every child that signs, and every child that gets change: what a rule lets out of one child must not come under another's rule. */
function pathsOf({ path: asked, payload }: PolicyRequest): readonly DerivationPath[] {
  return [...payload.digests.map((digest) => digest.path ?? asked), ...payload.changePaths]
}

/** A drill says whose key it is for. */
const drill: Condition = (_, { keyId, payload }) =>
  unless(payload.type !== 'drill' || payload.keyId === keyId, 'KEY_NOT_ALLOWED', `it is a drill of another key than ${keyId}`)

const path: Condition = ({ paths }, request) => {
  if (paths === undefined) return undefined
  const other = pathsOf(request).find((own) => !paths.some((pattern) => matchesPath(pattern, own)))
  return unless(other === undefined, 'PATH_NOT_ALLOWED', `it is not for path ${formatPath(other ?? [])}`)
}

const payloadType: Condition = ({ payload: type }, { payload }) =>
  unless(type === undefined || type === payload.type, 'PAYLOAD_NOT_ALLOWED', `it is not for payloads of type ${payload.type}`)

const chain: Condition = ({ chains }, { payload: { chainId } }) =>
  unless(
    chains === undefined || (chainId !== undefined && chains.includes(chainId)),
    'CHAIN_NOT_ALLOWED',
    `it is not for ${chainId === undefined ? 'payloads without a chain' : chainId === 0n ? 'payloads that are valid on every chain' : `chain ${chainId}`}`,
  )

/** Every destination has to be listed. */
const destination: Condition = ({ destinations }, { payload }) => {
  if (destinations === undefined) return undefined
  if (payload.destinations === undefined)
    return unless(false, 'DESTINATION_NOT_ALLOWED', 'it lists destinations, and that of the payload is not known')
  const other = payload.destinations.find(({ id }) => !destinations.includes(id))
  return unless(other === undefined, 'DESTINATION_NOT_ALLOWED', `it does not list destination ${other?.text}`)
}

const data: Condition = ({ data: allowed }, { payload: { call } }) => {
  const isMet = allowed === undefined || allowed === 'any' || call === 'none' || (allowed === 'known' && call === 'known')
  assert(call === 'none' || call === 'known' || call === 'blind', 'a call is none, known or blind')
  const reason = allowed === 'known' ? 'it allows only contract calls that are understood' : 'it allows no contract data and there is some'
  return unless(isMet, 'DATA_NOT_ALLOWED', reason)
}

const method: Condition = ({ methods }, { payload: { call, method: name } }) =>
  unless(
    methods === undefined || call === 'none' || (name !== undefined && methods.includes(name)),
    'METHOD_NOT_ALLOWED',
    `it does not list ${name ?? 'a method that is not understood'}`,
  )

const isToken = (asset: string) => asset !== 'wei' && asset !== 'sat'

/** A token that a rule bounds keeps to the bound; one that it does not is moved only where blind calls are allowed anyway. */
const tokens: Condition = ({ tokenAmountsMax, data: allowed }, { payload }) => {
  for (const { asset, amount } of payload.amounts.filter((a) => isToken(a.asset))) {
    const max = tokenAmountsMax?.get(asset)
    if (max === undefined) {
      if (allowed !== undefined && allowed !== 'any') return unless(false, 'TOKEN_NOT_ALLOWED', `it has no limit for token ${asset}`)
    } else if (!atMost(amount, max))
      return unless(false, 'AMOUNT_OVER_LIMIT', `it allows ${max} of token ${asset} and ${amount} would be moved`, amount - max)
  }
  return undefined
}

const amountIn =
  (asset: 'wei' | 'sat', maxOf: (when: RuleConditions) => bigint | undefined): Condition =>
  (when, { payload }) => {
    const max = maxOf(when)
    if (max === undefined) return undefined
    const [moved, ...more] = payload.amounts.filter((a) => a.asset === asset)
    assert(more.length === 0, 'a payload says once how much of an asset it moves')
    if (moved === undefined) return unless(false, 'AMOUNT_OVER_LIMIT', `it limits ${asset}, and the payload does not say how much it moves`)
    const { amount } = moved
    return unless(atMost(amount, max), 'AMOUNT_OVER_LIMIT', `it allows ${max} ${asset} and ${amount} would be moved`, amount - max)
  }

const feeIn =
  (asset: 'wei' | 'sat', maxOf: (when: RuleConditions) => bigint | undefined): Condition =>
  (when, { payload: { feeMax } }) => {
    const max = maxOf(when)
    if (max === undefined) return undefined
    const reason = `it allows a fee of ${max} ${asset} and the transaction allows ${feeMax}`
    return unless(atMost(feeMax, max), 'FEE_OVER_LIMIT', reason, feeMax - max)
  }

/** Why a node does not say yes, for now. */
export const CLOCK_NOT_SURE = 'it depends on the time, and the clock of this node does not agree with a quorum'

const time: Condition = ({ times }, { nowMs }) => {
  if (times === undefined) return undefined
  if (nowMs === undefined) return unless(false, 'CLOCK_NOT_SURE', CLOCK_NOT_SURE)
  return unless(
    times.some((window) => isWithin(window, nowMs)),
    'TIME_NOT_ALLOWED',
    'it is not for this time',
  )
}

const limit: Condition = ({ limits, chains }, { keyId, payload, nowMs, history }, rule) => {
  if (limits === undefined) return undefined
  if (nowMs === undefined) return unless(false, 'CLOCK_NOT_SURE', CLOCK_NOT_SURE)
  assert(history !== undefined, 'a limit needs to know what was spent')
  return limits.map((l) => limitBreach(l, { rule, chains, keyId, payload, nowMs, history })).find((breach) => breach !== undefined)
}

/** The last one: what it asks for may still come. */
const approvals: Condition = ({ approvals: rule }, { approvedBy = new Set() }) =>
  rule === undefined
    ? undefined
    : unless(meetsApprovals(rule, approvedBy), 'PENDING_APPROVAL', `it waits for approvals: ${describeMissing(rule, approvedBy)}`)

/** All conditions of an allow rule, from who and where to how much: the further a rule holds, the closer it is to what was meant. */
export const ALLOW_CONDITIONS = {
  ...{ key, role, tag, drill, requester, path, payloadType, chain, destination, data, method, tokens },
  amountWei: amountIn('wei', (when) => when.amountMaxWei),
  amountSat: amountIn('sat', (when) => when.amountMaxSat),
  feeWei: feeIn('wei', (when) => when.feeMaxWei),
  feeSat: feeIn('sat', (when) => when.feeMaxSat),
  ...{ time, limit, approvals },
} as const satisfies Readonly<Record<string, Condition>>

const isAnyOf = (values: readonly bigint[], { payload: { type, chainId } }: PolicyRequest) =>
  chainId === undefined ? type === 'raw' : chainId === 0n || values.includes(chainId)

/** Of the chains that a payload is valid on, one is enough; a bare digest may be for any. */
const anyChain: Condition = ({ chains }, request) =>
  unless(chains === undefined || isAnyOf(chains, request), 'CHAIN_NOT_ALLOWED', 'it is for other chains')

/** One child is enough. */
const anyPath: Condition = ({ paths }, request) =>
  unless(
    paths === undefined || pathsOf(request).some((own) => paths.some((pattern) => matchesPath(pattern, own))),
    'PATH_NOT_ALLOWED',
    'it is for other paths',
  )

/** One destination is enough; a payload whose destinations are not known may have any. */
const anyDestination: Condition = ({ destinations }, { payload }) =>
  unless(
    destinations === undefined || payload.destinations === undefined || payload.destinations.some(({ id }) => destinations.includes(id)),
    'DESTINATION_NOT_ALLOWED',
    'it is for other destinations',
  )

/** Whoever is not sure of the time is denied. */
const anyTime: Condition = ({ times }, { nowMs }) =>
  unless(
    times === undefined || nowMs === undefined || times.some((window) => isWithin(window, nowMs)),
    'TIME_NOT_ALLOWED',
    'it is for other times',
  )

/** All conditions of a deny rule: where an allow rule must hold for everything that a payload does, this holds for any part of it. */
export const DENY_CONDITIONS = {
  ...{ key, role, tag, requester: anyRequester, path: anyPath, payloadType, chain: anyChain, destination: anyDestination, time: anyTime },
} as const satisfies Readonly<Record<string, Condition>>
