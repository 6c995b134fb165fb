import type { Clock } from '@conclave/core'

/** How long it takes to earn one correlation that nobody has asked for. */
export const EARNED_MS = 1_000

/**
 * How many correlations may still be made with one peer. What was used for a signature is earned back at once, what was wasted only
 * slowly: a peer that gives up its stock again and again, or drops its link, does not make this node work without end.
 */
export class RefillBudget {
  readonly #clock: Clock
  readonly #max: number
  #left: number
  #countedAtMs: number

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
    this.#left = max
    this.#countedAtMs = clock.nowMs()
  }

  get left(): number {
    const nowMs = this.#clock.nowMs()
    const earned = Math.floor((nowMs - this.#countedAtMs) / EARNED_MS)
    // A clock that was set back earns nothing, and does not stop the earning either.
    if (earned !== 0) {
      this.earn(Math.max(0, earned))
      this.#countedAtMs = nowMs
    }
    return this.#left
  }

  earn(count: number): void {
    this.#left = Math.min(this.#max, this.#left + count)
  }

  pay(count: number): void {
    this.#left = this.left - count
  }
}
