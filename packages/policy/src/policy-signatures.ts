import { ConfigError, fromHex, messageOf, toHex } from '@conclave/core'
import { z } from 'zod'
import type { PolicySignature } from './signed-policy.ts'

const FORMAT = 'conclave-policy-signatures/1'
/** As many as a cluster has authors. */
const SIGNATURES_MAX = 16

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^([0-9a-f]{2}){${bytes}}$`), `must be ${bytes} bytes in lower-case hexadecimal`)
    .transform((text) => fromHex(text))

const file = z.strictObject({
  format: z.literal(FORMAT),
  clusterId: hex(32),
  sequence: z.int().min(1).max(0xffffffff),
  policyHash: hex(32),
  textHash: hex(32),
  signatures: z.array(z.strictObject({ author: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/), signature: hex(64) })).max(SIGNATURES_MAX),
})

/** The file beside a policy that gathers what its authors signed. */
export interface PolicySignatures {
  readonly clusterId: Uint8Array
  readonly sequence: number
  readonly policyHash: Uint8Array
  readonly textHash: Uint8Array
  readonly signatures: readonly PolicySignature[]
}

/** @param name - of the file, for messages. @throws {ConfigError} BAD_POLICY_SIGNATURES naming the field. */
export function parsePolicySignatures(text: string, name: string): PolicySignatures {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('BAD_POLICY_SIGNATURES', `${name} is not JSON: ${messageOf(cause)}`, {}, cause)
  }
  const parsed = file.safeParse(value)
  if (parsed.success) {
    const { format: _, ...signatures } = parsed.data
    return signatures
  }
  const [issue] = parsed.error.issues
  throw new ConfigError('BAD_POLICY_SIGNATURES', `${name}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not valid'}`)
}

/** `parsePolicySignatures` gives it back. */
export function formatPolicySignatures({ clusterId, sequence, policyHash, textHash, signatures }: PolicySignatures): string {
  const body = {
    ...{ format: FORMAT, clusterId: toHex(clusterId), sequence, policyHash: toHex(policyHash), textHash: toHex(textHash) },
    signatures: signatures.map(({ author, signature }) => ({ author, signature: toHex(signature) })),
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
