/** What a custodian does on their own machine: with their age identity, and without an HSM or a node. */
import { readFile } from 'node:fs/promises'
import { type ClusterLock, equalBytes, messageOf, wipe } from '@conclave/core'
import { newIdentityFile, openWith, parseIdentities, sealTo } from './age-file.ts'
import { BackupError } from './backup-error.ts'
import { BACKUP_BYTES_MAX, type Backup, type BackupSummary, checkOwner, parseBackup, summaryOf } from './backup-file.ts'
import { readLimited, writeNew } from './disk.ts'
import { parsePiece, pieceCommitment } from './piece.ts'

const IDENTITY_CHARS_MAX = 64 * 1024

/** Reads a backup and, given a lock, checks that it is of one of its nodes. @throws {BackupError}. */
export async function readBackup(file: string, lock?: ClusterLock): Promise<Backup> {
  const backup = parseBackup(await readLimited(file, BACKUP_BYTES_MAX))
  if (lock !== undefined) checkOwner(backup, lock)
  return backup
}

/** Makes an identity file. @returns its recipient, for the settings of nodes. @throws {BackupError} BACKUP_EXISTS, BACKUP_NOT_WRITTEN. */
export async function makeIdentityFile(out: string): Promise<string> {
  const { text, recipient } = await newIdentityFile()
  await writeNew(out, new TextEncoder().encode(text))
  return recipient
}

export interface PieceOpening {
  readonly file: string
  readonly identityFile: string
  /** The one-time recipient of the node that restores or drills. */
  readonly to: string
  readonly out: string
  readonly lock?: ClusterLock
  /** Asked once it is known what the piece opens and whose it is; nothing is opened unless the answer is yes. */
  confirm(what: BackupSummary, custodian: string): Promise<boolean>
}

async function readIdentities(file: string) {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new BackupError('BACKUP_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  }
  if (text.length > IDENTITY_CHARS_MAX) throw new BackupError('BAD_AGE_IDENTITY', `${file} is too long for an identity file`)
  return parseIdentities(text)
}

/**
 * Opens one's own piece of a backup and encrypts it to the one-time recipient. In between it is in the memory of this process only.
 *
 * @returns whose piece it was; undefined when `confirm` said no.
 * @throws {BackupError} BACKUP_UNREADABLE, BAD_BACKUP, BACKUP_TAMPERED, BACKUP_FOREIGN, BAD_AGE_IDENTITY, NOT_A_CUSTODIAN, PIECE_WRONG,
 * BAD_RECIPIENT, BACKUP_EXISTS, BACKUP_NOT_WRITTEN.
 */
export async function openPiece({ file, identityFile, to, out, lock, confirm }: PieceOpening): Promise<string | undefined> {
  const { header, file: backup, identity } = await readBackup(file, lock)
  const identities = await readIdentities(identityFile)
  const place = header.custodians.findIndex((c) => identities.some(({ recipient }) => recipient === c.recipient))
  const custodian = header.custodians[place]
  if (custodian === undefined)
    throw new BackupError('NOT_A_CUSTODIAN', `none of the custodians of this backup has an identity of ${identityFile}`)
  // To nobody: a mistyped recipient is found before anything is opened.
  await sealTo(to, new Uint8Array(0))
  if (!(await confirm(summaryOf({ header, file: backup, identity }), custodian.name))) return undefined
  const piece = await openWith(
    identities.map((i) => i.identity),
    backup.pieces[place] as Uint8Array,
  )
  if (piece === undefined) throw new BackupError('PIECE_WRONG', `the piece of ${custodian.name} cannot be opened with this identity`)
  try {
    if (parsePiece(piece)?.place !== place || !equalBytes(pieceCommitment(piece), custodian.commitment))
      throw new BackupError('PIECE_WRONG', `what ${custodian.name} was given is not a piece of this backup`)
    await writeNew(out, await sealTo(to, piece))
  } finally {
    wipe(piece)
  }
  return custodian.name
}

/**
 * Writes a custodian's piece as the age file that it is, still closed, for an age program that can use hardware:
 * `age -d -i key piece.age | age -r <recipient>` does what {@link openPiece} does.
 *
 * @throws {BackupError} BACKUP_UNREADABLE, BAD_BACKUP, BACKUP_TAMPERED, NOT_A_CUSTODIAN, BACKUP_EXISTS, BACKUP_NOT_WRITTEN.
 */
export async function extractPiece(file: string, custodian: string, out: string): Promise<BackupSummary> {
  const backup = await readBackup(file)
  const place = backup.header.custodians.findIndex((c) => c.name === custodian)
  if (place < 0) throw new BackupError('NOT_A_CUSTODIAN', `this backup has no custodian "${custodian}"`)
  await writeNew(out, backup.file.pieces[place] as Uint8Array)
  return summaryOf(backup)
}
