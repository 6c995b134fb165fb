import { setMaxListeners } from 'node:events'
import type { Clock } from '@conclave/core'

/** Why a signal aborts when all is well: nobody looks at it, and without one every abort makes an exception with a stack. */
export const OVER = new Error('over')

/** Tells whoever waits that something has changed; carries nothing. */
export class Pulse {
  readonly #waiters = new Set<() => void>()

  fire(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  /** @returns a function that ends the subscription. */
  subscribe(waiter: () => void): () => void {
    this.#waiters.add(waiter)
    return () => {
      this.#waiters.delete(waiter)
    }
  }
}

export interface WaitOptions {
  readonly clock: Clock
  readonly ms: number
  readonly signal: AbortSignal
  readonly pulses: readonly Pulse[]
}

/** Resolves at the first pulse, after `ms`, or when the signal aborts; never rejects. Callers look for themselves what happened. */
export function waitForAny({ clock, ms, signal, pulses }: WaitOptions): Promise<void> {
  return new Promise((resolve) => {
    const undo: (() => void)[] = []
    const finish = () => {
      for (const f of undo.splice(0)) f()
      resolve()
    }
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', finish, { once: true })
    undo.push(() => signal.removeEventListener('abort', finish), clock.after(ms, finish), ...pulses.map((p) => p.subscribe(finish)))
  })
}

/** A controller whose signal many calls may listen to; each of them leaves when it is done. */
export function sharedController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

/**
 * Lets in while fewer than `slots` are taken, first come first served.
 *
 * Who takes several at once comes in like everybody else, so more may be taken then: otherwise others would pass it over for ever.
 */
export class Limiter {
  /** Below zero when somebody has taken more than there were. */
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(slots: number) {
    this.#free = slots
  }

  /** `count` slots to dispose of, or undefined when the signal aborts first. */
  async acquire(signal: AbortSignal, count = 1): Promise<Disposable | undefined> {
    if (signal.aborted) return undefined
    if (this.#free > 0) return this.#take(count)
    return new Promise((resolve) => {
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(enter), 1)
        resolve(undefined)
      }
      const enter = () => {
        signal.removeEventListener('abort', leave)
        resolve(this.#take(count))
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#queue.push(enter)
    })
  }

  /** The same, or undefined when it would have to wait. */
  tryAcquire(count = 1): Disposable | undefined {
    return this.#free > 0 ? this.#take(count) : undefined
  }

  #take(count: number): Disposable {
    this.#free -= count
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#free += count
        while (this.#free > 0 && this.#queue.length > 0) this.#queue.shift()?.()
      },
    }
  }
}
