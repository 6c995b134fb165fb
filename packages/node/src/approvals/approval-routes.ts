import { fromHex, ML_DSA_65_SIGNATURE_BYTES } from '@conclave/core'
import { z } from 'zod'
import { parse } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { ApprovalDesk } from './approval-desk.ts'
import { wireApproval } from './wire-approval.ts'

const hex = (min: number, max = min) =>
  z
    .string()
    .regex(/^([0-9a-f]{2})*$/, 'must be lower-case hexadecimal')
    .min(2 * min)
    .max(2 * max)
    .transform((text) => fromHex(text))

const Word = {
  statement: hex(32),
  decision: z.enum(['approve', 'reject']),
  approver: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the id of an approver'),
}
const Pq = hex(ML_DSA_65_SIGNATURE_BYTES)
const Signed = z.strictObject({ ...Word, atMs: z.int().min(0), signature: hex(1, 72), pq: Pq.optional() })
/** An ML-DSA signature is of a time that its signer has chosen. */
const Here = z.strictObject({ ...Word, second: z.strictObject({ atMs: z.int().min(0), pq: Pq }).optional() })

/** What an operator asks of the requests that wait for people. */
export function approvalRoutes(desk: ApprovalDesk): readonly AdminRoute[] {
  return [
    { method: 'GET', path: /^\/v1\/inbox$/, handle: async () => ({ requests: await desk.inbox() }) },
    { method: 'GET', path: /^\/v1\/requests\/([0-9a-f]{64})$/, handle: ([id = '']) => desk.show(fromHex(id)) },
    {
      method: 'POST',
      path: /^\/v1\/requests\/([0-9a-f]{64})\/approvals$/,
      handle: async ([id = ''], body) => {
        const { signature, ...word } = parse(Signed, body)
        return { isNew: await desk.submit(wireApproval(fromHex(id), { ...word, evidence: { signature } })) }
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/requests\/([0-9a-f]{64}):decide$/,
      handle: async ([id = ''], body) => {
        const { second, ...word } = parse(Here, body)
        return { isNew: await desk.signHere(fromHex(id), word, second) }
      },
    },
  ]
}
