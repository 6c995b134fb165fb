import { type Clock, ConclaveError, codeOf, equalBytes, type PartyId, wipe } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { CorrelateAccept, CorrelateOffer, PoolStatus } from '@conclave/wire'
import type { Calls } from '../calls.ts'
import { EARNED_MS, RefillBudget } from './refill-budget.ts'
import type { StockEntry } from './shelf.ts'
import type { Stock } from './stock.ts'

/** Correlations that one session makes at most: its largest message is below a megabyte, and one step of it is short. */
export const REFILL_MAX = 8
const OFFER_TIMEOUT_MS = 10_000
/** Signing goes first: while a stock is not low, this long nothing must have been used for a signature before a refill begins. */
export const QUIET_MS = 100
/** Up to this share of the low mark a stock is low: then every moment in which nothing else runs will do. */
const LOW_SHARE = 0.5
const RETRY_FIRST_MS = 500
/** A peer that declines is busy, or has enough. */
const DECLINED_MAX_MS = 10_000
const FAILED_MAX_MS = 600_000
const NONE: Uint8Array = new Uint8Array(0)

/** When a stock is refilled, in correlations with each peer: from `low`, up to `high`; a `high` of 0 turns the pool off. */
export interface WaterMarks {
  readonly low: number
  readonly high: number
}

export interface RefillOptions {
  readonly self: PartyId
  readonly marks: WaterMarks
  readonly stock: Stock
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  /** Id of the pair state that both ends count on now. */
  pairOf(peer: PartyId): Uint8Array | undefined
  /** Nothing runs here that a refill would hold up. */
  isIdle(): boolean
  /** 32 fresh random bytes. */
  nonce(): Promise<Uint8Array>
  /** Runs one session with `peer`; what it gives belongs to the caller. */
  make(peer: PartyId, batch: Batch): Promise<readonly StockEntry[]>
  /** Tells the peer that this end does not begin that session. */
  decline(peer: PartyId, batch: Batch): void
}

/** What one session makes. */
export interface Batch {
  readonly pairId: Uint8Array
  readonly nonce: Uint8Array
  readonly count: number
}

interface Peer {
  readonly budget: RefillBudget
  /** Below the low mark, and not yet back at the high one. */
  isFilling: boolean
  /** Below 256, from the last nonce, which is public: so that nodes that declined each other do not meet again at once. */
  jitter: number
  retryMs: number
  notBeforeMs: number
}

/**
 * Refills the stock while nothing else runs: the lower index of a pair offers, the higher one agrees or declines. A node takes part
 * in one refill at a time, so it never holds up a signing session by more than one step of one batch.
 *
 * Entries enter the stock when their session has ended here, and only for the pair state that still counts then.
 */
export class Refill {
  readonly #o: RefillOptions
  readonly #peers = new Map<PartyId, Peer>()
  readonly #counts = { refills: 0, declined: 0, failed: 0 }
  /** The refill that is under way, from the offer on. */
  #busy: { readonly peer: PartyId; readonly ended: Promise<void> } | undefined
  #timer: { readonly atMs: number; readonly stop: () => void } | undefined
  #usedAtMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: RefillOptions) {
    this.#o = options
  }

  get counts(): Pick<PoolStatus, 'refills' | 'declined' | 'failed'> {
    return { ...this.#counts }
  }

  /** A pair came up, went down or changed: what was made with another state of it is wiped. */
  pairChanged(peer: PartyId): void {
    const { stock, pairOf } = this.#o
    const pairId = pairOf(peer)
    if (pairId === undefined || stock.count(peer, pairId) < stock.count(peer)) stock.drop(peer)
    if (pairId === undefined) return
    this.#peer(peer)
    this.stir()
  }

  /** Entries were used for a signature. */
  used(peer: PartyId, count: number): void {
    this.#peer(peer).budget.earn(count)
    this.#usedAtMs = this.#o.clock.nowMs()
    this.stir()
  }

  /** Something was used or has ended: a refill may be due. */
  stir(): void {
    this.#later(QUIET_MS)
  }

  /**
   * Answers a peer's offer, and begins the session if it agrees; a count of 0 declines.
   *
   * @throws {ConclaveError} NOT_ALLOWED when the peer has the higher index.
   */
  async answer(peer: PartyId, offer: CorrelateOffer): Promise<CorrelateAccept> {
    const { self, marks, stock, clock } = this.#o
    if (peer > self) throw new ConclaveError('NOT_ALLOWED', 'the lower index of a pair offers correlations')
    // Its end of the refill before this one may have ended a moment before ours.
    if (this.#busy?.peer === peer) await this.#busy.ended
    const { pairId, nonce, count, oldest } = offer
    const known = this.#peer(peer)
    const isSame = this.#isCurrent(peer, pairId)
    // Entries of another pair state have other names: nothing would follow from this one.
    if (isSame) stock.dropBefore(peer, oldest)
    const agreed = Math.min(count, REFILL_MAX, marks.high - stock.count(peer), known.budget.left)
    const isDue = Math.max(known.notBeforeMs - clock.nowMs(), this.#quietInMs(peer)) <= 0
    const isFree = !this.#closed && this.#busy === undefined && this.#o.isIdle() && isDue
    if (!isSame || !isFree || agreed <= 0) {
      this.#counts.declined++
      return { count: 0, oldest: NONE }
    }
    const held = stock.oldest(peer)
    void this.#occupy(peer, () => this.#make(peer, { pairId, nonce, count: agreed }))
    return { count: agreed, oldest: held }
  }

  /** Nothing begins after this. */
  close(): void {
    this.#closed = true
    this.#timer?.stop()
  }

  /** Begins the refill that is due first, if any; otherwise waits until one is, or for `stir`. */
  #look(): void {
    const { stock, clock } = this.#o
    if (this.#closed || this.#busy !== undefined || !this.#o.isIdle()) return
    const nowMs = clock.nowMs()
    const due = [...this.#peers].filter(([peer, known]) => this.#isFilling(peer, known))
    const waits = due.map(([peer, known]) => {
      const ms = known.budget.left > 0 ? known.notBeforeMs - nowMs : EARNED_MS
      return { peer, ms: Math.max(ms, this.#quietInMs(peer)) }
    })
    const ready = waits.filter(({ ms }) => ms <= 0).sort((a, b) => stock.count(a.peer) - stock.count(b.peer))
    const [next] = ready
    if (next !== undefined) void this.#refill(next.peer)
    else if (waits.length > 0) this.#later(Math.min(...waits.map(({ ms }) => ms)))
  }

  #isFilling(peer: PartyId, known: Peer): boolean {
    const { self, marks, stock, pairOf, log } = this.#o
    const count = stock.count(peer)
    const before = known.isFilling
    known.isFilling = peer > self && pairOf(peer) !== undefined && count < marks.high && (before || count <= marks.low)
    if (known.isFilling && !before) log.info({ peer, stock: count }, 'refill of the correlation pool begins')
    return known.isFilling
  }

  /** How long a refill with `peer` has to wait for signing to pause; not at all when its stock is low. */
  #quietInMs(peer: PartyId): number {
    const { marks, stock, clock } = this.#o
    return stock.count(peer) <= LOW_SHARE * marks.low ? 0 : this.#usedAtMs + QUIET_MS - clock.nowMs()
  }

  #refill(peer: PartyId): Promise<void> {
    return this.#occupy(peer, async () => {
      const { marks, stock, pairOf, nonce: fresh, log } = this.#o
      const nonce = await fresh()
      this.#peer(peer).jitter = nonce[0] ?? 0
      const pairId = pairOf(peer)
      if (pairId === undefined) return
      const count = Math.min(REFILL_MAX, marks.high - stock.count(peer), this.#peer(peer).budget.left)
      const offered = { pairId, nonce, count }
      const agreed = await this.#offer(peer, offered)
      if (agreed === 0) {
        this.#counts.declined++
        this.#retryLater(peer, DECLINED_MAX_MS)
        log.debug({ peer }, 'refill declined by the peer')
        return
      }
      await this.#make(peer, { ...offered, count: agreed })
    })
  }

  async #offer(peer: PartyId, batch: Batch): Promise<number> {
    const { calls, stock } = this.#o
    try {
      const correlateOffer = { ...batch, oldest: stock.oldest(peer) }
      const body = await calls.call(peer, { correlateOffer }, OFFER_TIMEOUT_MS)
      if (!('correlateAccept' in body) || body.correlateAccept.count > batch.count)
        throw new ConclaveError('BAD_ANSWER', `party ${peer} answered something else`)
      const { count, oldest } = body.correlateAccept
      if (count > 0 && this.#isCurrent(peer, batch.pairId)) stock.dropBefore(peer, oldest)
      return count
    } catch (error) {
      // It may have begun.
      this.#o.decline(peer, batch)
      throw error
    }
  }

  async #make(peer: PartyId, batch: Batch): Promise<void> {
    const { stock, marks, log } = this.#o
    const known = this.#peer(peer)
    known.budget.pay(batch.count)
    const made = await this.#o.make(peer, batch)
    // The link may have gone down, or the pair may have been burned or set up again: the peer counts on nothing of this.
    if (!this.#isCurrent(peer, batch.pairId)) {
      for (const { secret } of made) wipe(secret)
      return
    }
    stock.add(peer, batch.pairId, made)
    this.#counts.refills++
    known.retryMs = RETRY_FIRST_MS
    const count = stock.count(peer)
    if (known.isFilling && count >= marks.high) log.info({ peer, stock: count }, 'refill of the correlation pool ends')
  }

  /** Does what takes the one place there is for a refill; a failure is logged and counted. */
  async #occupy(peer: PartyId, act: () => Promise<void>): Promise<void> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    this.#busy = { peer, ended }
    try {
      await act()
    } catch (error) {
      this.#counts.failed++
      this.#retryLater(peer, FAILED_MAX_MS)
      this.#o.log.warn({ peer, code: codeOf(error), err: error }, 'refill of the correlation pool failed')
    } finally {
      this.#busy = undefined
      end()
      this.#look()
    }
  }

  #isCurrent(peer: PartyId, pairId: Uint8Array): boolean {
    const current = this.#o.pairOf(peer)
    return current !== undefined && equalBytes(current, pairId)
  }

  #peer(peer: PartyId): Peer {
    const { clock, marks } = this.#o
    const budget = () => new RefillBudget(clock, 2 * marks.high)
    const known = this.#peers.get(peer) ?? { budget: budget(), isFilling: false, jitter: 0, retryMs: RETRY_FIRST_MS, notBeforeMs: 0 }
    this.#peers.set(peer, known)
    return known
  }

  #retryLater(peer: PartyId, maxMs: number): void {
    const known = this.#peer(peer)
    const waitMs = Math.min(known.retryMs, maxMs)
    known.notBeforeMs = this.#o.clock.nowMs() + waitMs * (1 + known.jitter / 256)
    known.retryMs = 2 * waitMs
  }

  /** Looks once after a while; an earlier look takes the place of a later one. */
  #later(ms: number): void {
    const { clock, marks } = this.#o
    if (this.#closed || marks.high === 0) return
    const atMs = clock.nowMs() + ms
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return
    this.#timer?.stop()
    const stop = clock.after(ms, () => {
      this.#timer = undefined
      this.#look()
    })
    this.#timer = { atMs, stop }
  }
}
