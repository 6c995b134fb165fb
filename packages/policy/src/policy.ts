import { concat, tagged, utf8 } from '@conclave/core'
import { type ApprovalRule, type Approver, hashApprovalRule, hashApprover, hashRequester, type Requester } from './approver.ts'
import type { PayloadType } from './decoded-payload.ts'
import { type Limit, limitText } from './limits.ts'
import { type TimeWindow, timeWindowText } from './time-windows.ts'

export const POLICY_FORMAT = 'conclave-policy/1'

/** What a rule may ask of a request. A condition that is `undefined` holds for every request. */
export interface RuleConditions {
  readonly keys?: readonly string[] | undefined
  /** As {@link Policy.keys} has them. */
  readonly roles?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  /** Names of requesters, whose signature was verified. */
  readonly requesters?: readonly string[] | undefined
  /** Patterns as `parsePathPattern` returns them. */
  readonly paths?: readonly string[] | undefined
  readonly payload?: PayloadType | undefined
  readonly chains?: readonly bigint[] | undefined
  /** Ids as the decoders give them: of an allow rule every destination of the payload is among them, of a deny rule any. */
  readonly destinations?: readonly string[] | undefined
  /** Per transaction: the value that it moves. */
  readonly amountMaxWei?: bigint | undefined
  /** Per transaction: gasLimit * maxFeePerGas. */
  readonly feeMaxWei?: bigint | undefined
  /** Per transaction: what leaves the key without the fee. */
  readonly amountMaxSat?: bigint | undefined
  readonly feeMaxSat?: bigint | undefined
  /** Per call, in base units, by the token's EIP-55 address. */
  readonly tokenAmountsMax?: ReadonlyMap<string, bigint> | undefined
  /** No call; calls that were decoded; any call. */
  readonly data?: 'none' | 'known' | 'any' | undefined
  /** Signatures of methods, or primary types of typed data. */
  readonly methods?: readonly string[] | undefined
  /** When: any of them. */
  readonly times?: readonly TimeWindow[] | undefined
  /** What may be spent while a window slides: all of them hold. */
  readonly limits?: readonly Limit[] | undefined
  /** Whose yes it takes beside that of the nodes. */
  readonly approvals?: ApprovalRule | undefined
}

/** An allow rule is for one payload type; `parsePolicy` sees to it that whom it pays, where and how much are stated. */
export interface AllowRule {
  readonly name: string
  readonly effect: 'allow'
  readonly when: RuleConditions & { readonly payload: PayloadType }
}

/** A deny rule only names sets. It has no maxima: "deny up to 5" would let 6 through. */
export interface DenyRule {
  readonly name: string
  readonly effect: 'deny'
  readonly when: Pick<RuleConditions, 'keys' | 'roles' | 'tags' | 'requesters' | 'paths' | 'payload' | 'chains' | 'destinations' | 'times'>
}

export type Rule = AllowRule | DenyRule

/** What the authors of a policy say of a key and all its children. */
export interface KeyLabel {
  readonly id: string
  readonly role?: string | undefined
  readonly tags: readonly string[]
}

/** Default deny. Rule names are unique, no list is empty and no list names a value twice: `parsePolicy` makes them. */
export interface Policy {
  readonly version: 1
  /** 1..2^32-1; append-only, so a higher sequence replaces a lower one. */
  readonly sequence: number
  readonly rules: readonly Rule[]
  /** Whose requests are taken; undefined when requests need no signature. */
  readonly requesters?: readonly Requester[] | undefined
  readonly approvers?: readonly Approver[] | undefined
  /** Keys that have a role or tags. */
  readonly keys?: readonly KeyLabel[] | undefined
}

const ABSENT = new Uint8Array(0)

// 32 bytes when stated and none when not, so that "any key" and a list never hash alike.
function hashSet(values: readonly (string | bigint)[] | undefined): Uint8Array {
  return values === undefined ? ABSENT : tagged('policy-set', ...values.map(String).sort().map(utf8))
}

function hashText(value: string | bigint | undefined): Uint8Array {
  return value === undefined ? ABSENT : utf8(String(value))
}

/** Each behind its name, so that none stands for another. */
function laterConditions(when: RuleConditions): readonly Uint8Array[] {
  const { roles, tags, requesters, amountMaxSat, feeMaxSat, tokenAmountsMax, methods, times, limits, approvals } = when
  const named: readonly (readonly [string, Uint8Array])[] = [
    ['roles', hashSet(roles)],
    ['tags', hashSet(tags)],
    ['requesters', hashSet(requesters)],
    ['amountMaxSat', hashText(amountMaxSat)],
    ['feeMaxSat', hashText(feeMaxSat)],
    ['tokenAmountsMax', hashSet(tokenAmountsMax && [...tokenAmountsMax].map(([token, max]) => `${token} ${max}`))],
    ['methods', hashSet(methods)],
    ['times', hashSet(times?.map(timeWindowText))],
    ['limits', hashSet(limits?.map(limitText))],
    ['approvals', approvals === undefined ? ABSENT : hashApprovalRule(approvals)],
  ]
  return named.filter(([, value]) => value.length > 0).flatMap(([name, value]) => [utf8(name), value])
}

function hashRule({ name, effect, when }: { name: string; effect: string; when: RuleConditions }): Uint8Array {
  return tagged(
    'policy-rule',
    utf8(name),
    utf8(effect),
    hashSet(when.keys),
    hashText(when.payload),
    hashSet(when.chains),
    hashSet(when.destinations),
    hashText(when.amountMaxWei),
    hashText(when.feeMaxWei),
    hashText(when.data),
    // Only when stated, so that a policy without them keeps the name that it had before there were any.
    ...(when.paths === undefined ? [] : [hashSet(when.paths)]),
    ...laterConditions(when),
  )
}

const hashLabel = ({ id, role, tags }: KeyLabel) => tagged('policy-key-label', utf8(id), hashText(role), hashSet(tags))

/**
 * Names a policy by its meaning: layout, comments, letter case of addresses, stated defaults and the order inside a list do not
 * count; every rule, its name and its place do.
 *
 * @returns 32 bytes.
 */
export function policyHash(policy: Policy): Uint8Array {
  return openedPolicyHash(openPolicy(policy))
}

/** What the hash of a policy is made of, with some of its people in full: it shows that they are in the policy, and nobody else. */
export interface PolicyOpening {
  readonly version: Policy['version']
  readonly sequence: number
  /** 32 bytes for each rule. */
  readonly rules: readonly Uint8Array[]
  /** In the order of the policy: 32 bytes for each that is not shown. */
  readonly requesters: readonly (Requester | Uint8Array)[] | undefined
  readonly approvers: readonly (Approver | Uint8Array)[] | undefined
  /** 32 bytes for what the policy says of each key. */
  readonly labels: readonly Uint8Array[] | undefined
}

/** The policy with everybody in it. */
export function openPolicy({ version, sequence, rules, requesters, approvers, keys }: Policy): PolicyOpening {
  const labels = keys && [...keys].sort((a, b) => (a.id < b.id ? -1 : 1)).map(hashLabel)
  return { version, sequence, rules: rules.map(hashRule), requesters, approvers, labels }
}

/** The same policy, with nobody in it but these. @param shown - their ids. */
export function narrowOpening(opening: PolicyOpening, shown: { requester?: string; approvers: ReadonlySet<string> }): PolicyOpening {
  return {
    ...opening,
    requesters: opening.requesters?.map((r) => (r instanceof Uint8Array || r.name === shown.requester ? r : hashRequester(r))),
    approvers: opening.approvers?.map((a) => (a instanceof Uint8Array || shown.approvers.has(a.id) ? a : hashApprover(a))),
  }
}

/** The hash of the policy that was opened: 32 bytes. */
export function openedPolicyHash({ version, sequence, rules, requesters, approvers, labels }: PolicyOpening): Uint8Array {
  const hashed = <T>(all: readonly (T | Uint8Array)[], hash: (one: T) => Uint8Array) =>
    all.map((one) => (one instanceof Uint8Array ? one : hash(one)))
  const people = [
    ...(requesters === undefined ? [] : [tagged('policy-requesters', ...hashed(requesters, hashRequester))]),
    ...(approvers === undefined ? [] : [tagged('policy-approvers', ...hashed(approvers, hashApprover))]),
    ...(labels === undefined ? [] : [tagged('policy-keys', ...labels)]),
  ]
  return tagged('policy', utf8(POLICY_FORMAT), utf8(String(version)), utf8(String(sequence)), concat(...rules), ...people)
}
