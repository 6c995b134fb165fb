import { ConclaveError } from '@conclave/core'

/**
 * The log cannot be written, or is not what it should be. Codes: AUDIT_UNAVAILABLE (retriable: the disk refuses), AUDIT_DAMAGED,
 * BAD_ENTRY, BAD_NOTE, BAD_CHECKPOINT, BAD_PROOF, BAD_PACK, BAD_SOURCE.
 */
export class AuditError extends ConclaveError {}

/** What is on the disk contradicts itself. Never repaired silently: it may be the trace of somebody. */
export function damaged(message: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_DAMAGED', `audit log: ${message}`, cause === undefined ? {} : { cause })
}
