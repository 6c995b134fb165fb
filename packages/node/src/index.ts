export type { Readiness } from '@conclave/telemetry'
export type { AdminKey, AdminPair, AdminStatus, AdminUnlock } from './admin.ts'
export { askAdmin } from './admin-client.ts'
export type { AdminHsm } from './admin-hsm.ts'
export type { AdminRequest } from './approvals/approval-desk.ts'
export { approverSigner, makeApproverKey } from './approvals/approver-key.ts'
export { decide, readInbox, readShown, type ShownRequest } from './approvals/shown-request.ts'
export type { AdminWitnessedLog } from './audit/audit-admin.ts'
export { PQ_PUBLIC_FILE } from './audit/pq-key.ts'
export { type BackupSummary, summaryOf } from './backup/backup-file.ts'
export type { BackupCheck, DrillReport } from './backup/backup-keeper.ts'
export { extractPiece, makeIdentityFile, openPiece, readBackup } from './backup/custodian.ts'
export type { RestoreReport } from './backup/restore.ts'
export { beginRestore, restoreNode } from './backup/restore-ceremony.ts'
export { type UnbackedKey, unbackedKeys } from './backup/unbacked.ts'
export type { Checkup } from './checkup.ts'
export { type RunningNode, readLock, startNode } from './daemon.ts'
export { examine } from './doctor/doctor.ts'
export { exitCodeOf, type Report } from './doctor/finding.ts'
export { type HsmDrillReport, parseReport, verifyReport } from './drill/drill-report.ts'
export type { BegunDrill } from './drill/hsm-drill.ts'
export { askFreeze, askThaw, readFreezes } from './freeze/ask-freeze.ts'
export type { AdminFreeze } from './freeze/freeze-keeper.ts'
export type { AdminHsms, AdminKekHolder, AdminRewrap, AdminRotation } from './hsm-admin.ts'
export { type AddedHsm, addHsm, type BackupHsmPlan, destroyHsm } from './hsm-ceremonies.ts'
export { type Unlocked, unlockHsm } from './hsm-unlock.ts'
export { CARD_FILE, type ExistingHsm, initNode, type NodeCard, type NodeInit, SETTINGS_FILE } from './init.ts'
export type { AdminPhase } from './key-admin.ts'
export {
  draftLock,
  draftNextLock,
  type LockSigning,
  lockSummary,
  type NextLock,
  readDraft,
  readSuccessor,
  signLockFile,
} from './lock-ceremony.ts'
export { ApproverNode } from './node.ts'
export type { NodeParts } from './node-parts.ts'
export { VERSION } from './node-status.ts'
export {
  lockFileOf,
  type PolicyPage,
  policyPage,
  readPolicyStatus,
  replayPolicy,
  simulatePolicy,
  submitPolicy,
} from './policies/ask-policy.ts'
export type { AdminPolicy } from './policies/policy-keeper.ts'
export type { ReplayedRequest, TrialVerdict } from './policies/policy-trials.ts'
export { readSignedPolicy, signaturesFileOf, signPolicyFile } from './policies/sign-policy.ts'
export type { ProcessMeter } from './process-meter.ts'
export type { FromWorker, ToWorker } from './sessions/job.ts'
export { SessionPool } from './sessions/session-pool.ts'
export type { SessionWorker, StartWorker, WorkerEvents } from './sessions/session-worker.ts'
export { Sessions } from './sessions/worker.ts'
export { type NodeSettings, readSettings } from './settings.ts'
export { LevelStore } from './store/level-store.ts'
export { type Change, type Entry, type Page, type Section, type Store, StoreError } from './store/store.ts'
