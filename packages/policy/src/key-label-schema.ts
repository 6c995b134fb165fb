import { parseKeyId } from '@conclave/core'
import { z } from 'zod'
import { RULE_LIST_MAX } from './amount-schema.ts'
import { REQUESTERS_MAX } from './approver-schema.ts'
import { parsedText } from './parsed-text.ts'
import type { KeyLabel, Policy } from './policy.ts'

const TAGS_MAX = 16
const NAMES_MAX = 64

const name = (what: string) => parsedText(what, parseKeyId)
const distinct = (values: readonly string[]) => new Set(values).size === values.length

const namesOf = (field: string, what: string, max: number) =>
  z
    .array(name(what), `"${field}" is a list`)
    .min(1, 'an empty list: leave the condition out, or state a value')
    .max(max, `more than ${max} values`)
    .refine(distinct, 'a value is listed twice')

/** Conditions by names that stand elsewhere in the policy. */
export const nameConditions = {
  roles: namesOf('roles', 'a role', NAMES_MAX).optional(),
  tags: namesOf('tags', 'a tag', NAMES_MAX).optional(),
  requesters: namesOf('requesters', 'the name of a requester', REQUESTERS_MAX).optional(),
}

/** What the policy says of its keys. */
export const keyLabels = z
  .array(
    z
      .strictObject({ id: name('a key id'), role: name('a role').optional(), tags: namesOf('tags', 'a tag', TAGS_MAX).default([]) })
      .transform((label): KeyLabel => label),
    '"keys" is a list of mappings of id, role and tags',
  )
  .min(1, 'an empty list: leave "keys" out when no key has a role or tags')
  .max(RULE_LIST_MAX, `more than ${RULE_LIST_MAX} keys`)
  .refine((all) => distinct(all.map((k) => k.id)), 'a key is listed twice')

type Names = { readonly [K in keyof typeof nameConditions]?: readonly string[] | undefined }

/** What is named by a rule and stands nowhere: mistyped, it would make an allow rule that never holds, or a deny rule. */
export function unknownNames(when: Names, { requesters = [], keys = [] }: Pick<Policy, 'requesters' | 'keys'>): readonly NameProblem[] {
  const known = {
    roles: new Set(keys.map((k) => k.role)),
    tags: new Set(keys.flatMap((k) => k.tags)),
    requesters: new Set(requesters.map((r) => r.name)),
  }
  const said = { roles: 'no key has role', tags: 'no key has tag', requesters: 'the policy has no requester' }
  const fields = ['roles', 'tags', 'requesters'] as const
  return fields.flatMap((field) =>
    (when[field] ?? []).filter((n) => !known[field].has(n)).map((n) => ({ field, message: `${said[field]} "${n}"` })),
  )
}

export interface NameProblem {
  readonly field: keyof Names
  readonly message: string
}
