import { type ClusterLock, clusterContext, identitiesOf, type Journal, lockHash, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { NodeScope } from './store/key-store.ts'
import { LockStore } from './store/lock-store.ts'
import type { Store } from './store/store.ts'

export interface AdoptLockParts {
  readonly lock: ClusterLock
  /** Of this node. */
  readonly name: string
  readonly store: Store
  readonly abandonedKeys?: readonly string[]
  readonly log: Logger
}

/**
 * Makes the lock the one in force, durably, and says what this node's records are bound to under it.
 *
 * @throws what {@link LockStore.adopt} throws; {ConclaveError} AUDIT_UNAVAILABLE.
 */
export async function adoptLock({ lock, name, store, abandonedKeys, log }: AdoptLockParts, journal: Journal): Promise<NodeScope> {
  const locks = await LockStore.open(store)
  const adopted = await locks.adopt(lock, abandonedKeys)
  if (adopted !== 'same') {
    const details = { version: lock.version, hash: toHex(lockHash(lock)) }
    log.info(details, 'cluster lock adopted')
    await journal.record({ kind: 'lock.adopted', details })
  }
  return {
    clusterId: lock.clusterId,
    nodeName: name,
    clusterContext: clusterContext(lock),
    identities: identitiesOf(lock),
    peerIds: new Map(lock.nodes.map((n) => [n.index, n.peerId])),
    lockOf: (context) => locks.lockOf(context),
    locks: [...locks.older, lock],
  }
}
