import type { Clock } from '@conclave/core'

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #timers = new Map<object, { atMs: number; fire: () => void }>()

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, fire: () => void): () => void {
    const key = {}
    this.#timers.set(key, { atMs: this.#nowMs + delayMs, fire })
    return () => this.#timers.delete(key)
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const [key, { atMs, fire }] of [...this.#timers]) {
      if (atMs <= this.#nowMs && this.#timers.delete(key)) fire()
    }
  }
}
