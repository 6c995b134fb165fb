import { type ClusterLock, ConfigError, checkSuccessor, formatLock, nodeOf, toHex, utf8 } from '@conclave/core'
import { readErasure } from '@conclave/core/erasure'
import type { KeyVault } from '@conclave/vault'
import { encode, type KeyCertificate, StoredBurn, StoredKey, StoredKeyLife, StoredPairEpoch } from '@conclave/wire'
import { recordKey, shareContext } from '../store/key-records.ts'
import { lockKey } from '../store/lock-store.ts'
import type { Change, Store } from '../store/store.ts'
import { BackupError } from './backup-error.ts'
import { type Backup, type BackupSummary, checkMadeUnder, decodeTime, summaryOf } from './backup-file.ts'
import type { OpenState } from './backup-state.ts'
import { dropOneTimeKey, putMade, putRestored, readOneTimeKey } from './backup-store.ts'
import { parseKnownEpochs } from './known-epochs.ts'
import { type PieceFile, unlockBackup } from './unlock.ts'

/** The new node that a backup is restored into: it has never run. */
export interface RestoreTarget {
  readonly name: string
  readonly vault: KeyVault
  readonly store: Store
}

export interface RestoreOrder {
  readonly backup: Backup
  readonly pieces: readonly PieceFile[]
  /** The lock that the backup was made under and every one that followed it, as far as there are some, oldest first; verified. */
  readonly locks: readonly ClusterLock[]
  /** What `conclave backup epochs` wrote at other nodes. Without it nobody can say whether the backup is stale. */
  readonly known?: readonly Uint8Array[]
  /** Keys that are not restored: their shares are recovered by a reshare. */
  readonly leaveOut?: readonly string[]
}

export interface RestoreReport extends BackupSummary {
  readonly restored: readonly { readonly keyId: string; readonly epoch: number }[]
  readonly leftOut: readonly string[]
  readonly openedBy: readonly string[]
  /** Whether certificates of other nodes have shown that no restored epoch is stale. */
  readonly isProvedCurrent: boolean
}

/** Nothing but a one-time key is there before a restore. */
async function checkEmpty(store: Store): Promise<void> {
  for (const section of ['key', 'pending-key', 'pair', 'burn', 'pair-epoch', 'request', 'lock', 'key-life', 'erasure'] as const) {
    if ((await store.list(section)).length > 0)
      throw new BackupError(
        'RESTORE_NOT_EMPTY',
        'this node has run already: a backup is restored into a new one, made by "conclave node init"',
      )
  }
}

/** The seat is still this node's, by name and index, whichever identity has it now. */
function checkSeat({ header }: Backup, name: string, lock: ClusterLock): void {
  if (header.node !== name)
    throw new BackupError(
      'BACKUP_OTHER_NODE',
      `this backup is of node ${header.node}, and this one is ${name}: its records are bound to the name`,
    )
  if (nodeOf(lock, header.index)?.name !== name)
    throw new BackupError(
      'BACKUP_FOREIGN',
      `in lock version ${lock.version}, ${name} does not have index ${header.index} that its shares are bound to`,
    )
}

/** @throws {BackupError} BACKUP_STALE naming every key that has moved on. */
function checkFresh(certificates: readonly KeyCertificate[], present: ClusterLock, known: readonly Uint8Array[]): ReadonlySet<string> {
  const epochs = new Map<string, number>()
  for (const bytes of known) {
    for (const [keyId, epoch] of parseKnownEpochs(bytes, present)) epochs.set(keyId, Math.max(epoch, epochs.get(keyId) ?? 0))
  }
  const stale = certificates.filter(({ key }) => key.epoch < (epochs.get(key.keyId) ?? 0))
  if (stale.length > 0) {
    const names = stale.map(({ key }) => `${key.keyId} (epoch ${key.epoch}, the cluster is in ${epochs.get(key.keyId)})`)
    throw new BackupError(
      'BACKUP_STALE',
      `this backup is stale for ${names.join(', ')}: leave these keys out and recover them by a reshare`,
      {
        details: { keys: stale.map(({ key }) => key.keyId) },
      },
    )
  }
  return new Set(epochs.keys())
}

async function sealedKeys(
  target: RestoreTarget,
  { header }: Backup,
  open: OpenState,
  leaveOut: readonly string[],
): Promise<readonly Change[]> {
  const scope = { clusterId: toHex(header.clusterId), nodeName: target.name }
  const changes: Change[] = []
  for (const [i, certificate] of open.certificates.entries()) {
    const { keyId, epoch } = certificate.key
    if (leaveOut.includes(keyId)) continue
    const sealed = await target.vault.seal(shareContext(scope, certificate.key), open.shareAt(i))
    const mark = { keyId, epoch, atMs: decodeTime(header.createdAt), backupId: header.backupId }
    changes.push({ put: 'key', key: recordKey(keyId, epoch), value: encode(StoredKey, { certificate, sealed, proved: false }) })
    changes.push(putMade(mark), putRestored(mark))
  }
  return changes
}

/** The KEKs of the HSM that is gone are no matter of the new one: a destruction that had not come to its end is completed with the first rotation here. */
const lifeHere = (life: StoredKeyLife): StoredKeyLife => ({ ...life, kekGeneration: 0 })

const publicRecords = ({ locks, state }: OpenState, later: readonly ClusterLock[]): readonly Change[] => [
  ...[...locks, ...later].map((lock): Change => ({ put: 'lock', key: lockKey(lock), value: utf8(formatLock(lock)) })),
  ...state.lives.map((life): Change => ({ put: 'key-life', key: life.keyId, value: encode(StoredKeyLife, lifeHere(life)) })),
  ...state.erasures.map((value): Change => ({ put: 'erasure', key: readErasure(new TextDecoder().decode(value)).keyId, value })),
  ...state.burns.map((burn): Change => ({ put: 'burn', key: burn.peerId, value: encode(StoredBurn, burn) })),
  ...state.pairEpochs.map((pair): Change => ({ put: 'pair-epoch', key: String(pair.peer), value: encode(StoredPairEpoch, pair) })),
]

/**
 * Seals what a backup holds under the HSMs of a new node, all of it in one write, and brings its history of cluster locks up to date.
 *
 * @throws {BackupError} BACKUP_OTHER_NODE, BACKUP_OTHER_LOCK, BACKUP_FOREIGN, BACKUP_STALE, RESTORE_NOT_EMPTY, NOT_BEGUN,
 * BAD_KNOWN_EPOCHS and what {@link unlockBackup} throws; {ConfigError} of the locks; {VaultError}; {StoreError}.
 */
export async function restoreBackup(target: RestoreTarget, order: RestoreOrder): Promise<RestoreReport> {
  const { backup, pieces, locks, known = [], leaveOut = [] } = order
  const [made, ...later] = locks
  const present = locks.at(-1)
  if (made === undefined || present === undefined) throw new ConfigError('LOCK_UNREADABLE', 'a restore needs the cluster lock')
  checkMadeUnder(backup, made)
  for (const [i, lock] of later.entries()) checkSuccessor(locks[i] as ClusterLock, lock)
  checkSeat(backup, target.name, present)
  const unknown = leaveOut.find((keyId) => !backup.header.keys.some((k) => k.keyId === keyId))
  if (unknown !== undefined) throw new BackupError('BAD_BACKUP', `there is no key "${unknown}" in this backup to leave out`)
  await checkEmpty(target.store)
  const oneTimeKey = async () => {
    const key = await readOneTimeKey(target.store, target.vault, target.name)
    if (key === undefined) throw new BackupError('NOT_BEGUN', 'no restore was begun: "conclave backup restore --begin" gives the recipient')
    return key
  }
  const { open, custodians } = await unlockBackup({ backup, lock: made, pieces, oneTimeKey })
  using state = open
  const wanted = state.certificates.filter(({ key }) => !leaveOut.includes(key.keyId))
  const seen = checkFresh(wanted, present, known)
  await target.store.apply([...publicRecords(state, later), ...(await sealedKeys(target, backup, state, leaveOut)), dropOneTimeKey])
  return {
    ...summaryOf(backup),
    restored: wanted.map(({ key }) => ({ keyId: key.keyId, epoch: key.epoch })),
    leftOut: [...leaveOut],
    openedBy: custodians,
    isProvedCurrent: wanted.every(({ key }) => seen.has(key.keyId)),
  }
}
