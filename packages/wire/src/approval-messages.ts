/** Approvals, as people give them and as nodes pass them on: approval.proto. */
import { ML_DSA_65_SIGNATURE_BYTES } from '@conclave/core'
import { bytes, bytesBetween, bytesOrEmpty, flag, list, message, text, type ValueOf } from './schema.ts'

/** That a node keeps of one request. */
export const APPROVALS_MAX = 64
/** In one frame of gossip. */
export const APPROVALS_TOLD_MAX = 32

const HASH = bytes(32)

export const Approval = message('Approval', {
  requestId: HASH,
  statement: HASH,
  approves: flag,
  approver: text(63),
  at: bytes(8),
  signature: bytesBetween(1, 72),
  authenticatorData: bytesBetween(0, 512),
  clientData: bytesBetween(0, 1024),
  pq: bytesOrEmpty(ML_DSA_65_SIGNATURE_BYTES),
})
export const ApprovalTaken = message('ApprovalTaken', { isNew: flag })
export const ApprovalGossip = message('ApprovalGossip', {
  approvals: list(Approval, APPROVALS_TOLD_MAX),
  asks: list(HASH, APPROVALS_TOLD_MAX),
})
export const StoredApprovals = message('StoredApprovals', {
  requestId: HASH,
  expiresAt: bytes(8),
  approvals: list(Approval, APPROVALS_MAX),
})

export type Approval = ValueOf<typeof Approval>
export type ApprovalGossip = ValueOf<typeof ApprovalGossip>
export type StoredApprovals = ValueOf<typeof StoredApprovals>
