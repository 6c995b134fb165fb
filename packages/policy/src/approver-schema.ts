import { fromHex, type IdentityKey, InvalidArgument, ML_DSA_65_KEY_BYTES, parseIdentityKey, parseKeyId, toHex } from '@conclave/core'
import { z } from 'zod'
import { type ApprovalCount, type ApprovalRule, type Approver, type ApproverKey, publicKeyOf, type Requester } from './approver.ts'
import { parsedText } from './parsed-text.ts'
import { parseCoseKey } from './passkey.ts'

export const APPROVERS_MAX = 256
export const REQUESTERS_MAX = 64
const KEYS_MAX = 8
const GROUPS_MAX = 16
const COUNTS_MAX = 8

const ED25519 = /^ed25519:([0-9a-f]{64})$/
const ED25519_TEXT = 'an Ed25519 key is "ed25519:" and 64 lower-case hexadecimal digits'

function parseEd25519(text: string): Uint8Array {
  const digits = ED25519.exec(text)?.[1]
  if (digits === undefined) throw new InvalidArgument('BAD_KEY', ED25519_TEXT)
  return parseIdentityKey('ed25519', fromHex(digits)).publicKey
}

const PLAIN = /^(ed25519|secp256k1|p256):((?:[0-9a-f]{2}){32,33})$/

function parsePlainKey(text: string): IdentityKey {
  const [, type = '', digits] = PLAIN.exec(text) ?? []
  if (digits === undefined) throw new InvalidArgument('BAD_KEY', 'a key is "ed25519:", "p256:" or "secp256k1:" and lower-case hexadecimal')
  return parseIdentityKey(type, fromHex(digits))
}

const ML_DSA = new RegExp(`^mldsa65:((?:[0-9a-f]{2}){${ML_DSA_65_KEY_BYTES}})$`)

function parseMlDsa(text: string): Uint8Array {
  const digits = ML_DSA.exec(text)?.[1]
  if (digits === undefined)
    throw new InvalidArgument('BAD_KEY', `an ML-DSA key is "mldsa65:" and ${2 * ML_DSA_65_KEY_BYTES} lower-case hexadecimal digits`)
  return fromHex(digits)
}

const id = (what: string) => parsedText(what, parseKeyId)
const plainKey = parsedText('a key', (text): ApproverKey => ({ kind: 'identity', key: parsePlainKey(text) }))
const passkey = z
  .strictObject({
    webauthn: z.strictObject({
      rpId: z.string().regex(/^[a-z0-9.-]{1,253}$/, 'the domain of a passkey, in lower case'),
      origin: z.string().regex(/^https?:\/\/[a-z0-9.:-]{1,259}$/, 'an origin is https:// and a host, in lower case, without a path'),
      key: parsedText('a passkey', (text) => parseCoseKey(fromHex(text))),
    }),
  })
  .transform(({ webauthn: { rpId, origin, key } }): ApproverKey => ({ kind: 'webauthn', rpId, origin, ...key }))

const keysOf = z
  .array(z.union([plainKey, passkey]), '"keys" is a list')
  .min(1, 'an approver has a key')
  .max(KEYS_MAX, `more than ${KEYS_MAX} keys`)

const distinct = <T>(values: readonly T[]) => new Set(values).size === values.length

export const requesters = z
  .array(
    z.strictObject({ name: id('the name of a requester'), key: parsedText('a key', parseEd25519) }).transform((r): Requester => r),
    '"requesters" is a list',
  )
  .min(1, 'an empty list: leave "requesters" out when nobody signs requests')
  .max(REQUESTERS_MAX, `more than ${REQUESTERS_MAX} requesters`)
  .refine((all) => distinct(all.map((r) => r.name)) && distinct(all.map((r) => toHex(r.key))), 'a name or a key is listed twice')

export const approvers = z
  .array(
    z
      .strictObject({
        id: id('the id of an approver'),
        groups: z.array(id('a group')).max(GROUPS_MAX, `more than ${GROUPS_MAX} groups`).default([]),
        keys: keysOf,
        pq: parsedText('an ML-DSA key', parseMlDsa).optional(),
      })
      .refine(
        (a) => a.pq === undefined || a.keys.every((k) => k.kind === 'identity'),
        'a passkey makes no ML-DSA signature: "pq" is for other keys',
      )
      .transform((a): Approver => a),
    '"approvers" is a list',
  )
  .max(APPROVERS_MAX, `more than ${APPROVERS_MAX} approvers`)
  .refine((all) => distinct(all.map((a) => a.id)), 'an id is listed twice')
  // Or one person could count as two.
  .refine((all) => distinct(all.flatMap((a) => a.keys.map((k) => toHex(publicKeyOf(k))))), 'a key is enrolled twice')
  .refine((all) => distinct(all.flatMap((a) => (a.pq === undefined ? [] : [toHex(a.pq)]))), 'an ML-DSA key is enrolled twice')

const count = z.strictObject({
  required: z.int('"required" is a whole number').min(1, '"required" is at least 1').max(APPROVERS_MAX),
  of: z.array(id('a group or an approver')).min(1, '"of" names groups or approvers').max(APPROVERS_MAX),
})
const counts = z.array(count).min(1).max(COUNTS_MAX, `more than ${COUNTS_MAX} counts`)

/** One count, `all` of several, or `any` of several; groups are not resolved yet. */
export const approvals = z
  .union(
    [
      count.transform((c) => [[c]]),
      z.strictObject({ all: counts }).transform(({ all }) => [all]),
      z.strictObject({ any: counts }).transform(({ any }) => any.map((c) => [c])),
    ],
    {
      error: '"approvals" is {required, of}, {all: [...]} or {any: [...]}',
    },
  )
  .transform((rule): ApprovalRule => rule)

/** Who is meant by names of approvers and groups; what is nobody is in `unknown`. */
function members(
  of: readonly string[],
  all: readonly Approver[],
): { readonly ids: readonly string[]; readonly unknown: readonly string[] } {
  const named = (name: string) => all.filter((a) => a.id === name || a.groups.includes(name)).map((a) => a.id)
  const ids = [...new Set(of.flatMap(named))].sort()
  return { ids, unknown: of.filter((name) => named(name).length === 0) }
}

/** Puts approvers in the place of groups. @param complain - of names of nobody, and of counts that can never be reached. */
export function resolveApprovals(rule: ApprovalRule, all: readonly Approver[], complain: (message: string) => void): ApprovalRule {
  const resolve = ({ required, of }: ApprovalCount): ApprovalCount => {
    const { ids, unknown } = members(of, all)
    for (const name of unknown) complain(`"${name}" is neither an approver nor a group`)
    if (unknown.length === 0 && ids.length < required) complain(`${required} approvals are required, and only ${ids.length} can give one`)
    return { required, of: ids }
  }
  return rule.map((counts) => counts.map(resolve))
}
