import type { Clock } from '@conclave/core'
import type { Dice } from './dice.ts'

/** Simulated time begins here, so that dates look like dates. */
const EPOCH_MS = 1_800_000_000_000
/** What must come after something else comes at least this much later. */
const INSTANT_MS = 0.001

/** Whatever can die: the process of a node. Its events die with it. */
export interface Life {
  readonly alive: boolean
}

export const FOREVER: Life = { alive: true }

interface Event {
  readonly atMs: number
  readonly tie: number
  readonly life: Life
  fire: (() => void) | undefined
}

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie)

/** Keeps what is sent one way in order, however long each piece takes. */
export class Lane {
  #lastMs = 0

  /** When something arrives that would take until `atMs` on its own. */
  next(atMs: number): number {
    this.#lastMs = Math.max(atMs, this.#lastMs + INSTANT_MS)
    return this.#lastMs
  }
}

/** Simulated time: events by time, and by chance where the time is the same. */
export class Timeline {
  /** Milliseconds since the beginning, with fractions. */
  nowMs = 0
  events = 0
  readonly #dice: Dice
  readonly #heap: Event[] = []

  constructor(dice: Dice) {
    this.#dice = dice
  }

  /** Calls `fire` in `delayMs` if `life` still lasts; returns a function that cancels it. */
  after(delayMs: number, fire: () => void, life: Life = FOREVER): () => void {
    return this.at(this.nowMs + Math.max(0, delayMs), fire, life)
  }

  at(atMs: number, fire: () => void, life: Life = FOREVER): () => void {
    const event: Event = { atMs, tie: this.#dice.u32(), life, fire }
    this.#push(event)
    return () => {
      event.fire = undefined
    }
  }

  /** Resolves in `delayMs`; never, when `life` ends before. */
  pause(delayMs: number, life: Life = FOREVER): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve, life))
  }

  /** The clock of a process. */
  clock(life: Life): Clock {
    return {
      nowMs: () => EPOCH_MS + Math.floor(this.nowMs),
      after: (delayMs, fire) => this.after(delayMs, fire, life),
    }
  }

  /** Lives until `done`, or until `untilMs`. @returns whether it was done. */
  async run(done: () => boolean, untilMs: number): Promise<boolean> {
    await settled()
    while (!done()) {
      const event = this.#pop()
      if (event === undefined || event.atMs > untilMs) return false
      const { fire } = event
      if (fire === undefined || !event.life.alive) continue
      this.nowMs = event.atMs
      this.events++
      fire()
      await settled()
    }
    return true
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent] as Event)) break
      heap[i] = heap[parent] as Event
      i = parent
    }
    heap[i] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[i] = heap[child] as Event
      i = child
    }
    heap[i] = last
    return first
  }
}

/**
 * Everything that promises had to say has been said: microtasks run to the last one before the event loop turns, and nothing in a
 * simulated process waits for anything but promises and the timeline.
 */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
