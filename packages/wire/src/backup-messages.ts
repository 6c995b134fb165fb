/** The public parts of a backup, and what a node's store says of its backups; backup.proto. */
import { ERASURE_BYTES_MAX, PARTIES_MAX } from '@conclave/core'
import { CertificateAnswer, KEYS_MAX, KeyCertificate, LOCK_BYTES_MAX } from './messages.ts'
import { bytes, bytesBetween, list, message, number, text, type ValueOf } from './schema.ts'
import { StoredBurn, StoredKeyLife, StoredPairEpoch } from './store-messages.ts'

export const CUSTODIANS_MAX = 16
/** The longest recipient: one of a post-quantum kind. */
export const RECIPIENT_CHARS_MAX = 4096
/** Of one age file that holds a piece. */
export const PIECE_FILE_BYTES_MAX = 16 * 1024
/** Locks that one node has lived under. */
const LOCK_HISTORY_MAX = 256
/** Bans outlive the locks that they were made under. */
const BURNS_MAX = 1024
/** Keys whose phase is known: destroyed ones stay for ever. */
const LIVES_MAX = 16 * 1024
const SEALED_BYTES_MAX = 24 * 1024 * 1024
const HEADER_BYTES_MAX = 1024 * 1024
const HASH = bytes(32)
const KEY_ID = text(63)
const NAME = text(32)

export const BackupFile = message('BackupFile', {
  header: bytesBetween(1, HEADER_BYTES_MAX),
  iv: bytes(12),
  sealed: bytesBetween(17, SEALED_BYTES_MAX),
  pieces: list(bytesBetween(1, PIECE_FILE_BYTES_MAX), CUSTODIANS_MAX, 2),
  signature: bytesBetween(1, 72),
})
export const BackupCustodian = message('BackupCustodian', { name: NAME, recipient: text(RECIPIENT_CHARS_MAX), commitment: HASH })
export const BackupKey = message('BackupKey', { keyId: KEY_ID, epoch: number(), certificateHash: HASH })
export const BackupHeader = message('BackupHeader', {
  format: text(32),
  backupId: HASH,
  clusterId: HASH,
  node: NAME,
  index: number(PARTIES_MAX),
  identityType: text(16),
  identityKey: bytesBetween(32, 65),
  lockVersion: number(),
  lockHash: HASH,
  createdAt: bytes(8),
  required: number(CUSTODIANS_MAX),
  custodians: list(BackupCustodian, CUSTODIANS_MAX, 2),
  keys: list(BackupKey, KEYS_MAX, 1),
})
export const BackupState = message('BackupState', {
  certificates: list(KeyCertificate, KEYS_MAX, 1),
  locks: list(bytesBetween(1, LOCK_BYTES_MAX), LOCK_HISTORY_MAX, 1),
  burns: list(StoredBurn, BURNS_MAX),
  pairEpochs: list(StoredPairEpoch, PARTIES_MAX),
  lives: list(StoredKeyLife, LIVES_MAX),
  erasures: list(bytesBetween(1, ERASURE_BYTES_MAX), LIVES_MAX),
})
export const KnownEpochs = message('KnownEpochs', { certificates: list(CertificateAnswer, KEYS_MAX) })
export const StoredBackup = message('StoredBackup', { keyId: KEY_ID, epoch: number(), at: bytes(8), backupId: HASH })
export const StoredRestore = message('StoredRestore', { keyId: KEY_ID, epoch: number(), madeAt: bytes(8), backupId: HASH })

export type BackupFile = ValueOf<typeof BackupFile>
export type BackupHeader = ValueOf<typeof BackupHeader>
export type BackupState = ValueOf<typeof BackupState>
export type KnownEpochs = ValueOf<typeof KnownEpochs>
export type StoredBackup = ValueOf<typeof StoredBackup>
export type StoredRestore = ValueOf<typeof StoredRestore>
