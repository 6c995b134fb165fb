import { type ClusterLock, ConclaveError, equalBytes, identitiesOf, type PartyId } from '@conclave/core'
import { certificateHash, type Identities, isCertified } from '@conclave/mpc'
import type { KeyVault, RecordShelf } from '@conclave/vault'
import { type Attestation, decode, EPOCHS_MAX, encode, type KeyCertificate, KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import type { OpenedRecord } from '../sessions/job.ts'
import { type EraserParts, eraseAll, eraseBelow } from './key-eraser.ts'
import {
  type Attested,
  attestationsIn,
  type Epochs,
  keepsQuorum,
  newsIn,
  partiesIn,
  recordKey,
  shareContext,
  standingIn,
} from './key-records.ts'
import { type KeyRules, NO_RULES } from './key-rules.ts'
import { keyShelf } from './key-shelf.ts'
import type { Change, Store } from './store.ts'
import { Turns } from './turns.ts'
import { Underway } from './underway.ts'

export interface NodeScope {
  /** 32 bytes, hex. */
  readonly clusterId: string
  readonly nodeName: string
  readonly clusterContext: Uint8Array
  readonly identities: Identities
  /** Peer ids of the lock in force, by index. */
  readonly peerIds: ReadonlyMap<PartyId, string>
  /** The lock, in force or older, that a cluster context is of: what was made under it is verified with its identities. */
  lockOf(clusterContext: Uint8Array): ClusterLock | undefined
  /** Every cluster lock that this node has lived under, oldest first, the present one last. */
  readonly locks: readonly ClusterLock[]
}

/** What attestations have made of an epoch: `activated` is said once, by the call that did it. */
export type AttestOutcome = 'activated' | 'active' | 'pending' | 'unknown'

/**
 * The key shares of this node, by key and epoch.
 *
 * A share is on the disk before this node attests it, and from then on is never erased on hearsay: the others may hold the complete
 * certificate. Whoever brings the missing attestations turns it active. Of several certified epochs the highest counts, at every
 * node, so nodes that hold the same certificates agree whatever order they came in.
 */
export class KeyStore {
  readonly #store: Store
  readonly #vault: KeyVault
  readonly #scope: NodeScope
  readonly #rules: KeyRules
  readonly #keys = new Map<string, Epochs>()
  /** Attestations come from several peers at once; each write is made from what the last one left. */
  readonly #turns = new Turns()
  readonly #underway = new Underway()

  private constructor(store: Store, vault: KeyVault, scope: NodeScope, rules: KeyRules) {
    this.#store = store
    this.#vault = vault
    this.#scope = scope
    this.#rules = rules
  }

  static async open(store: Store, vault: KeyVault, scope: NodeScope, rules: KeyRules = NO_RULES): Promise<KeyStore> {
    const keys = new KeyStore(store, vault, scope, rules)
    for (const { value } of await store.list('key')) {
      const stored = decode(StoredKey, value)
      const { keyId, epoch } = stored.certificate.key
      keys.#epochs(keyId).certified.set(epoch, stored)
    }
    for (const { value } of await store.list('pending-key')) {
      const pending = decode(PendingKey, value)
      keys.#epochs(pending.key.keyId).pending.set(pending.key.epoch, pending)
    }
    return keys
  }

  /** Every key that this node has a record of. */
  ids(): readonly string[] {
    return [...this.#keys.keys()]
  }

  /** The active epoch of every key. */
  active(): readonly KeyPublic[] {
    return this.ids().flatMap((keyId) => this.#active(keyId)?.certificate.key ?? [])
  }

  pending(): readonly PendingKey[] {
    return [...this.#keys.values()].flatMap((k) => [...k.pending.values()])
  }

  has(keyId: string): 'active' | 'pending' | undefined {
    if (this.#active(keyId) !== undefined) return 'active'
    return this.#keys.has(keyId) ? 'pending' : undefined
  }

  /** The active epoch. @throws {ConclaveError} UNKNOWN_KEY. */
  get(keyId: string): KeyPublic {
    const key = this.#active(keyId)
    if (key === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no key "${keyId}"`)
    return key.certificate.key
  }

  /** The epoch that counted before the active one; undefined when its share is gone. */
  before(keyId: string): KeyPublic | undefined {
    const [active, ...others] = this.#standing(keyId)
    return others.find((s) => s.certificate.key.epoch < (active?.certificate.key.epoch ?? 0))?.certificate.key
  }

  /** Epochs of which a share is here, beside the active one. */
  others(keyId: string): { readonly certified: readonly number[]; readonly pending: readonly number[] } {
    const epochs = this.#keys.get(keyId)
    const active = this.#active(keyId)?.certificate.key.epoch
    return { certified: [...(epochs?.certified.keys() ?? [])].filter((e) => e !== active), pending: [...(epochs?.pending.keys() ?? [])] }
  }

  /** A certified epoch whose share is still here, and whether this node has seen it sign. */
  certified(keyId: string, epoch: number): { readonly certificate: KeyCertificate; readonly proved: boolean } | undefined {
    return this.#keys.get(keyId)?.certified.get(epoch)
  }

  /** The highest epoch that this node has a share of, certified or not; undefined when it has none. */
  prepared(keyId: string): number | undefined {
    const epochs = this.#keys.get(keyId)
    return epochs === undefined ? undefined : Math.max(...epochs.certified.keys(), ...epochs.pending.keys())
  }

  /** Whether there is anything below or above the active epoch. */
  isSettled(keyId: string): boolean {
    const epochs = this.#keys.get(keyId)
    return epochs === undefined || (epochs.pending.size === 0 && epochs.certified.size === 1)
  }

  /** The parties of every epoch of a key that this node knows. */
  partiesOf(keyId: string): readonly PartyId[] {
    return partiesIn(this.#keys.get(keyId))
  }

  /** Attestations that may be news to others: of the active epoch and of the latest pending ones above it, as many as a word holds. */
  attestationsOf(keyId: string): readonly Attested[] {
    return attestationsIn(this.#active(keyId)?.certificate, [...(this.#keys.get(keyId)?.pending.values() ?? [])])
  }

  /**
   * Seals and stores a new share before anything about it is said.
   *
   * @param share - the secret is wiped by the caller.
   * @throws {ConclaveError} KEY_EXISTS, EPOCH_SPENT, EPOCHS_FULL.
   */
  async savePending(share: OpenedRecord): Promise<void> {
    const key = decode(KeyPublic, share.public)
    await this.#underway.run(async () => {
      const sealed = await this.#vault.seal(shareContext(this.#scope, key), share.secret)
      await this.#turns.take(async () => {
        this.checkFree(key.keyId, key.origin === 'create' ? undefined : key.epoch)
        const first = this.#keys.has(key.keyId) ? undefined : this.#rules.first(key.keyId)
        await this.#putPending({ key, sealed, attestations: [] }, first?.change)
        first?.written()
      })
    })
  }

  /** The sealed shares, of every key and epoch. */
  shelf(): RecordShelf {
    return keyShelf({ ...this.#parts, underway: this.#underway, contextOf: (key) => shareContext(this.#scope, key) })
  }

  /**
   * Whether a new share may be stored: a record that is on the disk is never written over, its key may be in use.
   *
   * @param epoch - undefined for a new key.
   * @throws {ConclaveError} KEY_EXISTS, EPOCH_SPENT, EPOCHS_FULL, KEY_ARCHIVED, KEY_DESTROYED.
   */
  checkFree(keyId: string, epoch: number | undefined): void {
    this.#rules.requireShares(keyId)
    const prepared = this.prepared(keyId)
    if (prepared === undefined) return
    if (epoch === undefined) throw new ConclaveError('KEY_EXISTS', `key "${keyId}" exists already`)
    if (epoch <= prepared)
      throw new ConclaveError('EPOCH_SPENT', `epoch ${prepared} of key "${keyId}" was prepared already: choose a higher one`, {
        retriable: true,
      })
    // Counted by lock: whoever keeps its attestations back is put out by the next one, and the key must then be free to go on.
    const open = this.pending().filter((p) => p.key.keyId === keyId && equalBytes(p.key.clusterContext, this.#scope.clusterContext))
    if (open.length >= EPOCHS_MAX)
      throw new ConclaveError('EPOCHS_FULL', `key "${keyId}" has ${EPOCHS_MAX} epochs that were prepared and never settled`)
  }

  /**
   * Adds verified attestations of a pending epoch; invalid ones are ignored. Certifies it when all are there.
   *
   * @param hash - of the certificate that they attest; of another one they change nothing.
   */
  attest(keyId: string, hash: Uint8Array, attestations: readonly Attestation[]): Promise<AttestOutcome> {
    return this.#turns.take(async () => {
      const epochs = this.#keys.get(keyId)
      const pending = [...(epochs?.pending.values() ?? [])].find((p) => equalBytes(certificateHash(p.key), hash))
      if (pending === undefined) {
        const known = [...(epochs?.certified.values() ?? [])].some((s) => equalBytes(certificateHash(s.certificate.key), hash))
        return known ? 'active' : (this.has(keyId) ?? 'unknown')
      }
      const identities = this.identitiesFor(pending.key)
      const news = newsIn(pending, hash, attestations, identities)
      if (news.length === 0) return 'pending'
      const merged = [...pending.attestations, ...news].sort((a, b) => a.party - b.party)
      if (isCertified(pending.key, merged, identities)) {
        await this.#certify({ certificate: { key: pending.key, attestations: merged }, sealed: pending.sealed, proved: false })
        return 'activated'
      }
      await this.#putPending({ ...pending, attestations: merged })
      return 'pending'
    })
  }

  /** Opens the share of a certified epoch; the caller wipes `secret`. @throws {ConclaveError} UNKNOWN_KEY, STALE_EPOCH; {VaultError}. */
  async openShare(keyId: string, epoch: number): Promise<OpenedRecord> {
    const stored = this.#keys.get(keyId)?.certified.get(epoch)
    if (stored === undefined) {
      const code = this.#active(keyId) === undefined ? 'UNKNOWN_KEY' : 'STALE_EPOCH'
      throw new ConclaveError(code, `this node has no share of key "${keyId}" in epoch ${epoch}`, { retriable: code === 'STALE_EPOCH' })
    }
    using secret = await this.#vault.open(shareContext(this.#scope, stored.certificate.key), stored.sealed)
    return { public: encode(KeyPublic, stored.certificate.key), secret: Uint8Array.from(secret.bytes) }
  }

  /** A signature under this epoch has verified here. @returns whether that is news. */
  prove(keyId: string, epoch: number): Promise<boolean> {
    return this.#turns.take(async () => {
      const stored = this.#keys.get(keyId)?.certified.get(epoch)
      if (stored === undefined || stored.proved) return false
      const proved = { ...stored, proved: true }
      await this.#store.apply([{ put: 'key', key: recordKey(keyId, epoch), value: encode(StoredKey, proved) }])
      this.#epochs(keyId).certified.set(epoch, proved)
      return true
    })
  }

  /**
   * Erases every share of epochs below `epoch`, certified or not; whether that is safe is the caller's judgement. The share of
   * `epoch` itself must be here. @returns the epochs that went.
   */
  eraseBelow(keyId: string, epoch: number): Promise<readonly number[]> {
    return eraseBelow(this.#parts, keyId, epoch)
  }

  /** Erases every share of a key, of all epochs, together with `change`. @returns the epochs that went. */
  erase(keyId: string, change: (epochs: readonly number[]) => Change): Promise<readonly number[]> {
    return eraseAll(this.#parts, keyId, change)
  }

  /** Who attested a certificate: the identities of the lock that it was made under. */
  identitiesFor(key: Pick<KeyPublic, 'clusterContext'>): Identities {
    if (equalBytes(key.clusterContext, this.#scope.clusterContext)) return this.#scope.identities
    const lock = this.#scope.lockOf(key.clusterContext)
    return lock === undefined ? new Map() : identitiesOf(lock)
  }

  get #parts(): EraserParts {
    return { store: this.#store, turns: this.#turns, keys: this.#keys }
  }

  #epochs(keyId: string): Epochs {
    const known = this.#keys.get(keyId) ?? { certified: new Map(), pending: new Map() }
    this.#keys.set(keyId, known)
    return known
  }

  #active(keyId: string): StoredKey | undefined {
    return this.#standing(keyId)[0]
  }

  /**
   * Certified epochs, the one that counts first: the highest that can still sign. A certificate that was kept back until fewer parties
   * than its threshold are left must not take the place of one that works, and the lock tells every node the same.
   */
  #standing(keyId: string): readonly StoredKey[] {
    return standingIn(this.#keys.get(keyId), (key) => keepsQuorum(key, this.identitiesFor(key), this.#scope.identities))
  }

  async #certify(stored: StoredKey): Promise<void> {
    const { keyId, epoch } = stored.certificate.key
    const key = recordKey(keyId, epoch)
    await this.#store.apply([
      { put: 'key', key, value: encode(StoredKey, stored) },
      { del: 'pending-key', key },
    ])
    this.#epochs(keyId).certified.set(epoch, stored)
    this.#epochs(keyId).pending.delete(epoch)
  }

  async #putPending(pending: PendingKey, also?: Change): Promise<void> {
    const { keyId, epoch } = pending.key
    const put: Change = { put: 'pending-key', key: recordKey(keyId, epoch), value: encode(PendingKey, pending) }
    await this.#store.apply(also === undefined ? [put] : [put, also])
    this.#epochs(keyId).pending.set(epoch, pending)
  }
}
