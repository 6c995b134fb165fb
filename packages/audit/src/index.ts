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
export { LogFiles } from './disk.ts'
export { type AuditEntry, ENTRY_BYTES_MAX, encodeEntry, entryText, parseEntry } from './entry.ts'
export type { Finding } from './findings.ts'
export { httpSource } from './http-source.ts'
export { keysFromLocks } from './lock-keys.ts'
export { AuditLog } from './log.ts'
export { LogView } from './log-view.ts'
export { leafHash, verifyInclusion } from './merkle.ts'
export { ML_DSA_SEED_BYTES, MlDsaSigner } from './ml-dsa.ts'
export { formatNote, formatSignatureLine, fromBase64, type Note, parseNote, parseSignatureLine, toBase64 } from './note.ts'
export { cosignText, mlDsaVerifier, signText } from './note-keys.ts'
export { type PackReport, rangeOf, verifyPack, writePack } from './pack.ts'
export { publishedFile } from './published.ts'
export { logServer } from './serve.ts'
export type { LogFilesReader } from './tree-walk.ts'
export { type LogReport, type VerifyOptions, verifyDirectory } from './verify-dir.ts'
export { verifySource } from './verify-source.ts'
export { judgeCheckpoint } from './witness.ts'
