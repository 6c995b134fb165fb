import { ConclaveError, equalBytes, type PartyId, verifyIdentity } from '@conclave/core'
import { certificateHash, type Identities, isCertified } from '@conclave/mpc'
import type { KeyVault, SealContext } from '@conclave/vault'
import { type Attestation, decode, encode, KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import type { OpenedRecord } from '../sessions/job.ts'
import type { Store } from './store.ts'
import { Turns } from './turns.ts'

export interface NodeScope {
  /** 32 bytes, hex. */
  readonly clusterId: string
  readonly nodeName: string
  readonly clusterContext: Uint8Array
  readonly identities: Identities
}

const RECORD_VERSION = 1

/** What attestations have made of a key: `activated` is said once, by the call that did it. */
export type AttestOutcome = 'activated' | 'active' | 'pending' | 'unknown'

/**
 * The keys of this node: active ones, and pending ones whose certificate is not complete.
 *
 * A pending key is never erased on hearsay: once this node has attested, the others may hold the complete certificate, and erasing
 * the share here could make the key unusable. It turns active when every attestation is known, whoever brings them.
 */
export class KeyStore {
  readonly #store: Store
  readonly #vault: KeyVault
  readonly #scope: NodeScope
  readonly #active = new Map<string, StoredKey>()
  readonly #pending = new Map<string, PendingKey>()
  /** Attestations come from several peers at once; each write is made from what the last one left. */
  readonly #turns = new Turns()

  private constructor(store: Store, vault: KeyVault, scope: NodeScope) {
    this.#store = store
    this.#vault = vault
    this.#scope = scope
  }

  static async open(store: Store, vault: KeyVault, scope: NodeScope): Promise<KeyStore> {
    const keys = new KeyStore(store, vault, scope)
    for (const { key, value } of await store.list('key')) keys.#active.set(key, decode(StoredKey, value))
    for (const { key, value } of await store.list('pending-key')) keys.#pending.set(key, decode(PendingKey, value))
    return keys
  }

  active(): readonly KeyPublic[] {
    return [...this.#active.values()].map((k) => k.certificate.key)
  }

  pending(): readonly PendingKey[] {
    return [...this.#pending.values()]
  }

  has(keyId: string): 'active' | 'pending' | undefined {
    return this.#active.has(keyId) ? 'active' : this.#pending.has(keyId) ? 'pending' : undefined
  }

  /** @throws {ConclaveError} UNKNOWN_KEY. */
  get(keyId: string): KeyPublic {
    const key = this.#active.get(keyId)
    if (key === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no key "${keyId}"`)
    return key.certificate.key
  }

  hashOf(key: KeyPublic): Uint8Array {
    return certificateHash(key)
  }

  /** The committee of a key, active or pending; none of an unknown one. */
  partiesOf(keyId: string): readonly PartyId[] {
    return (this.#active.get(keyId)?.certificate ?? this.#pending.get(keyId))?.key.parties ?? []
  }

  /** Every attestation that this node knows of a key, active or pending. */
  attestationsOf(keyId: string): { readonly hash: Uint8Array; readonly attestations: readonly Attestation[] } | undefined {
    const certificate = this.#active.get(keyId)?.certificate ?? this.#pending.get(keyId)
    return certificate === undefined ? undefined : { hash: this.hashOf(certificate.key), attestations: certificate.attestations }
  }

  /**
   * Seals and stores a new share before anything about it is said.
   *
   * @param share - the secret is wiped by the caller.
   * @throws {ConclaveError} KEY_EXISTS.
   */
  async savePending(share: OpenedRecord): Promise<void> {
    const key = decode(KeyPublic, share.public)
    const sealed = await this.#vault.seal(this.#contextOf(key), share.secret)
    await this.#turns.take(async () => {
      // A share that is on the disk is never written over: its key may be in use.
      if (this.has(key.keyId) !== undefined) throw new ConclaveError('KEY_EXISTS', `key "${key.keyId}" exists already`)
      await this.#putPending({ key, sealed, attestations: [] })
    })
  }

  /**
   * Adds verified attestations of a pending key; invalid ones are ignored. Activates the key when all are there.
   *
   * @param hash - of the certificate that they attest; of another one they change nothing.
   */
  attest(keyId: string, hash: Uint8Array, attestations: readonly Attestation[]): Promise<AttestOutcome> {
    return this.#turns.take(async () => {
      const pending = this.#pending.get(keyId)
      if (pending === undefined || !equalBytes(this.hashOf(pending.key), hash)) return this.has(keyId) ?? 'unknown'
      const news = this.#newsIn(pending, hash, attestations)
      if (news.length === 0) return 'pending'
      const merged = [...pending.attestations, ...news].sort((a, b) => a.party - b.party)
      if (isCertified(pending.key, merged, this.#scope.identities)) {
        await this.#activate({ certificate: { key: pending.key, attestations: merged }, sealed: pending.sealed })
        return 'activated'
      }
      await this.#putPending({ ...pending, attestations: merged })
      return 'pending'
    })
  }

  /** Opens the share of an active key; the caller wipes `secret`. @throws {ConclaveError} UNKNOWN_KEY; {VaultError}. */
  async openShare(keyId: string): Promise<OpenedRecord> {
    const stored = this.#active.get(keyId)
    if (stored === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no key "${keyId}"`)
    using secret = await this.#vault.open(this.#contextOf(stored.certificate.key), stored.sealed)
    return { public: encode(KeyPublic, stored.certificate.key), secret: Uint8Array.from(secret.bytes) }
  }

  /** Valid attestations of parties whose attestation is not known yet; one look per party, because looking is expensive. */
  #newsIn(pending: PendingKey, hash: Uint8Array, attestations: readonly Attestation[]): readonly Attestation[] {
    const seen = new Set(partiesOf(pending.attestations))
    return attestations.filter((a) => {
      const identity = this.#scope.identities.get(a.party)
      if (seen.has(a.party) || !pending.key.parties.includes(a.party) || identity === undefined) return false
      seen.add(a.party)
      return verifyIdentity(identity, hash, a.signature)
    })
  }

  async #activate(stored: StoredKey): Promise<void> {
    const { keyId } = stored.certificate.key
    await this.#store.apply([
      { put: 'key', key: keyId, value: encode(StoredKey, stored) },
      { del: 'pending-key', key: keyId },
    ])
    this.#active.set(keyId, stored)
    this.#pending.delete(keyId)
  }

  #contextOf(key: KeyPublic): SealContext {
    const { clusterId, nodeName } = this.#scope
    return { clusterId, nodeId: nodeName, recordType: 'key-share', keyId: key.keyId, epoch: key.epoch, version: RECORD_VERSION }
  }

  async #putPending(pending: PendingKey): Promise<void> {
    await this.#store.apply([{ put: 'pending-key', key: pending.key.keyId, value: encode(PendingKey, pending) }])
    this.#pending.set(pending.key.keyId, pending)
  }
}

/** Attestations as a set of parties. */
export const partiesOf = (attestations: readonly Attestation[]): ReadonlySet<PartyId> => new Set(attestations.map((a) => a.party))
