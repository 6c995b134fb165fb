import { ConclaveError } from '@conclave/core'

/**
 * A backup that is not what it should be, or cannot be made, verified or restored; nothing was changed.
 *
 * Codes: BACKUP_UNREADABLE, BACKUP_EXISTS, BACKUP_NOT_WRITTEN, BAD_BACKUP, BACKUP_TAMPERED, BACKUP_FOREIGN, BACKUP_OTHER_NODE,
 * BACKUP_OTHER_LOCK, BACKUP_STALE, BACKUP_NOT_CONFIGURED, NOTHING_TO_BACK_UP, PIECES_TOO_FEW, PIECE_SEALED, PIECE_FOREIGN, PIECE_WRONG,
 * PIECE_TWICE, BAD_RECIPIENT, BAD_AGE_IDENTITY, NOT_A_CUSTODIAN, NOT_BEGUN, RESTORE_NOT_EMPTY, BAD_KNOWN_EPOCHS.
 */
export class BackupError extends ConclaveError {}
