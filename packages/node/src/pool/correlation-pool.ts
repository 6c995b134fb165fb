import { type Clock, ConclaveError, codeOf, equalBytes, type Journal, type PartyId, wipe } from '@conclave/core'
import { correlateSid, pairId } from '@conclave/mpc'
import type { Logger } from '@conclave/transport'
import type { CorrelateAccept, CorrelateOffer, PoolStatus } from '@conclave/wire'
import type { Calls } from '../calls.ts'
import { burnCulprits } from '../pair-burn.ts'
import type { PairKeeper } from '../pair-keeper.ts'
import type { SessionHub } from '../sessions/session-hub.ts'
import type { PairStore } from '../store/pair-store.ts'
import { type Draw, Draws } from './draws.ts'
import { type Batch, Refill, type WaterMarks } from './refill.ts'
import type { StockEntry } from './shelf.ts'
import { Stock, type Turnover } from './stock.ts'

export interface CorrelationPoolOptions {
  readonly self: PartyId
  readonly marks: WaterMarks
  readonly pairs: PairStore
  readonly pairKeeper: PairKeeper
  readonly hub: SessionHub
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  /** 32 fresh random bytes. */
  nonce(): Promise<Uint8Array>
  /** A signing is under way at this node, in a session or before one. */
  isSigning(): boolean
  /** This node stops soon: nothing more is made. */
  isLeaving?(): boolean
}

/**
 * The correlations that this node makes ahead of need: in memory only, each for one signature.
 *
 * The stock with a peer lives exactly as long as the pair is ready in one and the same state: it is wiped when the link goes down, the
 * pair is burned, reset or set up again, and when the node stops.
 */
export class CorrelationPool {
  readonly #o: CorrelationPoolOptions
  readonly #stock = new Stock()
  readonly #draws: Draws
  readonly #refill: Refill

  constructor(options: CorrelationPoolOptions) {
    this.#o = options
    const { self, marks, pairs, pairKeeper, hub, calls, clock, log, isSigning, isLeaving, nonce } = options
    const stock = this.#stock
    this.#refill = new Refill({
      ...{ self, marks, stock, calls, clock, log, nonce },
      pairOf: (peer) => (pairKeeper.stateOf(peer) === 'ready' ? pairs.current(peer)?.id : undefined),
      isIdle: () => hub.running === 0 && !isSigning() && isLeaving?.() !== true,
      make: (peer, batch) => this.#make(peer, batch),
      decline: (peer, batch) => this.#decline(peer, batch, 'CALL_FAILED'),
    })
    this.#draws = new Draws({ self, stock, drawn: (peer, count) => this.#refill.used(peer, count) })
  }

  /** What a session gets that signs `count` digests with these pair states; see {@link Draw}. */
  draw(peers: readonly PartyId[], count: number): Draw {
    const { marks, pairs } = this.#o
    const ids = marks.high === 0 ? [] : peers.flatMap((j) => pairs.current(j)?.id ?? [])
    return this.#draws.draw(new Map(ids.map((id, i) => [peers[i] as PartyId, id])), count)
  }

  /** A pair came up, went down or changed. */
  pairChanged(peer: PartyId): void {
    this.#refill.pairChanged(peer)
  }

  /** Something has ended that a refill may have waited for. */
  stir(): void {
    this.#refill.stir()
  }

  /** Answers a peer's offer of a refill. @throws {ConclaveError} NOT_ALLOWED. */
  answer(peer: PartyId, offer: CorrelateOffer): Promise<CorrelateAccept> {
    return this.#refill.answer(peer, offer)
  }

  stockOf(peer: PartyId): number {
    return this.#stock.count(peer)
  }

  /** With one peer, since start. */
  turnoverOf(peer: PartyId): Turnover {
    return this.#stock.turnoverOf(peer)
  }

  /** What has become of correlations since start. */
  metrics(): PoolStatus {
    return { ...this.#stock.counts, ...this.#refill.counts }
  }

  close(): void {
    this.#refill.close()
    this.#stock.close()
  }

  async #make(peer: PartyId, batch: Batch): Promise<readonly StockEntry[]> {
    const { self, pairs, pairKeeper, hub } = this.#o
    let secret: Uint8Array | undefined
    try {
      const pair = await pairs.open(peer)
      secret = pair.secret
      // While the record was opened the pair may have been burned or set up again; from `run` on, the hub ends the session then.
      pairKeeper.check([peer])
      const sid = this.#sid(peer, batch)
      const { nonce, count } = batch
      const job = { kind: 'correlate', self, peer, pair, nonce, count } as const
      const { result } = await hub.run(sid, [peer], job, { failed: (error) => burnCulprits(this.#o, error) })
      return result
    } catch (error) {
      this.#decline(peer, batch, codeOf(error))
      throw error
    } finally {
      // Empty when a worker took it over.
      if (secret !== undefined) wipe(secret)
    }
  }

  /** Tells the peer that this end does not begin the session; nothing when it runs or ran. */
  #decline(peer: PartyId, batch: Batch, code: string): void {
    try {
      this.#o.hub.decline(this.#sid(peer, batch), [peer], code)
    } catch {
      // The pair is another one by now: the peer hears of that in its own way.
    }
  }

  /** @throws {ConclaveError} PAIR_REPLACED when the pair state is not the batch's. */
  #sid(peer: PartyId, { pairId: id, nonce }: Batch): Uint8Array {
    const pair = this.#o.pairs.public(peer)
    if (pair === undefined || !equalBytes(pairId(pair), id))
      throw new ConclaveError('PAIR_REPLACED', `the pair with party ${peer} is another one by now`, { retriable: true })
    return correlateSid(pair, nonce)
  }
}
