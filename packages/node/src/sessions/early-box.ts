import type { PartyId } from '@conclave/core'
import type { SessionEnd, SessionMessage } from '@conclave/wire'

/** What one peer may leave here: more than every session that signs at once begins with. */
export const EARLY_COUNT_MAX = 256
export const EARLY_BYTES_MAX = 8 << 20

interface Early {
  readonly name: string
  readonly what: SessionMessage | SessionEnd
}

interface Shelf {
  items: Early[]
  bytes: number
}

const bytesOf = ({ what }: Early): number => ('body' in what ? what.body.length : 0)

/**
 * What peers say of sessions that have not begun here. Each peer has a shelf of its own, bounded in count and bytes: one that
 * floods us pushes out nobody's messages but its own, the oldest first.
 */
export class EarlyBox {
  readonly #shelves = new Map<PartyId, Shelf>()

  /** @returns how many had to go to make room. */
  keep(peer: PartyId, name: string, what: SessionMessage | SessionEnd): number {
    const shelf = this.#shelves.get(peer) ?? { items: [], bytes: 0 }
    this.#shelves.set(peer, shelf)
    const early = { name, what }
    shelf.items.push(early)
    shelf.bytes += bytesOf(early)
    let gone = 0
    while (shelf.items.length > EARLY_COUNT_MAX || shelf.bytes > EARLY_BYTES_MAX) {
      const oldest = shelf.items.shift()
      if (oldest === undefined) break
      shelf.bytes -= bytesOf(oldest)
      gone++
    }
    return gone
  }

  /** Takes out what a peer said of a session, in order. */
  take(peer: PartyId, name: string): readonly (SessionMessage | SessionEnd)[] {
    const shelf = this.#shelves.get(peer)
    if (shelf === undefined) return []
    const taken = shelf.items.filter((early) => early.name === name)
    shelf.items = shelf.items.filter((early) => early.name !== name)
    shelf.bytes -= taken.reduce((sum, early) => sum + bytesOf(early), 0)
    return taken.map((early) => early.what)
  }

  /** Forgets a session, whoever spoke of it. */
  drop(name: string): void {
    for (const peer of this.#shelves.keys()) this.take(peer, name)
  }

  /** What is kept of one peer. */
  sizeOf(peer: PartyId): { readonly count: number; readonly bytes: number } {
    const shelf = this.#shelves.get(peer)
    return { count: shelf?.items.length ?? 0, bytes: shelf?.bytes ?? 0 }
  }

  clear(peer: PartyId): void {
    this.#shelves.delete(peer)
  }
}
