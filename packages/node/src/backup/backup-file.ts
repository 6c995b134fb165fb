/** What anybody may read of a backup, and whether it is what its node has signed. */
import {
  type ClusterLock,
  ConclaveError,
  equalBytes,
  type IdentityKey,
  lockHash,
  nodeOf,
  PARTIES_MAX,
  parseIdentityKey,
  parseKeyId,
  sameIdentity,
  tagged,
  toHex,
  u32,
  verifyIdentity,
} from '@conclave/core'
import { BackupFile, BackupHeader, decode } from '@conclave/wire'
import { isRecipient } from './age-file.ts'
import { BackupError } from './backup-error.ts'

export const BACKUP_FORMAT = 'conclave-backup/1'
export const BACKUP_BYTES_MAX = 32 * 1024 * 1024
export const REQUIRED_MIN = 2

/** A backup whose parts fit each other and whose signature verifies under the identity that it names. */
export interface Backup {
  readonly header: BackupHeader
  readonly file: BackupFile
  readonly identity: IdentityKey
}

/** Of a backup, for a person and for programs; nothing secret. */
export interface BackupSummary {
  readonly backupId: string
  readonly clusterId: string
  readonly node: string
  readonly index: number
  readonly identity: { readonly type: string; readonly publicKey: string }
  readonly lock: { readonly version: number; readonly hash: string }
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly required: number
  readonly custodians: readonly string[]
  readonly keys: readonly { readonly keyId: string; readonly epoch: number }[]
}

/** Milliseconds since the epoch as they stand in files: 8 bytes, big-endian. */
export function encodeTime(ms: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(ms))
  return out
}

export function decodeTime(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}

/** The last millisecond that a date of JavaScript can be. */
const TIME_MAX = 8.64e15

/** What the identity key of the node signs: every byte of the file but the signature. */
export const backupMessage = ({ header, iv, sealed, pieces }: Omit<BackupFile, 'signature'>): Uint8Array =>
  tagged('backup-file', header, iv, sealed, u32(pieces.length), ...pieces)

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

function isFormed({ format, node, index, required, custodians, keys, createdAt }: BackupHeader, pieces: number): boolean {
  const names = custodians.map((c) => c.name)
  const recipients = custodians.map((c) => c.recipient)
  const isSet = (list: readonly string[]) => new Set(list).size === list.length
  return (
    format === BACKUP_FORMAT &&
    NAME.test(node) &&
    index >= 1 &&
    index <= PARTIES_MAX &&
    pieces === custodians.length &&
    required >= REQUIRED_MIN &&
    required <= custodians.length &&
    names.every((n) => NAME.test(n)) &&
    isSet(names) &&
    isSet(recipients) &&
    recipients.every(isRecipient) &&
    keys.every(({ keyId }, i) => parseKeyId(keyId) !== '' && (i === 0 || (keys[i - 1]?.keyId ?? '') < keyId)) &&
    decodeTime(createdAt) <= TIME_MAX
  )
}

/**
 * Reads a backup and checks all that can be checked without a custodian: its form, and the signature under the identity that it names.
 * Whose identity that is, only a cluster lock says: {@link checkOwner}.
 *
 * @throws {BackupError} BAD_BACKUP, BACKUP_TAMPERED.
 */
export function parseBackup(bytes: Uint8Array): Backup {
  let backup: Backup
  try {
    const file = decode(BackupFile, bytes)
    const header = decode(BackupHeader, file.header)
    backup = { header, file, identity: parseIdentityKey(header.identityType, header.identityKey) }
    if (!isFormed(header, file.pieces.length)) throw new BackupError('BAD_BACKUP', 'its parts do not fit each other')
  } catch (cause) {
    if (!(cause instanceof ConclaveError)) throw cause
    throw new BackupError('BAD_BACKUP', `this is not a backup of a node, or not whole: ${cause.message}`, { cause })
  }
  if (!verifyIdentity(backup.identity, backupMessage(backup.file), backup.file.signature))
    throw new BackupError('BACKUP_TAMPERED', 'this backup is not as its node signed it: some of its bytes were changed')
  return backup
}

/**
 * Whether the backup is of the node that the lock names, made under that lock or, if the node still had its identity, another version.
 *
 * @throws {BackupError} BACKUP_FOREIGN.
 */
export function checkOwner({ header, identity }: Backup, lock: ClusterLock): void {
  const foreign = (why: string): never => {
    throw new BackupError('BACKUP_FOREIGN', `this backup is not of a node of cluster lock version ${lock.version}: ${why}`)
  }
  if (toHex(header.clusterId) !== lock.clusterId) foreign('it is of another cluster')
  const member = nodeOf(lock, header.index)
  if (member?.name !== header.node) foreign(`there, no node ${header.node} has index ${header.index}`)
  else if (!sameIdentity(member.identity, identity)) foreign(`there, ${header.node} has another identity than the one that signed it`)
}

/** @throws {BackupError} BACKUP_OTHER_LOCK, BACKUP_FOREIGN. */
export function checkMadeUnder(backup: Backup, lock: ClusterLock): void {
  const { lockVersion, lockHash: hash } = backup.header
  if (!equalBytes(lockHash(lock), hash))
    throw new BackupError('BACKUP_OTHER_LOCK', `this backup was made under lock version ${lockVersion} with hash ${toHex(hash)}`)
  checkOwner(backup, lock)
}

export function summaryOf({ header, identity }: Backup): BackupSummary {
  const { backupId, clusterId, node, index, lockVersion, lockHash: hash, createdAt, required, custodians, keys } = header
  return {
    ...{ backupId: toHex(backupId), clusterId: toHex(clusterId), node, index, required },
    identity: { type: identity.type, publicKey: toHex(identity.publicKey) },
    lock: { version: lockVersion, hash: toHex(hash) },
    createdAt: new Date(decodeTime(createdAt)).toISOString(),
    custodians: custodians.map((c) => c.name),
    keys: keys.map(({ keyId, epoch }) => ({ keyId, epoch })),
  }
}
