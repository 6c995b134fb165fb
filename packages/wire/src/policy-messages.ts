/** Policies that their authors have signed: policy.proto. */
import { AUTHORS_MAX, YAML_CHARS_MAX } from '@conclave/core'
import { bytes, bytesBetween, list, message, number, text, type ValueOf } from './schema.ts'

const HASH = bytes(32)

export const PolicySignature = message('PolicySignature', { author: text(32), signature: bytes(64) })
export const SignedPolicy = message('SignedPolicy', {
  sequence: number(),
  policyHash: HASH,
  text: bytesBetween(1, YAML_CHARS_MAX),
  signatures: list(PolicySignature, AUTHORS_MAX),
})
export const PolicyGossip = message('PolicyGossip', { sequence: number(), hash: HASH, policies: list(SignedPolicy, 1) })
export const StoredPolicy = message('StoredPolicy', { policy: SignedPolicy, at: bytes(8) })

export type PolicyGossip = ValueOf<typeof PolicyGossip>
export type StoredPolicy = ValueOf<typeof StoredPolicy>
