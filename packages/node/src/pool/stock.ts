import { equalBytes, type PartyId, wipe } from '@conclave/core'
import { Shelf, type StockEntry } from './shelf.ts'

/** Entries that a node keeps with one peer, whatever its settings say. */
export const STOCK_MAX = 10_000
const NONE: Uint8Array = new Uint8Array(0)

/** What has become of entries since the node started, all peers together. */
export interface StockCounts {
  /** Put into the stock. */
  readonly made: number
  /** Taken out for a signature. */
  readonly used: number
  /** Wanted for a signature, and not there. */
  readonly missed: number
  /** Named by a peer, and not held here. */
  readonly mismatched: number
  /** Wiped without having been used. */
  readonly dropped: number
}

/** Entries with one peer since the node started. */
export interface Turnover {
  /** Put into the stock. */
  readonly made: number
  /** Taken out for a signature. */
  readonly used: number
}

/**
 * The correlations that a node has ready, in memory only: by peer, and only those of one pair state each.
 *
 * An entry leaves once: to who takes it, or wiped. Both ends add in the same order, so what is older here than the oldest entry of
 * the peer is of no use to anybody.
 */
export class Stock {
  readonly #shelves = new Map<PartyId, Shelf>()
  readonly #counts: { -readonly [K in keyof StockCounts]: number } = { made: 0, used: 0, missed: 0, mismatched: 0, dropped: 0 }
  readonly #turnover = new Map<PartyId, { made: number; used: number }>()
  readonly #allocate: (bytes: number) => Uint8Array
  #closed = false

  /** @param allocate - gives the zero bytes that secrets are kept in. */
  constructor(allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes)) {
    this.#allocate = allocate
  }

  turnoverOf(peer: PartyId): Turnover {
    return { ...(this.#turnover.get(peer) ?? { made: 0, used: 0 }) }
  }

  get counts(): StockCounts {
    return { ...this.#counts }
  }

  /** Entries with `peer`; of one pair state only if given. */
  count(peer: PartyId, pairId?: Uint8Array): number {
    return this.#shelf(peer, pairId)?.size ?? 0
  }

  /** Name of the entry that leaves next, or no bytes. */
  oldest(peer: PartyId): Uint8Array {
    return this.#shelves.get(peer)?.names().next().value ?? NONE
  }

  /** Takes the entries over: their secrets are wiped where they were. What the peer has of another pair state is wiped. */
  add(peer: PartyId, pairId: Uint8Array, entries: readonly StockEntry[]): void {
    if (this.#shelf(peer, pairId) === undefined) this.drop(peer)
    const shelf = this.#shelves.get(peer) ?? new Shelf(pairId, this.#allocate)
    for (const entry of entries) {
      this.#counted(peer, 'made', 1)
      if (this.#closed || shelf.size >= STOCK_MAX || shelf.has(entry.name)) this.#wipe([entry])
      else shelf.put(entry)
    }
    if (shelf.size > 0) this.#shelves.set(peer, shelf)
  }

  /** Takes out the `count` oldest entries, or nothing when there are fewer. */
  offer(peer: PartyId, pairId: Uint8Array, count: number): readonly StockEntry[] {
    const shelf = this.#shelf(peer, pairId)
    if (shelf === undefined || shelf.size < count) {
      this.#counts.missed += count
      return []
    }
    this.#counted(peer, 'used', count)
    return shelf.takeOldest(count)
  }

  /** Says that `count` entries were wanted, and were not there. */
  missed(count: number): void {
    this.#counts.missed += count
  }

  /**
   * Takes out exactly the named entries, in that order; undefined when one of them is not held, or named twice. A name that was said
   * once is spent: what of it is held is wiped then.
   */
  take(peer: PartyId, pairId: Uint8Array, names: readonly Uint8Array[]): readonly StockEntry[] | undefined {
    const shelf = this.#shelf(peer, pairId)
    const held: StockEntry[] = []
    for (const name of names) {
      // Out at once, so a name that comes again is not held any more.
      const entry = shelf?.take(name)
      if (entry !== undefined) held.push(entry)
    }
    if (held.length === names.length) {
      this.#counted(peer, 'used', held.length)
      return held
    }
    this.#counts.mismatched += names.length - held.length
    this.#wipe(held)
    return undefined
  }

  /** Wipes what is older than the entry that the peer will offer next; all of it when the peer has none. A name not held here says nothing. */
  dropBefore(peer: PartyId, oldest: Uint8Array): void {
    const shelf = this.#shelves.get(peer)
    if (shelf === undefined || (oldest.length > 0 && !shelf.has(oldest))) return
    for (const name of shelf.names()) {
      if (equalBytes(name, oldest)) return
      const entry = shelf.take(name)
      if (entry !== undefined) this.#wipe([entry])
    }
  }

  /** Wipes what there is with `peer`. */
  drop(peer: PartyId): void {
    const shelf = this.#shelves.get(peer)
    this.#shelves.delete(peer)
    this.#counts.dropped += shelf?.size ?? 0
    shelf?.clear()
  }

  /** Wipes everything, also what is added later. */
  close(): void {
    this.#closed = true
    for (const peer of [...this.#shelves.keys()]) this.drop(peer)
  }

  #counted(peer: PartyId, what: 'made' | 'used', count: number): void {
    const turnover = this.#turnover.get(peer) ?? { made: 0, used: 0 }
    turnover[what] += count
    this.#counts[what] += count
    this.#turnover.set(peer, turnover)
  }

  #shelf(peer: PartyId, pairId?: Uint8Array): Shelf | undefined {
    const shelf = this.#shelves.get(peer)
    return shelf === undefined || pairId === undefined || equalBytes(shelf.pairId, pairId) ? shelf : undefined
  }

  #wipe(entries: readonly StockEntry[]): void {
    this.#counts.dropped += entries.length
    for (const { secret } of entries) wipe(secret)
  }
}
