import { clusterContext, identitiesOf, type Journal, lockHash, toHex } from '@conclave/core'
import { shelfOf } from '@conclave/vault'
import { BackupMarks } from './backup/backup-store.ts'
import { refuseOldRecords } from './hsm-admin.ts'
import { logJournal } from './log-journal.ts'
import type { NodeParts } from './node.ts'
import { KeyLives } from './store/key-lives.ts'
import { KeyStore, type NodeScope } from './store/key-store.ts'
import { LockStore } from './store/lock-store.ts'
import { PairStore } from './store/pair-store.ts'

/** What a node keeps on its disk, and whom it is for. */
export interface NodeStores {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly pairs: PairStore
  readonly marks: BackupMarks
  readonly lives: KeyLives
  readonly journal: Journal
}

type Parts = Pick<NodeParts, 'lock' | 'name' | 'store' | 'vault' | 'log' | 'clock' | 'journal' | 'abandonedKeys' | 'explicitActivation'>

/**
 * Adopts the lock and opens the stores. Nothing is done under a new lock before it is on the disk.
 *
 * @throws {ConfigError} what {@link LockStore.adopt} throws; {StoreError}; {VaultError} KEK_DESTROYED on an old copy of the disk.
 */
export async function openStores(parts: Parts): Promise<NodeStores> {
  const { lock, name, store, vault, clock, log, journal = logJournal(log) } = parts
  const locks = await LockStore.open(store)
  const adopted = await locks.adopt(lock, parts.abandonedKeys)
  if (adopted !== 'same') log.info({ version: lock.version, hash: toHex(lockHash(lock)) }, 'cluster lock adopted')
  const scope: NodeScope = {
    clusterId: lock.clusterId,
    nodeName: name,
    clusterContext: clusterContext(lock),
    identities: identitiesOf(lock),
    peerIds: new Map(lock.nodes.map((n) => [n.index, n.peerId])),
    lockOf: (context) => locks.lockOf(context),
    locks: [...locks.older, lock],
  }
  const lives = await KeyLives.open(store)
  const keys = await KeyStore.open(store, vault, scope, {
    requireShares: (keyId) => lives.requireShares(keyId),
    first: (keyId) => (parts.explicitActivation === true ? lives.provisioned(keyId, clock.nowMs()) : undefined),
  })
  const pairs = await PairStore.open(store, vault, scope)
  await refuseOldRecords(vault, shelfOf([keys.shelf(), pairs.shelf()]))
  return { scope, keys, pairs, lives, journal, marks: await BackupMarks.open(store) }
}
