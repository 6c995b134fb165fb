import { AUTHORS_MAX, fromHex, InvalidArgument, parseKeyId, parsePath, YAML_CHARS_MAX } from '@conclave/core'
import { type Policy, parsePolicy, policyText } from '@conclave/policy'
import { PAYLOAD_BYTES_MAX } from '@conclave/wire'
import { z } from 'zod'
import { parse } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { PolicyKeeper } from './policy-keeper.ts'
import type { PolicyTrials } from './policy-trials.ts'

/** A policy and a payload in Base64, and what is said of them. */
export const POLICY_BODY_BYTES_MAX = 2 * (YAML_CHARS_MAX + PAYLOAD_BYTES_MAX)

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^([0-9a-f]{2}){${bytes}}$`), `must be ${bytes} bytes in lower-case hexadecimal`)
    .transform((text) => fromHex(text))

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))

const Submitted = z.strictObject({
  sequence: z.int().min(1).max(0xffffffff),
  policyHash: hex(32),
  text: base64,
  signatures: z.array(z.strictObject({ author: z.string().min(1).max(32), signature: hex(64) })).max(AUTHORS_MAX),
})

const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and "-"')
const Time = z.int().min(0)

const Simulated = z.strictObject({
  keyId: z.string(),
  path: z.string().max(128).default('m'),
  payloadType: z.string().max(32),
  payload: base64,
  requester: Name.optional(),
  approvedBy: z.array(Name).max(64).default([]),
  atMs: Time.optional(),
  policy: base64.optional(),
})
const Replayed = z.strictObject({
  policy: base64,
  fromMs: Time,
  toMs: Time,
  after: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default(''),
})

/** @throws {ConfigError} BAD_POLICY. */
const policyOf = (bytes: Uint8Array): Policy => parsePolicy(policyText(bytes))

/** What an operator asks of policies. */
export function policyRoutes(policies: PolicyKeeper, trials: Pick<PolicyTrials, 'simulate' | 'replay'>): readonly AdminRoute[] {
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
    {
      method: 'POST',
      path: /^\/v1\/policy:simulate$/,
      bodyBytesMax: POLICY_BODY_BYTES_MAX,
      handle: async (_, body) => {
        const { keyId, path, policy, requester, atMs, ...rest } = parse(Simulated, body)
        const trial = { ...rest, keyId: parseKeyId(keyId), path: parsePath(path), requester, atMs }
        return trials.simulate(trial, policy === undefined ? undefined : policyOf(policy))
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/policy:replay$/,
      bodyBytesMax: POLICY_BODY_BYTES_MAX,
      handle: (_, body) => {
        const { policy, ...asked } = parse(Replayed, body)
        return trials.replay({ ...asked, policy: policyOf(policy) })
      },
    },
  ]
}
