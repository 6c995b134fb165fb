import { ConclaveError, equalBytes, type PartyId } from '@conclave/core'
import { pairId } from '@conclave/mpc'
import type { KeyVault, RecordShelf, SealContext, ShelvedRecord } from '@conclave/vault'
import { decode, encode, PairPublic, StoredBurn, StoredPair, StoredPairEpoch } from '@conclave/wire'
import type { OpenedRecord } from '../sessions/job.ts'
import type { NodeScope } from './key-store.ts'
import type { Store } from './store.ts'
import { Turns } from './turns.ts'
import { Underway } from './underway.ts'

const RECORD_VERSION = 1

/** Why a peer is banned, and since when. */
export interface Burn {
  readonly pairEpoch: number
  readonly code: string
  readonly atMs: number
  /** Of the identity that is banned. */
  readonly peerId: string
}

const eight = (n: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}

/**
 * Pair states by peer, and the peers that are banned because a check that can leak bits of the OT secret failed.
 *
 * A burn is on the disk before anybody hears of the failure, destroys the pair state, and outlives restarts. It is on an identity: the
 * same one stays banned under a later lock, and whoever takes over its seat is not. A pair state belongs to the lock under which it was
 * set up: under another one it counts as missing, because the peer counts on the
 * same. Epochs only grow, whatever is destroyed or lifted.
 */
export class PairStore {
  readonly #store: Store
  readonly #vault: KeyVault
  readonly #scope: NodeScope
  readonly #pairs = new Map<PartyId, StoredPair>()
  /** By the peer id of who is banned: a seat may be another's by now, and its former holder may come back. */
  readonly #burns = new Map<string, Burn & { readonly peer: PartyId }>()
  /** The highest epoch that a pair had when an operator reset it. */
  readonly #epochs = new Map<PartyId, number>()
  readonly #turns = new Turns()
  readonly #underway = new Underway()
  /** Counts saves by peer: however long sealing takes, an older state never replaces a newer one. */
  readonly #saves = new Map<PartyId, number>()

  private constructor(store: Store, vault: KeyVault, scope: NodeScope) {
    this.#store = store
    this.#vault = vault
    this.#scope = scope
  }

  static async open(store: Store, vault: KeyVault, scope: NodeScope): Promise<PairStore> {
    const pairs = new PairStore(store, vault, scope)
    for (const { value } of await store.list('pair')) {
      const stored = decode(StoredPair, value)
      pairs.#pairs.set(stored.pair.peer, stored)
    }
    for (const { value } of await store.list('burn')) {
      const burn = decode(StoredBurn, value)
      const at = new DataView(burn.at.buffer, burn.at.byteOffset, 8)
      const { peer, pairEpoch, code, peerId } = burn
      pairs.#burns.set(peerId, { peer, pairEpoch, code, atMs: Number(at.getBigUint64(0)), peerId })
    }
    for (const { value } of await store.list('pair-epoch')) {
      const { peer, pairEpoch } = decode(StoredPairEpoch, value)
      pairs.#epochs.set(peer, pairEpoch)
    }
    return pairs
  }

  /** Why the peer is banned, if it is. */
  burned(peer: PartyId): Burn | undefined {
    const burn = this.#burns.get(this.#peerIdOf(peer))
    if (burn === undefined) return undefined
    const { pairEpoch, code, atMs, peerId } = burn
    return { pairEpoch, code, atMs, peerId }
  }

  /** @throws {ConclaveError} PAIR_BURNED naming those of `peers` that are banned. */
  refuseBurned(peers: readonly PartyId[]): void {
    const burned = peers.filter((j) => this.burned(j) !== undefined)
    if (burned.length > 0)
      throw new ConclaveError('PAIR_BURNED', `the pair with party ${burned.join(', ')} is burned: an operator must set it up again`, {
        details: { peers: burned },
      })
  }

  /** Epoch and id of the pair state with `peer`. */
  current(peer: PartyId): { readonly pairEpoch: number; readonly id: Uint8Array } | undefined {
    const stored = this.#usable(peer)
    return stored === undefined ? undefined : { pairEpoch: stored.pair.pairEpoch, id: pairId(stored.pair) }
  }

  /** The public half of the pair state with `peer`. */
  public(peer: PartyId): PairPublic | undefined {
    return this.#usable(peer)?.pair
  }

  /** Above every epoch that this pair has had, under whatever lock. */
  nextEpoch(peer: PartyId): number {
    const burned = [...this.#burns.values()].filter((b) => b.peer === peer).map((b) => b.pairEpoch)
    return Math.max(0, this.#pairs.get(peer)?.pair.pairEpoch ?? 0, this.#epochs.get(peer) ?? 0, ...burned) + 1
  }

  /**
   * Seals and stores a new pair state in place of the old one; the caller wipes the secret.
   *
   * @throws {ConclaveError} PAIR_BURNED when the peer was banned meanwhile, PAIR_REPLACED when a later call came.
   */
  async save(state: OpenedRecord): Promise<void> {
    const pair = decode(PairPublic, state.public)
    const save = (this.#saves.get(pair.peer) ?? 0) + 1
    this.#saves.set(pair.peer, save)
    await this.#underway.run(async () => {
      // Not inside the turn: a burn does not wait for an HSM.
      const sealed = await this.#vault.seal(this.#contextOf(pair), state.secret)
      await this.#turns.take(async () => {
        this.refuseBurned([pair.peer])
        if (this.#saves.get(pair.peer) !== save)
          throw new ConclaveError('PAIR_REPLACED', `a newer pair state with party ${pair.peer} came before`, { retriable: true })
        await this.#put({ pair, sealed })
      })
    })
  }

  /** The sealed pair states, those of older locks included. */
  shelf(): RecordShelf {
    const replace = (stored: StoredPair, sealed: Uint8Array) =>
      this.#turns.take(async () => {
        if (this.#pairs.get(stored.pair.peer) !== stored) return false
        await this.#put({ ...stored, sealed })
        return true
      })
    const shelved = (stored: StoredPair): ShelvedRecord => ({
      name: `pair state with party ${stored.pair.peer}`,
      context: this.#contextOf(stored.pair),
      record: stored.sealed,
      replace: (rewrapped) => replace(stored, rewrapped),
    })
    return { settled: () => this.#underway.settled(), records: async () => [...this.#pairs.values()].map(shelved) }
  }

  /** Opens the pair state; the caller wipes `secret`. @throws {ConclaveError} PAIR_BURNED, PAIR_MISSING; {VaultError}. */
  async open(peer: PartyId): Promise<OpenedRecord> {
    this.refuseBurned([peer])
    const stored = this.#usable(peer)
    if (stored === undefined) throw new ConclaveError('PAIR_MISSING', `no pair state with party ${peer} yet`, { retriable: true })
    using secret = await this.#vault.open(this.#contextOf(stored.pair), stored.sealed)
    return { public: encode(PairPublic, stored.pair), secret: Uint8Array.from(secret.bytes) }
  }

  /** Destroys the pair state and bans the peer, durably. Safe to repeat. */
  async burn(peer: PartyId, code: string, nowMs: number): Promise<void> {
    const pairEpoch = this.nextEpoch(peer) - 1
    const peerId = this.#peerIdOf(peer)
    // In memory first: no session may begin with this peer while the disk is busy.
    this.#burns.set(peerId, { peer, pairEpoch, code, atMs: nowMs, peerId })
    this.#pairs.delete(peer)
    await this.#turns.take(() => {
      // A save that was already under way has put its state into memory again.
      this.#pairs.delete(peer)
      return this.#store.apply([
        { put: 'burn', key: peerId, value: encode(StoredBurn, { peer, pairEpoch, code, at: eight(nowMs), peerId }) },
        { del: 'pair', key: String(peer) },
      ])
    })
  }

  /**
   * Destroys the pair state and lifts the ban, durably; what is being sealed for this pair is not stored any more. Safe to repeat.
   *
   * @returns the ban that was lifted. @throws {StoreError}: then the ban holds.
   */
  async reset(peer: PartyId): Promise<Burn | undefined> {
    return this.#turns.take(async () => {
      const peerId = this.#peerIdOf(peer)
      const burn = this.#burns.get(peerId)
      const lifted = this.burned(peer)
      const pairEpoch = this.nextEpoch(peer) - 1
      await this.#store.apply([
        { put: 'pair-epoch', key: String(peer), value: encode(StoredPairEpoch, { peer, pairEpoch }) },
        { del: 'burn', key: peerId },
        { del: 'pair', key: String(peer) },
      ])
      this.#epochs.set(peer, pairEpoch)
      this.#pairs.delete(peer)
      this.#saves.set(peer, (this.#saves.get(peer) ?? 0) + 1)
      // A burn that came meanwhile is another one, and its turn on the disk is next.
      if (this.#burns.get(peerId) === burn) this.#burns.delete(peerId)
      return lifted
    })
  }

  async #put(stored: StoredPair): Promise<void> {
    const { peer } = stored.pair
    await this.#store.apply([{ put: 'pair', key: String(peer), value: encode(StoredPair, stored) }])
    this.#pairs.set(peer, stored)
  }

  #usable(peer: PartyId): StoredPair | undefined {
    const stored = this.#pairs.get(peer)
    return stored !== undefined && equalBytes(stored.pair.clusterContext, this.#scope.clusterContext) ? stored : undefined
  }

  /** Empty for whom the lock in force does not know: nobody else is. */
  #peerIdOf(peer: PartyId): string {
    return this.#scope.peerIds.get(peer) ?? ''
  }

  #contextOf(pair: PairPublic): SealContext {
    const { clusterId, nodeName } = this.#scope
    return {
      clusterId,
      nodeId: nodeName,
      recordType: 'pair-state',
      keyId: `pair-${pair.peer}`,
      epoch: pair.pairEpoch,
      version: RECORD_VERSION,
    }
  }
}
