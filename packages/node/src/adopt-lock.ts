import {
  type ClusterLock,
  ConfigError,
  clusterContext,
  type IdentityKey,
  identitiesOf,
  type Journal,
  lockHash,
  type NodeMember,
  sameIdentity,
  toHex,
} from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { NodeScope } from './store/key-store.ts'
import { LockStore } from './store/lock-store.ts'
import type { Store } from './store/store.ts'

/** The node of that name, whose identity it must be. @throws {ConfigError} NOT_A_MEMBER, WRONG_IDENTITY. */
export function memberOf(lock: ClusterLock, name: string, identity: IdentityKey): NodeMember {
  const self = lock.nodes.find((n) => n.name === name)
  if (self === undefined) throw new ConfigError('NOT_A_MEMBER', `"${name}" is not a node of the cluster lock`)
  if (!sameIdentity(self.identity, identity))
    throw new ConfigError('WRONG_IDENTITY', `the identity key is not that of ${name} in the cluster lock`)
  return self
}

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
