import { type Clock, ConclaveError, equalBytes, type PartyId, tagged, u32 } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { PairAccept, PairOffer } from '@conclave/wire'
import type { Calls } from './calls.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { NodeScope } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'

const OFFER_TIMEOUT_MS = 10_000
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 60_000

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

type State = 'down' | 'unknown' | 'setting-up' | 'ready'

interface Peer {
  state: State
  /** Grows with every link and setup, so that a late outcome of an older one changes nothing. */
  turn: number
  retryMs: number
  stopRetry: () => void
}

/**
 * Keeps a pair state with every peer whose link is up: compares names at every link-up, runs pair setup when they differ.
 *
 * A pair is `ready` only after both ends have named the same state on this link; a burned pair is never set up without an operator.
 */
export class PairKeeper {
  readonly #o: PairKeeperOptions
  readonly #peers = new Map<PartyId, Peer>()
  readonly #waiters = new Set<() => void>()

  constructor(options: PairKeeperOptions) {
    this.#o = options
  }

  stateOf(peer: PartyId): 'ready' | 'missing' | 'burned' {
    if (this.#o.store.burned(peer) !== undefined) return 'burned'
    return this.#peers.get(peer)?.state === 'ready' ? 'ready' : 'missing'
  }

  linkUp(peer: PartyId): void {
    this.linkDown(peer)
    this.#enter(peer, 'unknown')
    // The lower index speaks first; the higher one only if nothing has come of it for a while.
    if (this.#o.self < peer) void this.#offer(peer)
    else this.#retryLater(peer)
  }

  linkDown(peer: PartyId): void {
    this.#peers.get(peer)?.stopRetry()
    this.#enter(peer, 'down')
  }

  /** Marks the end of a pair; the burn itself is in the store. */
  burned(peer: PartyId): void {
    this.linkDown(peer)
  }

  /** Resolves when all `peers` are ready. @throws {ConclaveError} PAIR_BURNED, PAIR_MISSING naming the peers. */
  async ready(peers: readonly PartyId[], timeoutMs: number): Promise<void> {
    let expired = false
    const stop = this.#o.clock.after(timeoutMs, () => {
      expired = true
      this.#wake()
    })
    try {
      for (;;) {
        const burned = peers.filter((j) => this.stateOf(j) === 'burned')
        if (burned.length > 0)
          throw new ConclaveError('PAIR_BURNED', `the pair with party ${burned.join(', ')} is burned`, { details: { peers: burned } })
        const missing = peers.filter((j) => this.stateOf(j) !== 'ready')
        if (missing.length === 0) return
        if (expired)
          throw new ConclaveError('PAIR_MISSING', `no pair state with party ${missing.join(', ')} yet`, {
            details: { peers: missing },
            retriable: true,
          })
        await new Promise<void>((resolve) => this.#waiters.add(resolve))
      }
    } finally {
      stop()
    }
  }

  /** Answers a peer's offer. @throws {ConclaveError} PAIR_BURNED, PAIR_BUSY. */
  answer(peer: PartyId, offer: PairOffer): PairAccept {
    const { store, self } = this.#o
    if (store.burned(peer) !== undefined) throw new ConclaveError('PAIR_BURNED', `the pair with party ${peer} is burned`)
    const known = this.#peers.get(peer)
    if (known === undefined || known.state === 'down') throw new ConclaveError('PAIR_BUSY', 'the link is not ready', { retriable: true })
    const current = store.current(peer)
    if (current !== undefined && equalBytes(current.id, offer.current)) {
      this.#settle(peer, 'ready')
      return { pairEpoch: current.pairEpoch, agreed: true }
    }
    // Both may offer at once: the lower index's offer stands.
    if (known.state === 'setting-up' && self < peer) throw new ConclaveError('PAIR_BUSY', 'a pair setup is under way', { retriable: true })
    const pairEpoch = Math.max(store.nextEpoch(peer), offer.pairEpoch)
    void this.#setUp(peer, pairEpoch, offer.nonce, this.#enter(peer, 'setting-up'))
    return { pairEpoch, agreed: false }
  }

  close(): void {
    for (const p of this.#peers.values()) p.stopRetry()
  }

  async #offer(peer: PartyId): Promise<void> {
    const { store, calls, log } = this.#o
    if (store.burned(peer) !== undefined || this.#peers.get(peer)?.state !== 'unknown') return
    const turn = this.#enter(peer, 'setting-up')
    try {
      const nonce = await this.#o.nonce()
      const current = store.current(peer)
      const offer = { pairEpoch: store.nextEpoch(peer), nonce, current: current?.id ?? new Uint8Array(0) }
      const body = await calls.call(peer, { pairOffer: offer }, OFFER_TIMEOUT_MS)
      if (!('pairAccept' in body)) throw new ConclaveError('BAD_ANSWER', `party ${peer} answered something else`)
      if (this.#peers.get(peer)?.turn !== turn) return
      const { agreed, pairEpoch } = body.pairAccept
      if (agreed && current !== undefined) return this.#settle(peer, 'ready')
      if (agreed || pairEpoch < offer.pairEpoch)
        throw new ConclaveError('BAD_ANSWER', `party ${peer} accepted a pair epoch that was not offered`)
      await this.#setUp(peer, pairEpoch, nonce, turn)
    } catch (error) {
      log.warn({ peer, err: error }, 'pair offer failed')
      this.#failed(peer, turn)
    }
  }

  async #setUp(peer: PartyId, pairEpoch: number, nonce: Uint8Array, turn: number): Promise<void> {
    const { self, scope, hub, store, log } = this.#o
    const low = Math.min(self, peer)
    const id = tagged('pair-session-id', scope.clusterContext, u32(low), u32(self + peer - low), u32(pairEpoch), nonce)
    try {
      const { result } = await hub.run(id, [peer], { kind: 'pair', self, peer, clusterContext: scope.clusterContext, pairEpoch, nonce })
      try {
        await store.save(result)
      } finally {
        result.secret.fill(0)
      }
      log.info({ peer, pairEpoch }, 'pair set up')
      if (this.#peers.get(peer)?.turn === turn) this.#settle(peer, 'ready')
    } catch (error) {
      log.warn({ peer, pairEpoch, err: error }, 'pair setup failed')
      this.#failed(peer, turn)
    }
  }

  #enter(peer: PartyId, state: State): number {
    const known = this.#peers.get(peer)
    const turn = (known?.turn ?? 0) + 1
    this.#peers.set(peer, { state, turn, retryMs: known?.retryMs ?? RETRY_FIRST_MS, stopRetry: known?.stopRetry ?? (() => undefined) })
    this.#wake()
    return turn
  }

  #settle(peer: PartyId, state: 'ready'): void {
    const known = this.#peers.get(peer)
    known?.stopRetry()
    this.#enter(peer, state)
    const entered = this.#peers.get(peer)
    if (entered !== undefined) entered.retryMs = RETRY_FIRST_MS
  }

  #failed(peer: PartyId, turn: number): void {
    if (this.#peers.get(peer)?.turn !== turn) return
    this.#enter(peer, 'unknown')
    this.#retryLater(peer)
  }

  #retryLater(peer: PartyId): void {
    const known = this.#peers.get(peer)
    if (known === undefined) return
    known.stopRetry()
    // The higher index waits longer, so that both ends do not keep offering at once.
    const delayMs = this.#o.self < peer ? known.retryMs : 3 * known.retryMs
    known.retryMs = Math.min(2 * known.retryMs, RETRY_MAX_MS)
    known.stopRetry = this.#o.clock.after(delayMs, () => void this.#offer(peer))
  }

  #wake(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const w of waiters) w()
  }
}
