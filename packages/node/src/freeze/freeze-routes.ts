import { FREEZE_SCOPE_CHARS_MAX, fromHex } from '@conclave/core'
import { timeBytes } from '@conclave/wire'
import { z } from 'zod'
import { parse, Reason } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { FreezeKeeper } from './freeze-keeper.ts'

const Scope = z.string().min(1).max(FREEZE_SCOPE_CHARS_MAX)
const Here = z.strictObject({ scope: Scope, reason: Reason })
const Signed = z.strictObject({
  ...{ scope: Scope, reason: Reason, atMs: z.int().min(0) },
  by: z.string().regex(/^approver:[a-z0-9][a-z0-9-]{0,62}$/, 'must be approver: and an id'),
  signature: z
    .string()
    .regex(/^([0-9a-f]{2}){1,72}$/, 'must be lower-case hexadecimal')
    .transform((text) => fromHex(text)),
})
const Thawing = z.strictObject({ reason: Reason })

/** What an operator or an approver asks of freezes. */
export function freezeRoutes(freezes: FreezeKeeper): readonly AdminRoute[] {
  return [
    { method: 'GET', path: /^\/v1\/freezes$/, handle: async () => ({ freezes: freezes.list() }) },
    {
      method: 'POST',
      path: /^\/v1\/freezes$/,
      handle: (_, body) => {
        const { scope, reason } = parse(Here, body)
        return freezes.freezeHere(scope, reason)
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/freezes:signed$/,
      handle: (_, body) => {
        const { atMs, ...word } = parse(Signed, body)
        return freezes.freeze({ ...word, at: timeBytes(atMs) })
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/freezes\/([0-9a-f]{64}):thaw$/,
      handle: ([id = ''], body) => freezes.thawHere(id, parse(Thawing, body).reason),
    },
  ]
}
