import {
  type ClusterLock,
  ConfigError,
  checkSuccessor,
  clusterContext,
  equalBytes,
  formatLock,
  lockHash,
  messageOf,
  nodeOf,
  nodeWith,
  parseLock,
  toHex,
  utf8,
  verifyLock,
} from '@conclave/core'
import { decode, type KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import { type Store, StoreError } from './store.ts'

/** Wide enough for every version, so that keys sort as numbers do. */
const VERSION_DIGITS = 10

/** Sorts by version. */
export const lockKey = (lock: ClusterLock): string => String(lock.version).padStart(VERSION_DIGITS, '0')

function readStored(key: string, value: Uint8Array): ClusterLock {
  try {
    return parseLock(JSON.parse(new TextDecoder().decode(value)))
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `the cluster lock of version ${key} in the store cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Every lock that this node has run under, oldest first; the last one is in force.
 *
 * The first lock is its operator's word. From then on only the next version gets in, approved by a quorum of the one in force: a file
 * that was put in the node's directory changes nothing by itself.
 */
export class LockStore {
  readonly #store: Store
  readonly #history: ClusterLock[]
  readonly #byContext: Map<string, ClusterLock>

  private constructor(store: Store, history: ClusterLock[]) {
    this.#store = store
    this.#history = history
    this.#byContext = new Map(history.map((lock) => [toHex(clusterContext(lock)), lock]))
  }

  /** @throws {StoreError} STORE_CORRUPT. */
  static async open(store: Store): Promise<LockStore> {
    const entries = await store.list('lock')
    return new LockStore(
      store,
      entries.map(({ key, value }) => readStored(key, value)),
    )
  }

  /** The lock in force; none before the first `adopt`. */
  get present(): ClusterLock | undefined {
    return this.#history.at(-1)
  }

  /** Locks before the one in force, oldest first: with it they are what `verifyLockChain` takes. */
  get older(): readonly ClusterLock[] {
    return this.#history.slice(0, -1)
  }

  /** The lock that a cluster context is of, among those that this node has run under. */
  lockOf(context: Uint8Array): ClusterLock | undefined {
    return this.#byContext.get(toHex(context))
  }

  /**
   * Makes `lock` the one in force, durably, or finds that it is already. A lock that would lose a key of this node is refused, unless
   * its operator has given that key up: otherwise whoever holds a part of any key could not be put out against its will.
   *
   * @param abandoned - ids of the keys that are given up.
   * @throws {ConfigError} LOCK_UNSIGNED, LOCK_LOSES_KEY, and everything that `checkSuccessor` throws; {StoreError}.
   */
  async adopt(lock: ClusterLock, abandoned: readonly string[] = []): Promise<'first' | 'same' | 'next'> {
    const { present } = this
    if (present === undefined) verifyLock(lock)
    else if (present.version === lock.version && equalBytes(lockHash(present), lockHash(lock))) return 'same'
    else {
      checkSuccessor(present, lock)
      for (const key of await liveKeys(this.#store)) if (!abandoned.includes(key.keyId)) this.#checkKey(lock, key)
    }
    await this.#store.apply([{ put: 'lock', key: lockKey(lock), value: utf8(formatLock(lock)) }])
    this.#history.push(lock)
    this.#byContext.set(toHex(clusterContext(lock)), lock)
    return present === undefined ? 'first' : 'next'
  }

  /**
   * A committee changes over several locks, and a key may need more signers than a lock asks for: who stays must be able to deal the
   * key on, and all who left since it was dealt must not be able to sign.
   */
  #checkKey(lock: ClusterLock, { keyId, threshold, parties, clusterContext: context }: KeyPublic): void {
    const made = this.lockOf(context)
    const stays = parties.filter((j) => {
      const identity = made === undefined ? undefined : nodeOf(made, j)?.identity
      return identity !== undefined && nodeWith(lock, identity) !== undefined
    })
    if (stays.length >= threshold && parties.length - stays.length < threshold) return
    throw new ConfigError(
      'LOCK_LOSES_KEY',
      `key "${keyId}" needs ${threshold} of ${parties.length} parties, and under this lock ${stays.length} of them stay: reshare it before more leave`,
      { keyId },
    )
  }
}

/**
 * The active epoch of every key, and the prepared ones above it: one of those may come true at any time, by an attestation that
 * somebody held back. The key store itself opens only under a lock.
 */
async function liveKeys(store: Store): Promise<readonly KeyPublic[]> {
  const active = new Map<string, KeyPublic>()
  for (const { value } of await store.list('key')) {
    const { key } = decode(StoredKey, value).certificate
    if ((active.get(key.keyId)?.epoch ?? -1) < key.epoch) active.set(key.keyId, key)
  }
  const prepared = (await store.list('pending-key')).map(({ value }) => decode(PendingKey, value).key)
  return [...active.values(), ...prepared.filter(({ keyId, epoch }) => epoch > (active.get(keyId)?.epoch ?? epoch))]
}
