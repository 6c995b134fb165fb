import { AUTHORS_MAX, fromHex, InvalidArgument, YAML_CHARS_MAX } from '@conclave/core'
import { z } from 'zod'
import { parse } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { PolicyKeeper } from './policy-keeper.ts'

/** A policy in Base64, and what is said of it. */
export const POLICY_BODY_BYTES_MAX = 2 * YAML_CHARS_MAX

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^([0-9a-f]{2}){${bytes}}$`), `must be ${bytes} bytes in lower-case hexadecimal`)
    .transform((text) => fromHex(text))

/** Bytes of a policy file, in Base64. */
export const PolicyBytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))

const Submitted = z.strictObject({
  sequence: z.int().min(1).max(0xffffffff),
  policyHash: hex(32),
  text: PolicyBytes,
  signatures: z.array(z.strictObject({ author: z.string().min(1).max(32), signature: hex(64) })).max(AUTHORS_MAX),
})

/** What an operator asks of policies. */
export function policyRoutes(policies: PolicyKeeper): readonly AdminRoute[] {
  return [
    { method: 'GET', path: /^\/v1\/policy$/, handle: async () => policies.status() },
    { method: 'GET', path: /^\/v1\/policy\/text$/, handle: async () => policies.text() },
    {
      method: 'POST',
      path: /^\/v1\/policy:submit$/,
      bodyBytesMax: POLICY_BODY_BYTES_MAX,
      handle: async (_, body) => {
        const signed = parse(Submitted, body)
        if (signed.text.length < 1 || signed.text.length > YAML_CHARS_MAX)
          throw new InvalidArgument('BAD_BODY', `a policy has 1 to ${YAML_CHARS_MAX} bytes`)
        return { isNew: await policies.submit(signed), status: policies.status() }
      },
    },
  ]
}
