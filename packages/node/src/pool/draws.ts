import { type PartyId, wipe } from '@conclave/core'
import type { StockEntry } from './shelf.ts'
import type { Stock } from './stock.ts'

/** What a signing session gets of the stock. */
export interface Draw extends Disposable {
  /** Entries for peers with a higher index; they have left the stock. */
  readonly offers: ReadonlyMap<PartyId, readonly StockEntry[]>
  /** Peers with a lower index of whom this party can expect an offer. */
  readonly stocked: ReadonlySet<PartyId>
  /** Takes out what lower peers named; a peer is missing from the answer when not all of it is held. Each peer is heard once. */
  take(names: ReadonlyMap<PartyId, readonly Uint8Array[]>): ReadonlyMap<PartyId, readonly StockEntry[]>
  /** The session is over, or has not begun: wipes what did not leave this thread. */
  [Symbol.dispose](): void
}

export interface DrawsOptions {
  readonly self: PartyId
  readonly stock: Stock
  /** Something left the stock. */
  drawn(peer: PartyId, count: number): void
}

/**
 * Shares the stock out among signing sessions.
 *
 * Sessions that expect offers at the same time do not count on the same entries: an expectation in vain costs the session two more
 * messages.
 */
export class Draws {
  readonly #o: DrawsOptions
  /** Entries that running sessions expect to be named, by lower peer. */
  readonly #expected = new Map<PartyId, number>()

  constructor(options: DrawsOptions) {
    this.#o = options
  }

  /** @param pairs - id of the pair state that the session uses, by peer. @param count - entries that it needs of each. */
  draw(pairs: ReadonlyMap<PartyId, Uint8Array>, count: number): Draw {
    const { self, stock, drawn } = this.#o
    const offers = new Map<PartyId, readonly StockEntry[]>()
    const stocked = new Set<PartyId>()
    for (const [peer, pairId] of pairs) {
      if (peer > self) {
        const entries = stock.offer(peer, pairId, count)
        if (entries.length > 0) offers.set(peer, entries)
        drawn(peer, entries.length)
      } else if (stock.count(peer, pairId) >= this.#expectedOf(peer) + count) {
        stocked.add(peer)
        this.#expect(peer, count)
      } else stock.missed(count)
    }
    const open = new Set([...pairs.keys()].filter((peer) => peer < self))
    const taken = new Set(stocked)
    const settle = (peer: PartyId) => {
      if (taken.delete(peer)) this.#expect(peer, -count)
    }
    return {
      ...{ offers, stocked },
      take: (names) => {
        const found = new Map<PartyId, readonly StockEntry[]>()
        for (const [peer, named] of names) {
          if (!open.delete(peer)) continue
          const entries = stock.take(peer, pairs.get(peer) as Uint8Array, named)
          if (entries !== undefined) found.set(peer, entries)
          settle(peer)
          drawn(peer, entries?.length ?? 0)
        }
        return found
      },
      [Symbol.dispose]: () => {
        open.clear()
        for (const peer of [...taken]) settle(peer)
        for (const entries of offers.values()) for (const { secret } of entries) wipe(secret)
      },
    }
  }

  #expectedOf(peer: PartyId): number {
    return this.#expected.get(peer) ?? 0
  }

  #expect(peer: PartyId, change: number): void {
    this.#expected.set(peer, this.#expectedOf(peer) + change)
  }
}
