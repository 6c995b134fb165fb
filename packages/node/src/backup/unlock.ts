/** From what the custodians have opened to the shares: in memory, in one place, for a drill or a restore. */
import { type ClusterLock, equalBytes, wipe } from '@conclave/core'
import { PIECE_FILE_BYTES_MAX } from '@conclave/wire'
import { type OneTimeKey, openWith } from './age-file.ts'
import { BackupError } from './backup-error.ts'
import { type Backup, checkMadeUnder } from './backup-file.ts'
import { type OpenState, openState } from './backup-state.ts'
import { joinKey, type Piece, parsePiece, pieceCommitment } from './piece.ts'

/** A piece that its custodian has encrypted anew, to the one-time key. */
export interface PieceFile {
  /** For messages. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Unlocking {
  readonly backup: Backup
  /** The lock that it was made under, as this operator knows it. */
  readonly lock: ClusterLock
  readonly pieces: readonly PieceFile[]
  /** Asked for when everything else is in order. */
  oneTimeKey(): Promise<OneTimeKey>
}

export interface Unlocked {
  readonly open: OpenState
  /** Whose pieces were used. */
  readonly custodians: readonly string[]
}

async function openPiece({ header }: Backup, { name, bytes }: PieceFile, key: OneTimeKey): Promise<Piece> {
  const opened = bytes.length > PIECE_FILE_BYTES_MAX ? undefined : await openWith([key.identity], bytes)
  if (opened === undefined)
    throw new BackupError('PIECE_SEALED', `${name} is damaged, or was opened for another recipient than ${key.recipient}`, {
      details: { name },
    })
  try {
    const piece = parsePiece(opened)
    if (piece === undefined) throw new BackupError('PIECE_WRONG', `${name} is not a piece of a backup`, { details: { name } })
    if (!equalBytes(piece.backupId, header.backupId))
      throw new BackupError('PIECE_FOREIGN', `${name} is a piece of another backup`, { details: { name } })
    const custodian = header.custodians[piece.place]
    if (custodian === undefined || !equalBytes(pieceCommitment(opened), custodian.commitment)) {
      wipe(piece.share)
      const whose = custodian === undefined ? 'nobody' : custodian.name
      throw new BackupError('PIECE_WRONG', `${name} is not the piece that ${whose} was given`, { details: { name } })
    }
    return piece
  } finally {
    wipe(opened)
  }
}

async function openPieces({ backup, pieces }: Unlocking, key: OneTimeKey, opened: Map<number, Piece>): Promise<void> {
  for (const file of pieces) {
    const piece = await openPiece(backup, file, key)
    const custodian = backup.header.custodians[piece.place]?.name ?? ''
    if (opened.has(piece.place)) {
      wipe(piece.share)
      throw new BackupError('PIECE_TWICE', `${file.name} is a second copy of the piece of ${custodian}`, { details: { name: file.name } })
    }
    opened.set(piece.place, piece)
  }
}

/**
 * Opens a backup. Nothing is decrypted before the backup is known to be of this lock and enough pieces are there; every piece must be
 * one of this backup, also those that are not needed. The caller disposes of what is open.
 *
 * @throws {BackupError} BACKUP_OTHER_LOCK, BACKUP_FOREIGN, PIECES_TOO_FEW, PIECE_SEALED, PIECE_FOREIGN, PIECE_WRONG, PIECE_TWICE,
 * BACKUP_TAMPERED, BAD_BACKUP.
 */
export async function unlockBackup(unlocking: Unlocking): Promise<Unlocked> {
  const { backup, lock, pieces } = unlocking
  const { required, custodians } = backup.header
  checkMadeUnder(backup, lock)
  if (pieces.length < required)
    throw new BackupError('PIECES_TOO_FEW', `${pieces.length} of the ${required} pieces that open this backup are here`)
  if (pieces.length > custodians.length)
    throw new BackupError('PIECE_TWICE', `${pieces.length} pieces are here, and this backup has ${custodians.length}`)
  const opened = new Map<number, Piece>()
  try {
    await openPieces(unlocking, await unlocking.oneTimeKey(), opened)
    const used = [...opened.values()].slice(0, required)
    using key = await joinKey(used)
    return { open: await openState(backup, key.bytes), custodians: [...opened.keys()].map((place) => custodians[place]?.name ?? '') }
  } finally {
    for (const { share } of opened.values()) wipe(share)
  }
}
