import { type IdentityKey, tagged, u32, utf8 } from '@conclave/core'

/** The key that a platform signs its requests with. */
export interface Requester {
  /** As a key id. */
  readonly name: string
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
}

/** A passkey: what a person's authenticator signs with (WebAuthn). */
export interface Passkey {
  readonly kind: 'webauthn'
  readonly algorithm: 'ES256' | 'Ed25519'
  /** 33 bytes, compressed, or 32. */
  readonly publicKey: Uint8Array
  /** The domain that the passkey was made for. */
  readonly rpId: string
  /** Where approvals are given, e.g. `https://approve.example.org`. */
  readonly origin: string
}

/** A key in a file, or the identity key of a node, which is in its HSM. */
export interface PlainKey {
  readonly kind: 'identity'
  readonly key: IdentityKey
}

export type ApproverKey = PlainKey | Passkey

/** A person who may approve. However many keys one has, it is one person. */
export interface Approver {
  /** As a key id. */
  readonly id: string
  readonly groups: readonly string[]
  readonly keys: readonly ApproverKey[]
  /** ML-DSA-65, 1952 bytes: where stated, every approval carries its signature beside that of one of the keys. */
  readonly pq?: Uint8Array | undefined
}

/** So many different approvers of a list. */
export interface ApprovalCount {
  readonly required: number
  /** Ids of approvers: those of groups stand here one by one. */
  readonly of: readonly string[]
}

/** The approvals that a rule asks for: every count of at least one of the lists. */
export type ApprovalRule = readonly (readonly ApprovalCount[])[]

const set = (values: readonly string[]) => tagged('policy-set', ...[...values].sort().map(utf8))

function hashKey(key: ApproverKey): Uint8Array {
  if (key.kind === 'identity') return tagged('policy-key', utf8(key.key.type), key.key.publicKey)
  return tagged('policy-key', utf8(key.kind), utf8(key.algorithm), key.publicKey, utf8(key.rpId), utf8(key.origin))
}

export const publicKeyOf = (key: ApproverKey): Uint8Array => (key.kind === 'identity' ? key.key.publicKey : key.publicKey)

/** 32 bytes each, for the hash of a policy. */
export const hashRequester = ({ name, key }: Requester): Uint8Array => tagged('policy-requester', utf8(name), key)
export const hashApprover = ({ id, groups, keys, pq }: Approver): Uint8Array =>
  tagged('policy-approver', utf8(id), set(groups), ...keys.map(hashKey), ...(pq === undefined ? [] : [tagged('policy-pq-key', pq)]))
export const hashApprovalRule = (rule: ApprovalRule): Uint8Array =>
  tagged('policy-approvals', ...rule.map((counts) => tagged('policy-counts', ...counts.flatMap((c) => [u32(c.required), set(c.of)]))))

const has = ({ of }: ApprovalCount, approvedBy: ReadonlySet<string>) => of.filter((id) => approvedBy.has(id))
/** Whether as many of a list approved. */
export const meetsCount = (count: ApprovalCount, approvedBy: ReadonlySet<string>): boolean =>
  has(count, approvedBy).length >= count.required

/** Whether these approvers are enough. */
export function meetsApprovals(rule: ApprovalRule, approvedBy: ReadonlySet<string>): boolean {
  return rule.some((counts) => counts.length > 0 && counts.every((count) => meetsCount(count, approvedBy)))
}

/** The same text for the same count. */
export const countText = ({ required, of }: ApprovalCount): string => `approved by ${required} of ${[...of].sort().join(', ')}`

/** What is missing, for a person. */
export function describeMissing(rule: ApprovalRule, approvedBy: ReadonlySet<string>): string {
  const line = (count: ApprovalCount) => {
    const given = has(count, approvedBy)
    return `${count.required} of ${count.of.join(', ')}${given.length > 0 ? ` (approved: ${given.join(', ')})` : ''}`
  }
  return rule
    .map((counts) =>
      counts
        .filter((c) => !meetsCount(c, approvedBy))
        .map(line)
        .join(' and '),
    )
    .join('; or ')
}
