import { type Clock, ConclaveError, equalBytes, InvalidArgument, type PartyId, Timeout, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { PairAccept, PairOffer } from '@conclave/wire'
import type { Calls } from './calls.ts'
import { Changes } from './changes.ts'
import { PairPeer, type PairPhase, setupId } from './pair-peer.ts'
import type { OpenedRecord } from './sessions/job.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { NodeScope } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'

const OFFER_TIMEOUT_MS = 10_000
/** A peer's epoch above this would leave no room to count on. */
const PAIR_EPOCH_MAX = 0x7fffffff
const RENEWAL_BYTES = 32
const NONE: Uint8Array = new Uint8Array(0)

export interface PairKeeperOptions {
  readonly self: PartyId
  readonly scope: NodeScope
  readonly store: PairStore
  readonly hub: SessionHub
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  isLinkUp(peer: PartyId): boolean
  /** 32 fresh random bytes. */
  nonce(): Promise<Uint8Array>
  /** Said after every change: what `stateOf` says may be another now, and so may the state in the store. */
  changed(peer: PartyId): void
}

/**
 * Keeps a pair state with every peer whose link is up: compares names at every link-up, runs pair setup when they differ.
 *
 * A pair is `ready` only after both ends have named the same state on this link, and only while that is the one in the store: two
 * honest ends that signed with different states would look like cheats to each other. While a renewal runs the state before it stays
 * in use; that one end stores the new state a moment before the other is what SIGN_PAIR_MISMATCH is for. A burned pair is never set up
 * without an operator.
 */
export class PairKeeper {
  readonly #o: PairKeeperOptions
  readonly #peers = new Map<PartyId, PairPeer>()
  readonly #changes: Changes
  #closed = false

  constructor(options: PairKeeperOptions) {
    this.#o = options
    this.#changes = new Changes(options.clock)
  }

  stateOf(peer: PartyId): 'ready' | 'missing' | 'burned' {
    if (this.#o.store.burned(peer) !== undefined) return 'burned'
    const agreed = this.#peers.get(peer)?.agreed
    return agreed !== undefined && this.#holds(peer, agreed) ? 'ready' : 'missing'
  }

  linkUp(peer: PartyId): void {
    this.linkDown(peer)
    this.#peer(peer).links++
    this.#enter(peer, 'unknown')
    // The lower index speaks first; the higher one only if nothing has come of it for a while.
    if (this.#o.self < peer) void this.#offer(peer)
    else this.#retryLater(peer)
  }

  linkDown(peer: PartyId): void {
    this.#peer(peer).stopRetry()
    this.#enter(peer, 'down')
  }

  /** Marks the end of a pair; the burn is in the store. */
  burned(peer: PartyId): void {
    this.#peer(peer).renewals.forget()
    this.linkDown(peer)
  }

  /** Sets a pair up from nothing, once the store has lifted its ban and destroyed its state. */
  reset(peer: PartyId): void {
    const known = this.#peer(peer)
    known.renewals.forget()
    known.calm()
    this.#stopSetup(peer)
    if (!this.#o.isLinkUp(peer)) return
    this.#enter(peer, 'unknown')
    // An operator waits for this, so the higher index speaks at once too.
    void this.#offer(peer)
  }

  /**
   * @returns the names of the pair states with `peers`, which stay these as long as this returns the same.
   * @throws {ConclaveError} PAIR_BURNED; {Timeout} PAIR_MISSING naming the peers that are not ready now.
   */
  check(peers: readonly PartyId[]): string {
    this.#o.store.refuseBurned(peers)
    const missing = peers.filter((j) => this.stateOf(j) !== 'ready')
    if (missing.length > 0) throw new Timeout('PAIR_MISSING', `no pair state with party ${missing.join(', ')} yet`, missing)
    return peers.map((j) => toHex(this.#peer(j).agreed as Uint8Array)).join()
  }

  /** Resolves when all `peers` are ready. @throws what `check` throws when they are not in time; CLOSED. */
  ready(peers: readonly PartyId[], timeoutMs: number): Promise<void> {
    return this.#changes.until(timeoutMs, (expired) => {
      const states = peers.map((j) => this.stateOf(j))
      if (expired || states.includes('burned')) this.check(peers)
      return states.every((s) => s === 'ready')
    })
  }

  /**
   * Resolves when with each of `peers` a setup that carried this name has been stored at both ends; at once if that has been. The
   * states before them serve until then.
   *
   * @param name - 32 bytes, the same at both ends; one of them asking is enough, both is faster.
   * @throws {InvalidArgument} BAD_RENEWAL; {ConclaveError} PAIR_BURNED, BUSY, CLOSED; {Timeout} PAIR_NOT_RENEWED naming the peers.
   */
  async renew(peers: readonly PartyId[], name: Uint8Array, timeoutMs: number): Promise<void> {
    if (name.length !== RENEWAL_BYTES) throw new InvalidArgument('BAD_RENEWAL', `the name of a renewal has ${RENEWAL_BYTES} bytes`)
    const endWishes: (() => void)[] = []
    try {
      for (const j of peers) endWishes.push(this.#peer(j).renewals.wish(name))
      for (const j of peers) this.#pursue(j)
      await this.#changes.until(timeoutMs, (expired) => {
        this.#o.store.refuseBurned(peers)
        const open = peers.filter((j) => !this.#peer(j).renewals.isDone(name))
        if (expired && open.length > 0)
          throw new Timeout('PAIR_NOT_RENEWED', `the pair with party ${open.join(', ')} was not renewed in ${timeoutMs} ms`, open)
        return open.length === 0
      })
    } finally {
      for (const end of endWishes) end()
    }
  }

  /** Answers a peer's offer. @throws {ConclaveError} PAIR_BURNED, PAIR_BUSY. {InvalidArgument} BAD_EPOCH. */
  async answer(peer: PartyId, offer: PairOffer): Promise<PairAccept> {
    const { setup, links } = this.#peer(peer)
    // Who offers an epoch above that of the setup that runs here has stored its state, and asks whether we have.
    if (setup !== undefined && offer.renewal.length > 0 && offer.pairEpoch > setup.pairEpoch) {
      await setup.ended
      if (this.#peer(peer).links !== links) throw new ConclaveError('PAIR_BUSY', 'the link is another one now', { retriable: true })
    }
    return this.#answer(peer, offer)
  }

  /** No setup and no retry begins after this; whoever waits is told. */
  close(): void {
    this.#closed = true
    for (const p of this.#peers.values()) p.stopRetry()
    this.#changes.close()
  }

  #answer(peer: PartyId, { pairEpoch: offered, nonce, current: named, renewal }: PairOffer): PairAccept {
    const { store, self } = this.#o
    store.refuseBurned([peer])
    const known = this.#peer(peer)
    if (this.#closed || known.state === 'down') throw new ConclaveError('PAIR_BUSY', 'the link is not ready', { retriable: true })
    const current = store.current(peer)
    const isSame = this.#holds(peer, named)
    if (current !== undefined && isSame && (renewal.length === 0 || known.renewals.isMade(renewal))) {
      this.#settle(peer, current.id, renewal)
      return { pairEpoch: current.pairEpoch, agreed: true }
    }
    // Both may offer at once: the lower index's offer stands.
    if (known.state === 'setting-up' && self < peer) throw new ConclaveError('PAIR_BUSY', 'a pair setup is under way', { retriable: true })
    if (offered > PAIR_EPOCH_MAX) throw new InvalidArgument('BAD_EPOCH', 'the pair epoch is too high')
    known.budget.pay()
    const pairEpoch = Math.max(store.nextEpoch(peer), offered)
    const turn = this.#enter(peer, 'setting-up', isSame ? known.agreed : undefined)
    void this.#setUp(peer, { pairEpoch, nonce, renewal }, turn)
    return { pairEpoch, agreed: false }
  }

  async #offer(peer: PartyId): Promise<void> {
    const { store, calls, log } = this.#o
    const known = this.#peer(peer)
    const next = known.renewals.next()
    if (this.#closed || store.burned(peer) !== undefined) return
    if (known.state !== 'unknown' && (known.state !== 'ready' || next === undefined)) return
    const turn = this.#enter(peer, 'setting-up', known.agreed)
    try {
      const nonce = await this.#o.nonce()
      const current = store.current(peer)?.id ?? NONE
      // What both ends may still hold is agreed on first, so that it serves while it is renewed.
      const renewal = known.agreed === undefined && current.length > 0 ? NONE : (next ?? NONE)
      const offer = { pairEpoch: store.nextEpoch(peer), nonce, current, renewal }
      const body = await calls.call(peer, { pairOffer: offer }, OFFER_TIMEOUT_MS)
      if (!('pairAccept' in body)) throw new ConclaveError('BAD_ANSWER', `party ${peer} answered something else`)
      if (known.turn !== turn) return
      const { agreed, pairEpoch } = body.pairAccept
      // What was named may have been replaced meanwhile by a setup that was still being sealed.
      if (agreed && this.#holds(peer, current)) return this.#settle(peer, current, renewal)
      if (agreed || pairEpoch < offer.pairEpoch)
        throw new ConclaveError('BAD_ANSWER', `party ${peer} accepted a pair epoch that was not offered`)
      // Without a renewal to make, it holds another state than we do.
      if (renewal.length === 0) known.agreed = undefined
      await this.#setUp(peer, { pairEpoch, nonce, renewal }, turn)
    } catch (error) {
      log.warn({ peer, err: error }, 'pair offer failed')
      this.#failed(peer, turn)
    }
  }

  async #setUp(peer: PartyId, offer: Omit<PairOffer, 'current'>, turn: number): Promise<void> {
    const { self, scope, hub, log } = this.#o
    const { pairEpoch, nonce, renewal } = offer
    const id = setupId(scope.clusterContext, [self, peer], pairEpoch, nonce)
    const known = this.#peer(peer)
    this.#stopSetup(peer)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const setup = { id, pairEpoch, ended }
    known.setup = setup
    try {
      const { result } = await hub.run(id, [peer], { kind: 'pair', self, peer, clusterContext: scope.clusterContext, pairEpoch, nonce })
      await this.#save(peer, result, renewal, turn)
      log.info({ peer, pairEpoch }, 'pair set up')
    } catch (error) {
      log.warn({ peer, pairEpoch, err: error }, 'pair setup failed')
      this.#failed(peer, turn)
    } finally {
      if (known.setup === setup) known.setup = undefined
      end()
    }
  }

  #stopSetup(peer: PartyId): void {
    const id = this.#peer(peer).setup?.id
    if (id !== undefined)
      this.#o.hub.stop(id, peer, new ConclaveError('PAIR_REPLACED', 'another setup takes its place', { retriable: true }))
  }

  async #save(peer: PartyId, made: OpenedRecord, renewal: Uint8Array, turn: number): Promise<void> {
    const { store } = this.#o
    try {
      // The peer has the link-up or the setup that came after this one on its mind: it would not count on this state.
      if (this.#peer(peer).turn !== turn) throw new ConclaveError('PAIR_REPLACED', 'the setup came too late', { retriable: true })
      await store.save(made)
    } finally {
      made.secret.fill(0)
    }
    const known = this.#peer(peer)
    if (renewal.length > 0) known.renewals.made(renewal)
    const id = store.current(peer)?.id
    if (known.turn === turn && id !== undefined) this.#settle(peer, id)
    // The link went down and came up while the state was sealed, and both ends agreed on the one before.
    else if (known.state === 'ready') this.#failed(peer, known.turn)
  }

  #peer(peer: PartyId): PairPeer {
    const known = this.#peers.get(peer) ?? new PairPeer(this.#o.clock)
    this.#peers.set(peer, known)
    return known
  }

  #holds(peer: PartyId, id: Uint8Array): boolean {
    const current = this.#o.store.current(peer)
    return current !== undefined && equalBytes(current.id, id)
  }

  #enter(peer: PartyId, state: PairPhase, agreed?: Uint8Array): number {
    const known = this.#peer(peer)
    known.state = state
    known.agreed = agreed
    known.turn++
    this.#changes.fire()
    this.#o.changed(peer)
    return known.turn
  }

  #settle(peer: PartyId, agreed: Uint8Array, confirmed = NONE): void {
    const known = this.#peer(peer)
    known.calm()
    if (confirmed.length > 0) known.renewals.done(confirmed)
    this.#enter(peer, 'ready', agreed)
    this.#pursue(peer)
  }

  /** Sees to the next wish for a renewal; where the pair is not ready, what makes it so comes back here. */
  #pursue(peer: PartyId): void {
    const { state, renewals, isRetrying } = this.#peer(peer)
    if (state !== 'ready' || renewals.next() === undefined) return
    if (this.#o.self < peer) void this.#offer(peer)
    else if (!isRetrying) this.#retryLater(peer)
  }

  #failed(peer: PartyId, turn: number): void {
    const known = this.#peer(peer)
    if (known.turn !== turn) return
    this.#enter(peer, 'unknown', known.agreed)
    this.#retryLater(peer)
  }

  #retryLater(peer: PartyId): void {
    if (this.#closed) return
    // The higher index waits longer, so that both ends do not keep offering at once.
    this.#peer(peer).retryLater(this.#o.self < peer ? 1 : 3, () => void this.#offer(peer))
  }
}
