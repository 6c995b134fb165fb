import { type Clock, ConclaveError } from '@conclave/core'

/** Setups that a peer may have us run at once, and how long it takes to earn another: each costs a second of a processor. */
export const SETUPS_MAX = 8
const SETUP_EARNED_MS = 10_000

/** How many pair setups one peer may still have us run. */
export class SetupBudget {
  readonly #clock: Clock
  #left = SETUPS_MAX
  #countedAtMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#countedAtMs = clock.nowMs()
  }

  /** @throws {ConclaveError} PAIR_BUSY when the peer has had us set up pairs too often. */
  pay(): void {
    const nowMs = this.#clock.nowMs()
    const earned = Math.floor((nowMs - this.#countedAtMs) / SETUP_EARNED_MS)
    // A clock that was set back earns nothing, and does not stop the earning either.
    if (earned !== 0) {
      this.#left = Math.min(SETUPS_MAX, this.#left + Math.max(0, earned))
      this.#countedAtMs = nowMs
    }
    if (this.#left === 0) throw new ConclaveError('PAIR_BUSY', 'too many pair setups: wait a little', { retriable: true })
    this.#left--
  }
}
