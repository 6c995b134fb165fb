import type { Clock } from '@conclave/core'

/** Held at most towards one side; past it nothing more is read, as a full pipe does. */
const HELD_BYTES_MAX = 16 << 20

export interface DelayLineInit {
  /** What every piece waits, in milliseconds; asked for each. */
  readonly delayMs: () => number
  readonly clock: Clock
  /** A piece has waited. */
  readonly deliver: (piece: Uint8Array) => void
  /** Everything before the end has been delivered. */
  readonly ended: () => void
  /** Whether more may be pushed. */
  readonly flowing: (flows: boolean) => void
}

interface Piece {
  readonly dueMs: number
  /** Undefined: the end. */
  readonly bytes: Uint8Array | undefined
}

/**
 * One direction of a link that is far away: what goes in comes out later, in the same order. It has no capacity limit and loses
 * nothing.
 */
export class DelayLine {
  readonly #init: DelayLineInit
  readonly #pieces: Piece[] = []
  #heldBytes = 0
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(init: DelayLineInit) {
    this.#init = init
  }

  push(bytes: Uint8Array): void {
    this.#add(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > HELD_BYTES_MAX) this.#init.flowing(false)
  }

  end(): void {
    this.#add(undefined)
  }

  /** What has not come out is gone. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
    this.#pieces.length = 0
  }

  #add(bytes: Uint8Array | undefined): void {
    if (this.#stopped) return
    const dueMs = this.#init.clock.nowMs() + this.#init.delayMs()
    // Only the first piece is looked at: one that is late holds up those behind it.
    this.#pieces.push({ dueMs, bytes })
    this.#arm()
  }

  #arm(): void {
    const [first] = this.#pieces
    if (this.#cancel !== undefined || first === undefined) return
    this.#cancel = this.#init.clock.after(Math.max(0, first.dueMs - this.#init.clock.nowMs()), () => this.#flush())
  }

  #flush(): void {
    this.#cancel = undefined
    const now = this.#init.clock.nowMs()
    const wasFull = this.#heldBytes > HELD_BYTES_MAX
    while (this.#pieces.length > 0 && (this.#pieces[0] as Piece).dueMs <= now) {
      const { bytes } = this.#pieces.shift() as Piece
      if (bytes === undefined) this.#init.ended()
      else {
        this.#heldBytes -= bytes.length
        this.#init.deliver(bytes)
      }
    }
    if (wasFull && this.#heldBytes <= HELD_BYTES_MAX) this.#init.flowing(true)
    this.#arm()
  }
}
