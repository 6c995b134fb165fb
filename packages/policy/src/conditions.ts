import { assert, type DerivationPath, formatPath } from '@conclave/core'
import type { DecodedPayload } from './decoded-payload.ts'
import { matchesPath } from './path-pattern.ts'
import type { RuleConditions } from './policy.ts'

/** What is asked of the policy: may this child of this key sign this payload? */
export interface PolicyRequest {
  readonly keyId: string
  readonly path: DerivationPath
  readonly payload: DecodedPayload
}

export type BreachCode =
  | 'KEY_NOT_ALLOWED'
  | 'PATH_NOT_ALLOWED'
  | 'PAYLOAD_NOT_ALLOWED'
  | 'CHAIN_NOT_ALLOWED'
  | 'DESTINATION_NOT_ALLOWED'
  | 'DATA_NOT_ALLOWED'
  | 'AMOUNT_OVER_LIMIT'
  | 'FEE_OVER_LIMIT'

/** A condition of a rule that a request does not meet. */
export interface Breach {
  readonly code: BreachCode
  /** For a person, without the name of the rule. */
  readonly reason: string
  /** By how many wei, where it is a matter of how much; else 0. */
  readonly excessWei: bigint
}

type Condition = (when: RuleConditions, request: PolicyRequest) => Breach | undefined

/** The request meets the condition only if `met` is exactly true: a missing or NaN field never does. */
function unless(met: boolean, code: BreachCode, reason: string, excessWei = 0n): Breach | undefined {
  return met === true ? undefined : { code, reason, excessWei }
}

function atMost(valueWei: bigint, maxWei: bigint): boolean {
  assert(typeof valueWei === 'bigint' && valueWei >= 0n, 'an amount is a bigint and not negative')
  return valueWei <= maxWei
}

const key: Condition = ({ keys }, { keyId }) =>
  unless(keys === undefined || keys.includes(keyId), 'KEY_NOT_ALLOWED', `it is not for key ${keyId}`)

const path: Condition = ({ paths }, request) =>
  unless(
    paths === undefined || paths.some((pattern) => matchesPath(pattern, request.path)),
    'PATH_NOT_ALLOWED',
    `it is not for path ${formatPath(request.path)}`,
  )

const payloadType: Condition = ({ payload: type }, { payload }) =>
  unless(type === undefined || type === payload.type, 'PAYLOAD_NOT_ALLOWED', `it is not for payloads of type ${payload.type}`)

const chain: Condition = ({ chains }, { payload }) =>
  unless(chains === undefined || chains.includes(payload.chainId), 'CHAIN_NOT_ALLOWED', `it is not for chain ${payload.chainId}`)

const destination: Condition = ({ destinations }, { payload }) =>
  unless(
    destinations === undefined || destinations.includes(payload.to),
    'DESTINATION_NOT_ALLOWED',
    `it does not list destination ${payload.to}`,
  )

const data: Condition = ({ data: allowed }, { payload }) =>
  unless(
    allowed === undefined || allowed === 'any' || payload.data.length === 0,
    'DATA_NOT_ALLOWED',
    `it allows no contract data and there are ${payload.data.length} bytes`,
  )

const amount: Condition = ({ amountMaxWei: max }, { payload }) =>
  max === undefined
    ? undefined
    : unless(
        atMost(payload.valueWei, max),
        'AMOUNT_OVER_LIMIT',
        `it allows ${max} wei and ${payload.valueWei} would be moved`,
        payload.valueWei - max,
      )

const fee: Condition = ({ feeMaxWei: max }, { payload }) =>
  max === undefined
    ? undefined
    : unless(
        atMost(payload.feeMaxWei, max),
        'FEE_OVER_LIMIT',
        `it allows a fee of ${max} wei and the transaction allows ${payload.feeMaxWei}`,
        payload.feeMaxWei - max,
      )

/** All conditions, from who and where to how much: the further a rule holds, the closer it is to what was meant. */
export const CONDITIONS: readonly Condition[] = [key, path, payloadType, chain, destination, data, amount, fee]
