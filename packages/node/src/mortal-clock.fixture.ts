import { type Clock, systemClock } from '@conclave/core'

/** A clock that dies with its node: a killed process has no timers. */
export class MortalClock implements Clock {
  readonly #cancels = new Set<() => void>()
  #dead = false

  nowMs(): number {
    return systemClock.nowMs()
  }

  after(delayMs: number, fire: () => void): () => void {
    if (this.#dead) return () => undefined
    const cancel = systemClock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      fire()
    })
    this.#cancels.add(cancel)
    return () => {
      this.#cancels.delete(cancel)
      cancel()
    }
  }

  die(): void {
    this.#dead = true
    for (const cancel of this.#cancels) cancel()
  }
}
