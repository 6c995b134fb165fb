import { codeOf, toHex } from '@conclave/core'
import type { KeyVault, SealContext } from '@conclave/vault'
import { decode, encode, StoredBackup, StoredRestore } from '@conclave/wire'
import type { Change, Store } from '../store/store.ts'
import { ONE_TIME_SECRET_BYTES, type OneTimeKey, oneTimeKey } from './age-file.ts'
import { decodeTime, encodeTime } from './backup-file.ts'

/** What a node's store says of its backups. */
export interface BackupMark {
  readonly keyId: string
  readonly epoch: number
  readonly atMs: number
  /** 32 bytes. */
  readonly backupId: Uint8Array
}

const MADE = 'made/'
const RESTORED = 'restored/'
const ONE_TIME = 'one-time'
/** Restores that the journal has been told of. */
const TOLD = 'told/'

/** Of a one-time key: it belongs to a node and no cluster, as a node that is being restored has none yet. */
const oneTimeContext = (nodeName: string): SealContext => ({
  clusterId: '00'.repeat(32),
  nodeId: nodeName,
  recordType: 'backup-key',
  keyId: 'one-time',
  epoch: 0,
  version: 1,
})

export const putMade = ({ keyId, epoch, atMs, backupId }: BackupMark): Change => ({
  put: 'backup',
  key: MADE + keyId,
  value: encode(StoredBackup, { keyId, epoch, at: encodeTime(atMs), backupId }),
})

/** @param mark - `atMs` is when the backup was made. */
export const putRestored = ({ keyId, epoch, atMs, backupId }: BackupMark): Change => ({
  put: 'backup',
  key: RESTORED + keyId,
  value: encode(StoredRestore, { keyId, epoch, madeAt: encodeTime(atMs), backupId }),
})

export const dropOneTimeKey: Change = { del: 'backup', key: ONE_TIME }

/** The KEK that it was sealed under was rotated away since: nobody seals a one-time key again, it is begun anew. */
const GONE: ReadonlySet<string> = new Set(['KEK_DESTROYED', 'KEY_MISSING'])

/** The one-time key that the last `begin` has left, if there is one that still opens. @throws {VaultError}. */
export async function readOneTimeKey(store: Store, vault: KeyVault, nodeName: string): Promise<OneTimeKey | undefined> {
  const sealed = await store.get('backup', ONE_TIME)
  if (sealed === undefined) return undefined
  try {
    using secret = await vault.open(oneTimeContext(nodeName), sealed)
    return await oneTimeKey(secret.bytes)
  } catch (error) {
    if (GONE.has(codeOf(error))) return undefined
    throw error
  }
}

/** The one-time key that is there, or a new one, sealed and stored. @throws {VaultError}; {StoreError}. */
export async function beginOneTimeKey(store: Store, vault: KeyVault, nodeName: string): Promise<OneTimeKey> {
  const known = await readOneTimeKey(store, vault, nodeName)
  if (known !== undefined) return known
  const secret = await vault.random(ONE_TIME_SECRET_BYTES)
  try {
    const key = await oneTimeKey(secret)
    await store.apply([{ put: 'backup', key: ONE_TIME, value: await vault.seal(oneTimeContext(nodeName), secret) }])
    return key
  } finally {
    secret.fill(0)
  }
}

/** The last backup of each key that this node has made, and the shares that came from one. */
export class BackupMarks {
  readonly #store: Store
  readonly #made = new Map<string, BackupMark>()
  readonly #restored = new Map<string, BackupMark>()
  readonly #told = new Set<string>()

  private constructor(store: Store) {
    this.#store = store
  }

  /** @throws {StoreError}; {WireError}. */
  static async open(store: Store): Promise<BackupMarks> {
    const marks = new BackupMarks(store)
    for (const { key, value } of await store.list('backup')) {
      if (key.startsWith(MADE)) {
        const { at, ...rest } = decode(StoredBackup, value)
        marks.#made.set(rest.keyId, { ...rest, atMs: decodeTime(at) })
      } else if (key.startsWith(RESTORED)) {
        const { madeAt, ...rest } = decode(StoredRestore, value)
        marks.#restored.set(rest.keyId, { ...rest, atMs: decodeTime(madeAt) })
      } else if (key.startsWith(TOLD)) marks.#told.add(key.slice(TOLD.length))
    }
    return marks
  }

  made(keyId: string): BackupMark | undefined {
    return this.#made.get(keyId)
  }

  /** Where the share of this epoch came from, if it came from a backup. */
  restored(keyId: string, epoch: number): BackupMark | undefined {
    const mark = this.#restored.get(keyId)
    return mark?.epoch === epoch ? mark : undefined
  }

  /** Backups that shares of this node came from, and that {@link told} has not been called for yet: the restored keys of each. */
  untold(): ReadonlyMap<string, readonly BackupMark[]> {
    const untold = new Map<string, BackupMark[]>()
    for (const mark of this.#restored.values()) {
      const id = toHex(mark.backupId)
      if (!this.#told.has(id)) untold.set(id, [...(untold.get(id) ?? []), mark])
    }
    return untold
  }

  /** @param backupId - hex. @throws {StoreError}. */
  async told(backupId: string): Promise<void> {
    await this.#store.apply([{ put: 'backup', key: TOLD + backupId, value: Uint8Array.of(1) }])
    this.#told.add(backupId)
  }

  /** @throws {StoreError}. */
  async note(marks: readonly BackupMark[]): Promise<void> {
    await this.#store.apply(marks.map(putMade))
    for (const mark of marks) this.#made.set(mark.keyId, mark)
  }
}
