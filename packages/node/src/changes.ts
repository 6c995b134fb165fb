import { type Clock, ConclaveError } from '@conclave/core'

/** Lets callers wait for a condition that is looked at after every change. */
export class Changes {
  readonly #clock: Clock
  readonly #waiters = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  fire(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const w of waiters) w()
  }

  /** Whoever waits is told, and nobody waits after this. */
  close(): void {
    this.#closed = true
    this.fire()
  }

  /** Asks `isDone` now, at every change, and once more, `expired`, when the time is over. @throws what it throws; CLOSED. */
  async until(timeoutMs: number, isDone: (expired: boolean) => boolean): Promise<void> {
    let expired = false
    const stop = this.#clock.after(timeoutMs, () => {
      expired = true
      this.fire()
    })
    try {
      for (;;) {
        if (this.#closed) throw new ConclaveError('CLOSED', 'the node is stopping', { retriable: true })
        if (isDone(expired)) return
        await new Promise<void>((resolve) => this.#waiters.add(resolve))
      }
    } finally {
      stop()
    }
  }
}
