import { type Clock, ConclaveError, equalBytes, InvalidArgument, type PartyId, Timeout, tagged, toHex, u32 } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { PairAccept, PairOffer } from '@conclave/wire'
import type { Calls } from './calls.ts'
import type { OpenedRecord } from './sessions/job.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { NodeScope } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'

const OFFER_TIMEOUT_MS = 10_000
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 60_000
/** A peer's epoch above this would leave no room to count on. */
const PAIR_EPOCH_MAX = 0x7fffffff
/** Setups that a peer may have us run at once, and how long it takes to earn another: each costs a second of a processor. */
export const SETUPS_MAX = 8
const SETUP_EARNED_MS = 10_000

export interface PairKeeperOptions {
  readonly self: PartyId
  readonly scope: NodeScope
  readonly store: PairStore
  readonly hub: SessionHub
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  /** 32 fresh random bytes. */
  nonce(): Promise<Uint8Array>
}

interface Peer {
  state: 'down' | 'unknown' | 'setting-up' | 'ready'
  /** Grows with every link and setup, so that a late outcome of an older one changes nothing. */
  turn: number
  /** The pair state that both ends named on this link, while `ready`. */
  agreed: Uint8Array | undefined
  /** The setup session that runs; there is never more than one. */
  session: Uint8Array | undefined
  retryMs: number
  stopRetry: () => void
  setupsLeft: number
  setupsCountedAtMs: number
}

/**
 * Keeps a pair state with every peer whose link is up: compares names at every link-up, runs pair setup when they differ.
 *
 * A pair is `ready` only after both ends have named the same state on this link, and only while that is the one in the store: two
 * honest ends that signed with different states would look like cheats to each other. A burned pair is never set up without an
 * operator.
 */
export class PairKeeper {
  readonly #o: PairKeeperOptions
  readonly #peers = new Map<PartyId, Peer>()
  readonly #waiters = new Set<() => void>()
  #closed = false

  constructor(options: PairKeeperOptions) {
    this.#o = options
  }

  stateOf(peer: PartyId): 'ready' | 'missing' | 'burned' {
    if (this.#o.store.burned(peer) !== undefined) return 'burned'
    const agreed = this.#peers.get(peer)?.agreed
    return agreed !== undefined && this.#holds(peer, agreed) ? 'ready' : 'missing'
  }

  linkUp(peer: PartyId): void {
    this.linkDown(peer)
    this.#enter(peer, 'unknown')
    // The lower index speaks first; the higher one only if nothing has come of it for a while.
    if (this.#o.self < peer) void this.#offer(peer)
    else this.#retryLater(peer)
  }

  linkDown(peer: PartyId): void {
    this.#peer(peer).stopRetry()
    this.#enter(peer, 'down')
  }

  /** Marks the end of a pair; the burn itself is in the store. */
  burned(peer: PartyId): void {
    this.linkDown(peer)
  }

  /**
   * @returns the names of the pair states with `peers`, which stay these as long as this returns the same.
   * @throws {ConclaveError} PAIR_BURNED; {Timeout} PAIR_MISSING naming the peers that are not ready now.
   */
  check(peers: readonly PartyId[]): string {
    const burned = peers.filter((j) => this.stateOf(j) === 'burned')
    if (burned.length > 0)
      throw new ConclaveError('PAIR_BURNED', `the pair with party ${burned.join(', ')} is burned`, { details: { peers: burned } })
    const missing = peers.filter((j) => this.stateOf(j) !== 'ready')
    if (missing.length > 0) throw new Timeout('PAIR_MISSING', `no pair state with party ${missing.join(', ')} yet`, missing)
    return peers.map((j) => toHex(this.#peer(j).agreed as Uint8Array)).join()
  }

  /** Resolves when all `peers` are ready. @throws what `check` throws when they are not in time; CLOSED. */
  async ready(peers: readonly PartyId[], timeoutMs: number): Promise<void> {
    let expired = false
    const stop = this.#o.clock.after(timeoutMs, () => {
      expired = true
      this.#wake()
    })
    try {
      for (;;) {
        if (this.#closed) throw new ConclaveError('CLOSED', 'the node is stopping', { retriable: true })
        const states = peers.map((j) => this.stateOf(j))
        if (expired || states.includes('burned')) this.check(peers)
        if (states.every((s) => s === 'ready')) return
        await new Promise<void>((resolve) => this.#waiters.add(resolve))
      }
    } finally {
      stop()
    }
  }

  /** Answers a peer's offer. @throws {ConclaveError} PAIR_BURNED, PAIR_BUSY. {InvalidArgument} BAD_EPOCH. */
  answer(peer: PartyId, offer: PairOffer): PairAccept {
    const { store, self } = this.#o
    if (store.burned(peer) !== undefined) throw new ConclaveError('PAIR_BURNED', `the pair with party ${peer} is burned`)
    const known = this.#peer(peer)
    if (this.#closed || known.state === 'down') throw new ConclaveError('PAIR_BUSY', 'the link is not ready', { retriable: true })
    const current = store.current(peer)
    if (current !== undefined && equalBytes(current.id, offer.current)) {
      this.#settle(peer, current.id)
      return { pairEpoch: current.pairEpoch, agreed: true }
    }
    // Both may offer at once: the lower index's offer stands.
    if (known.state === 'setting-up' && self < peer) throw new ConclaveError('PAIR_BUSY', 'a pair setup is under way', { retriable: true })
    if (offer.pairEpoch > PAIR_EPOCH_MAX) throw new InvalidArgument('BAD_EPOCH', 'the pair epoch is too high')
    this.#payForSetup(known)
    const pairEpoch = Math.max(store.nextEpoch(peer), offer.pairEpoch)
    void this.#setUp(peer, pairEpoch, offer.nonce, this.#enter(peer, 'setting-up'))
    return { pairEpoch, agreed: false }
  }

  /** No setup and no retry begins after this; whoever waits in `ready` is told. */
  close(): void {
    this.#closed = true
    for (const p of this.#peers.values()) p.stopRetry()
    this.#wake()
  }

  async #offer(peer: PartyId): Promise<void> {
    const { store, calls, log } = this.#o
    if (this.#closed || store.burned(peer) !== undefined || this.#peer(peer).state !== 'unknown') return
    const turn = this.#enter(peer, 'setting-up')
    try {
      const nonce = await this.#o.nonce()
      const current = store.current(peer)?.id ?? new Uint8Array(0)
      const offer = { pairEpoch: store.nextEpoch(peer), nonce, current }
      const body = await calls.call(peer, { pairOffer: offer }, OFFER_TIMEOUT_MS)
      if (!('pairAccept' in body)) throw new ConclaveError('BAD_ANSWER', `party ${peer} answered something else`)
      if (this.#peer(peer).turn !== turn) return
      const { agreed, pairEpoch } = body.pairAccept
      // What was named may have been replaced meanwhile by a setup that was still being sealed.
      if (agreed && this.#holds(peer, current)) return this.#settle(peer, current)
      if (agreed || pairEpoch < offer.pairEpoch)
        throw new ConclaveError('BAD_ANSWER', `party ${peer} accepted a pair epoch that was not offered`)
      await this.#setUp(peer, pairEpoch, nonce, turn)
    } catch (error) {
      log.warn({ peer, err: error }, 'pair offer failed')
      this.#failed(peer, turn)
    }
  }

  async #setUp(peer: PartyId, pairEpoch: number, nonce: Uint8Array, turn: number): Promise<void> {
    const { self, scope, hub, log } = this.#o
    const low = Math.min(self, peer)
    const id = tagged('pair-session-id', scope.clusterContext, u32(low), u32(self + peer - low), u32(pairEpoch), nonce)
    const known = this.#peer(peer)
    if (known.session !== undefined)
      hub.stop(known.session, peer, new ConclaveError('PAIR_REPLACED', 'the peer began another setup', { retriable: true }))
    known.session = id
    try {
      const { result } = await hub.run(id, [peer], { kind: 'pair', self, peer, clusterContext: scope.clusterContext, pairEpoch, nonce })
      await this.#save(peer, result, turn)
      log.info({ peer, pairEpoch }, 'pair set up')
    } catch (error) {
      log.warn({ peer, pairEpoch, err: error }, 'pair setup failed')
      this.#failed(peer, turn)
    } finally {
      if (known.session === id) known.session = undefined
    }
  }

  async #save(peer: PartyId, made: OpenedRecord, turn: number): Promise<void> {
    const { store } = this.#o
    try {
      // The peer has the link-up or the setup that came after this one on its mind: it would not count on this state.
      if (this.#peer(peer).turn !== turn) throw new ConclaveError('PAIR_REPLACED', 'the setup came too late', { retriable: true })
      await store.save(made)
    } finally {
      made.secret.fill(0)
    }
    const known = this.#peer(peer)
    const id = store.current(peer)?.id
    if (known.turn === turn && id !== undefined) this.#settle(peer, id)
    // The link went down and came up while the state was sealed, and both ends agreed on the one before.
    else if (known.state === 'ready') this.#failed(peer, known.turn)
  }

  #peer(peer: PartyId): Peer {
    const known = this.#peers.get(peer)
    if (known !== undefined) return known
    const made: Peer = {
      ...{ state: 'down', turn: 0, agreed: undefined, session: undefined, retryMs: RETRY_FIRST_MS, stopRetry: () => undefined },
      ...{ setupsLeft: SETUPS_MAX, setupsCountedAtMs: this.#o.clock.nowMs() },
    }
    this.#peers.set(peer, made)
    return made
  }

  #holds(peer: PartyId, id: Uint8Array): boolean {
    const current = this.#o.store.current(peer)
    return current !== undefined && equalBytes(current.id, id)
  }

  #enter(peer: PartyId, state: Peer['state'], agreed?: Uint8Array): number {
    const known = this.#peer(peer)
    known.state = state
    known.agreed = agreed
    known.turn++
    this.#wake()
    return known.turn
  }

  #settle(peer: PartyId, agreed: Uint8Array): void {
    const known = this.#peer(peer)
    known.stopRetry()
    known.retryMs = RETRY_FIRST_MS
    this.#enter(peer, 'ready', agreed)
  }

  #failed(peer: PartyId, turn: number): void {
    if (this.#peer(peer).turn !== turn) return
    this.#enter(peer, 'unknown')
    this.#retryLater(peer)
  }

  #retryLater(peer: PartyId): void {
    const known = this.#peer(peer)
    known.stopRetry()
    if (this.#closed) return
    // The higher index waits longer, so that both ends do not keep offering at once.
    const delayMs = this.#o.self < peer ? known.retryMs : 3 * known.retryMs
    known.retryMs = Math.min(2 * known.retryMs, RETRY_MAX_MS)
    known.stopRetry = this.#o.clock.after(delayMs, () => void this.#offer(peer))
  }

  /** @throws {ConclaveError} PAIR_BUSY when the peer has had us set up pairs too often. */
  #payForSetup(peer: Peer): void {
    const nowMs = this.#o.clock.nowMs()
    const earned = Math.floor((nowMs - peer.setupsCountedAtMs) / SETUP_EARNED_MS)
    // A clock that was set back earns nothing, and does not stop the earning either.
    if (earned !== 0) {
      peer.setupsLeft = Math.min(SETUPS_MAX, peer.setupsLeft + Math.max(0, earned))
      peer.setupsCountedAtMs = nowMs
    }
    if (peer.setupsLeft === 0) throw new ConclaveError('PAIR_BUSY', 'too many pair setups: wait a little', { retriable: true })
    peer.setupsLeft--
  }

  #wake(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const w of waiters) w()
  }
}
