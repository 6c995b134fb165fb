import type { Clock, IdentitySigner, Journal, PartyId } from '@conclave/core'
import { certificateHash } from '@conclave/mpc'
import type { Logger } from '@conclave/transport'
import type { KeyGossip, KeyWord } from '@conclave/wire'
import { noteEvent } from './audit/note-event.ts'
import type { Certificates } from './certificates.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore } from './store/key-store.ts'

/** Per frame: however many epochs a key has, a frame of this many stays far below the limit of the link. */
const GOSSIP_KEYS_MAX = 64

export interface EpochKeeperOptions {
  readonly self: PartyId
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly certificates: Certificates
  readonly identity: IdentitySigner
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  gossip(peer: PartyId, gossip: KeyGossip): void
  peersUp(): readonly PartyId[]
}

/** After a switch, how long signings that were begun for the epoch before are still taken part in. */
const FRESH_MS = 60_000

/** What a party has said of itself on this link or an earlier one. */
interface Claim {
  readonly epoch: number
  readonly proved: boolean
  /** The highest epoch that it spoke of. */
  readonly prepared: number
}

/**
 * The epoch switch of section 7: attestations are exchanged until every node that prepared an epoch has its certificate, and the
 * epochs below are erased only when nobody can need them any more.
 *
 * Erased is what lies below the active epoch once every party of it has said that it activated it, and this node, or `threshold`
 * parties of which one is honest, have seen a signature under it verify. Those words are believed from the party itself only, on
 * its authenticated link; a party that lies there gives away nothing but its own share.
 */
export class EpochKeeper {
  readonly #o: EpochKeeperOptions
  readonly #claims = new Map<string, Map<PartyId, Claim>>()
  /** Epochs that exist and in which this node has no share: what it holds was replaced while it was away. */
  readonly #missed = new Map<string, number>()
  /** Epochs to be looked at, by peer and key. One look per peer at a time: it may be slow on purpose, and calls are few. */
  readonly #looks = new Map<PartyId, Map<string, number>>()
  readonly #switchedAtMs = new Map<string, number>()

  constructor(options: EpochKeeperOptions) {
    this.#o = options
  }

  /** Whether the share of this key was replaced by an epoch that this node has no share of. */
  isStale(keyId: string): boolean {
    const active = this.#o.keys.has(keyId) === 'active' ? this.#o.keys.get(keyId).epoch : -1
    return (this.#missed.get(keyId) ?? -1) > active
  }

  /** Whether this key has just changed its epoch here. */
  isFresh(keyId: string): boolean {
    const at = this.#switchedAtMs.get(keyId)
    return at !== undefined && this.#o.clock.nowMs() - at < FRESH_MS
  }

  /** Notes the switch and tells the other parties. */
  activated(keyId: string, epoch: number): void {
    this.#switchedAtMs.set(keyId, this.#o.clock.nowMs())
    this.#o.log.info({ keyId, epoch }, 'epoch active')
    this.#note(keyId, epoch)
    this.tellAll(keyId)
  }

  #note(keyId: string, epoch: number): void {
    const { keys, lives, journal, log } = this.#o
    const origin = keys.certified(keyId, epoch)?.certificate.key.origin ?? ''
    if (origin !== 'create') void noteEvent(journal, log, { kind: 'key.rotated', details: { keyId, epoch, origin } })
    else if (lives.of(keyId).phase === 'active') void noteEvent(journal, log, { kind: 'key.activated', details: { keyId, epoch } })
  }

  /**
   * The highest epoch of a key that an honest party has prepared: our own, or the one that `threshold` others are not below, because
   * fewer might all be lying.
   */
  highestKnown(keyId: string): number {
    const { keys } = this.#o
    const own = keys.prepared(keyId) ?? 0
    if (keys.has(keyId) !== 'active') return own
    const claimed = [...(this.#claims.get(keyId)?.values() ?? [])].map((c) => c.prepared).sort((a, b) => b - a)
    return Math.max(own, claimed[keys.get(keyId).threshold - 1] ?? 0)
  }

  /**
   * Attests the pending epochs that a crash kept this node from attesting: their shares are on the disk, so nothing speaks against
   * it, and without it they could never come true.
   */
  async resume(): Promise<void> {
    const { keys, identity, self, log } = this.#o
    for (const { key, attestations } of keys.pending()) {
      if (attestations.some((a) => a.party === self)) continue
      const hash = certificateHash(key)
      try {
        await keys.attest(key.keyId, hash, [{ party: self, signature: await identity.sign(hash) }])
        log.info({ keyId: key.keyId, epoch: key.epoch }, 'pending epoch attested after a restart')
      } catch (error) {
        // The node serves its other keys; the next start tries again.
        log.error({ keyId: key.keyId, epoch: key.epoch, err: error }, 'pending epoch not attested')
      }
    }
  }

  /** At every handshake: what this node knows of every key that the peer has to do with, and asks for what the peer knows. */
  greet(peer: PartyId): void {
    const { keys } = this.#o
    this.#say(
      peer,
      keys.ids().filter((keyId) => keys.partiesOf(keyId).includes(peer)),
      true,
    )
  }

  /** Asks the peers that are up about everything that is not settled here. */
  remind(): void {
    const { keys } = this.#o
    for (const keyId of keys.ids()) if (!keys.isSettled(keyId)) this.tellAll(keyId)
  }

  /** To the other parties of a key: something has changed here. */
  tellAll(keyId: string): void {
    const { keys, peersUp } = this.#o
    const parties = keys.partiesOf(keyId)
    for (const peer of peersUp()) if (parties.includes(peer)) this.#say(peer, [keyId], true)
  }

  /** A signature under this epoch has verified here. */
  async proved(keyId: string, epoch: number): Promise<void> {
    if (!(await this.#o.keys.prove(keyId, epoch))) return
    this.tellAll(keyId)
    await this.#erase(keyId)
  }

  /** Learns from a peer; answers, when asked, with what the peer does not know. */
  async heard(peer: PartyId, gossip: KeyGossip): Promise<void> {
    const answer: string[] = []
    const seen = new Set<string>()
    for (const word of gossip.keys) {
      // Verifying is expensive: a frame has one say per key.
      if (seen.has(word.keyId)) continue
      seen.add(word.keyId)
      await this.#learn(peer, word)
      if (gossip.asks && this.#o.keys.partiesOf(word.keyId).includes(peer)) answer.push(word.keyId)
    }
    this.#say(peer, answer, false)
  }

  async #learn(peer: PartyId, word: KeyWord): Promise<void> {
    const { keys } = this.#o
    const { keyId } = word
    if (keys.has(keyId) === undefined) return
    this.#believe(peer, word)
    for (const { epoch, certificateHash: hash, attestations } of word.epochs) {
      if ((await keys.attest(keyId, hash, attestations)) === 'activated') this.activated(keyId, epoch)
    }
    // Not waited for: the rest of what the peer says must not wait for its answer. Without an active epoch there is nothing to be stale.
    if (word.active && keys.has(keyId) === 'active' && word.epoch > keys.get(keyId).epoch) void this.#lookAt(peer, keyId, word.epoch)
    await this.#erase(keyId)
  }

  #believe(peer: PartyId, { keyId, active, epoch, proved, epochs }: KeyWord): void {
    const claims = this.#claims.get(keyId) ?? new Map<PartyId, Claim>()
    this.#claims.set(keyId, claims)
    claims.set(peer, { epoch: active ? epoch : -1, proved, prepared: Math.max(epoch, ...epochs.map((e) => e.epoch)) })
  }

  /** A peer is ahead and its word alone did not bring us there: its certificate shows whether we missed something. */
  async #lookAt(peer: PartyId, keyId: string, epoch: number): Promise<void> {
    const open = this.#looks.get(peer)
    if (open !== undefined) {
      open.set(keyId, epoch)
      return
    }
    const looks = new Map([[keyId, epoch]])
    this.#looks.set(peer, looks)
    // What is added meanwhile comes up too.
    for (const [next, claimed] of looks) {
      looks.delete(next)
      await this.#look(peer, next, claimed)
    }
    this.#looks.delete(peer)
  }

  async #look(peer: PartyId, keyId: string, epoch: number): Promise<void> {
    const { keys, certificates, log } = this.#o
    const isNews = () => epoch > keys.get(keyId).epoch && epoch > (this.#missed.get(keyId) ?? -1)
    if (!isNews()) return
    try {
      const { key, attestations } = await certificates.fetch(peer, keyId, epoch)
      // Ours perhaps, and the peer has told us nothing else of it.
      if ((await keys.attest(keyId, certificateHash(key), attestations)) === 'activated') this.activated(keyId, epoch)
      if (!isNews()) return
      this.#missed.set(keyId, epoch)
      log.error({ keyId, epoch }, 'this node has no share in the present epoch of a key: it must be recovered by a reshare')
    } catch (error) {
      log.warn({ keyId, epoch, peer, err: error }, 'a peer claims an epoch that it did not show')
    }
  }

  async #erase(keyId: string): Promise<void> {
    const { keys, self, log, journal } = this.#o
    if (keys.has(keyId) !== 'active') return
    const { epoch, parties, threshold } = keys.get(keyId)
    const claims = this.#claims.get(keyId)
    const reached = (j: PartyId) => (claims?.get(j)?.epoch ?? -1) >= epoch
    if (!parties.every((j) => j === self || reached(j))) return
    const own = keys.certified(keyId, epoch)?.proved === true
    // Whoever is above has seen it all; whoever is at this epoch must have said that it signed.
    const proofs = parties.filter((j) => j !== self && reached(j) && claims?.get(j)?.proved === true).length
    if (!own && proofs < threshold) return
    try {
      const erased = await keys.eraseBelow(keyId, epoch)
      if (erased.length === 0) return
      log.info({ keyId, epoch, erased }, 'older epochs erased')
      void noteEvent(journal, log, { kind: 'share.erased', details: { keyId, below: epoch, erased } })
    } catch (error) {
      // They stay sealed; the next word of a peer tries again.
      log.error({ keyId, epoch, err: error }, 'older epochs not erased')
    }
  }

  #say(peer: PartyId, keyIds: readonly string[], asks: boolean): void {
    const words = keyIds.map((keyId) => this.#word(keyId))
    for (let at = 0; at < words.length; at += GOSSIP_KEYS_MAX) this.#o.gossip(peer, { keys: words.slice(at, at + GOSSIP_KEYS_MAX), asks })
  }

  #word(keyId: string): KeyWord {
    const { keys } = this.#o
    const active = keys.has(keyId) === 'active' ? keys.get(keyId) : undefined
    const epoch = active?.epoch ?? 0
    const epochs = keys.attestationsOf(keyId).map(({ epoch: e, hash, attestations }) => ({ epoch: e, certificateHash: hash, attestations }))
    return { keyId, active: active !== undefined, epoch, proved: keys.certified(keyId, epoch)?.proved === true, epochs }
  }
}
