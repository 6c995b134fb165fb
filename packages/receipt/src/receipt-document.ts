import {
  canonicalJson,
  type JsonValue,
  ML_DSA_65_KEY_BYTES,
  ML_DSA_65_SIGNATURE_BYTES,
  messageOf,
  PARTIES_MAX,
  parseCanonicalJson,
  utf8,
} from '@conclave/core'
import { RULES_MAX } from '@conclave/policy'
import { z } from 'zod'
import { refuse } from './receipt-error.ts'

export const RECEIPT_FORMAT = 'conclave-receipt/1'
/** Of a whole one; of what one node says, which has to fit a frame, half of it. */
export const RECEIPT_BYTES_MAX = 4 * 1024 * 1024
export const RECEIPT_PART_BYTES_MAX = RECEIPT_BYTES_MAX / 2

const SIGNATURES_MAX = 32
const APPROVALS_MAX = 64
const PEOPLE_MAX = 256
/** One verdict, the approvals, the beginning and the end of a session. */
const ENTRIES_MAX = APPROVALS_MAX + 3
const PROOF_HASHES_MAX = 40
const ENTRY_CHARS_MAX = 32 * 1024
const NOTE_CHARS_MAX = 128 * 1024
const SUMMARY_LINES_MAX = 4096
const SUMMARY_CHARS_MAX = 256 * 1024
const LABELS_MAX = 10_000

const hex = (min: number, max = min) =>
  z
    .string()
    .regex(/^([0-9a-f]{2})*$/, 'not lower-case hexadecimal')
    .min(2 * min, 'too short')
    .max(2 * max, 'too long')
const whole = z.int().min(0)
const index = z.int().min(1).max(PARTIES_MAX)
const text = (max: number) => z.string().min(1).max(max)
const NAME = text(63)

const Item = z.strictObject({
  payload: hex(1, 128 * 1024),
  summary: z
    .array(z.strictObject({ label: z.string().max(SUMMARY_CHARS_MAX), value: z.string().max(SUMMARY_CHARS_MAX) }))
    .max(SUMMARY_LINES_MAX),
})
/** What a platform signed beside what the statement says already. */
const SignedRequest = z.strictObject({ paths: z.array(text(128)).min(1).max(SIGNATURES_MAX), signature: hex(64) })
const Passkey = z.strictObject({
  webauthn: z.strictObject({ algorithm: z.enum(['ES256', 'Ed25519']), publicKey: hex(32, 33), rpId: text(253), origin: text(272) }),
})
const ShownRequester = z.strictObject({ name: NAME, key: hex(32) })
const ShownApprover = z.strictObject({
  id: NAME,
  groups: z.array(NAME).max(16),
  keys: z
    .array(z.union([text(80), Passkey]))
    .min(1)
    .max(8),
  pq: hex(ML_DSA_65_KEY_BYTES).optional(),
})
const Policy = z.strictObject({
  rules: z.array(hex(32)).max(RULES_MAX),
  requesters: z
    .array(z.union([hex(32), ShownRequester]))
    .max(PEOPLE_MAX)
    .nullable(),
  approvers: z
    .array(z.union([hex(32), ShownApprover]))
    .max(PEOPLE_MAX)
    .nullable(),
  labels: z.array(hex(32)).max(LABELS_MAX).nullable(),
})
const Approval = z.strictObject({
  approver: NAME,
  atMs: whole,
  signature: hex(1, 72),
  authenticatorData: hex(1, 512).optional(),
  clientData: hex(1, 1024).optional(),
  pq: hex(ML_DSA_65_SIGNATURE_BYTES).optional(),
})
const Certificate = z.strictObject({
  keyId: NAME,
  origin: text(16),
  epoch: whole,
  previousEpoch: whole,
  previous: hex(0, 32),
  threshold: index,
  parties: z.array(index).min(2).max(PARTIES_MAX),
  dealers: z.array(index).min(2).max(PARTIES_MAX),
  publicKey: hex(33),
  chainCode: hex(32),
  publicShares: z.array(hex(33)).max(PARTIES_MAX),
  nonce: hex(32),
  sidParts: z.array(hex(32)).max(PARTIES_MAX),
  transcript: hex(32),
  clusterContext: hex(32),
  attestations: z.array(z.strictObject({ party: index, signature: hex(1, 72) })).max(PARTIES_MAX),
})
const Signature = z.strictObject({ path: text(128), publicKey: hex(33), digest: hex(32), signature: hex(64) })
const Entry = z.strictObject({ index: whole, text: text(ENTRY_CHARS_MAX), proof: z.array(hex(32)).max(PROOF_HASHES_MAX) })
const NodeRecord = z.strictObject({ node: text(32), checkpoint: text(NOTE_CHARS_MAX), entries: z.array(Entry).max(ENTRIES_MAX) })

const Document = z.strictObject({
  format: z.literal(RECEIPT_FORMAT),
  statement: hex(1, 8192),
  items: z.array(Item).min(1).max(SIGNATURES_MAX),
  request: SignedRequest.nullable(),
  policy: Policy,
  approvals: z.array(Approval).max(APPROVALS_MAX),
  key: Certificate,
  signatures: z.array(Signature).max(SIGNATURES_MAX),
  nodes: z.array(NodeRecord).min(1).max(PARTIES_MAX),
})

/** A receipt as it stands in its file: bytes are lower-case hexadecimal. Nothing in it is believed yet. */
export type ReceiptDocument = z.infer<typeof Document>
export type ReceiptCertificate = ReceiptDocument['key']
export type ReceiptPolicy = ReceiptDocument['policy']
export type ReceiptApproval = ReceiptDocument['approvals'][number]
export type ReceiptNode = ReceiptDocument['nodes'][number]
export type ReceiptApprover = Exclude<NonNullable<ReceiptPolicy['approvers']>[number], string>
export type ReceiptRequester = Exclude<NonNullable<ReceiptPolicy['requesters']>[number], string>

/** The one form of a receipt: canonical JSON (RFC 8785). @throws {ReceiptError} RECEIPT_TOO_LARGE. */
export function encodeReceipt(receipt: ReceiptDocument, bytesMax = RECEIPT_BYTES_MAX): Uint8Array {
  const bytes = utf8(canonicalJson(receipt as unknown as JsonValue))
  if (bytes.length > bytesMax) refuse('RECEIPT_TOO_LARGE', `it would have more than ${bytesMax} bytes`)
  return bytes
}

/** R1: what {@link encodeReceipt} makes and nothing else. @throws {ReceiptError} RECEIPT_TOO_LARGE, RECEIPT_MALFORMED. */
export function parseReceipt(bytes: Uint8Array): ReceiptDocument {
  if (bytes.length > RECEIPT_BYTES_MAX) refuse('RECEIPT_TOO_LARGE', `longer than ${RECEIPT_BYTES_MAX} bytes`)
  let value: JsonValue
  try {
    value = parseCanonicalJson(bytes)
  } catch (cause) {
    refuse('RECEIPT_MALFORMED', messageOf(cause), cause)
  }
  const parsed = Document.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  refuse('RECEIPT_MALFORMED', `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not valid'}`)
}
