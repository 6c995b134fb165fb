export { AuditError } from './audit-error.ts'
export {
  type Checkpoint,
  type CheckpointKeys,
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  originOf,
  parseCheckpoint,
} from './checkpoint.ts'
export { type AuditEntry, ENTRY_BYTES_MAX, encodeEntry, entryText, parseEntry } from './entry.ts'
export type { Finding } from './findings.ts'
export { keysFromLocks } from './lock-keys.ts'
export { AuditLog } from './log.ts'
export { type LogReport, type VerifyOptions, verifyDirectory } from './verify-dir.ts'
export { verifySource } from './verify-source.ts'
