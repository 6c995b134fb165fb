import { setTimeout as delay } from 'node:timers/promises'
import { ConclaveApiError } from './problem.ts'

/** How something is waited for. */
export interface Waiting<T> {
  /** Called with what is waited for whenever its state is another one than before, also with the last one. */
  readonly seen?: (value: T) => void
  /** Default: the longest deadline that a request can have, seven days. */
  readonly timeoutMs?: number
}

interface Poll<T> extends Waiting<T> {
  /** One look, which the coordinator answers after `waitMs`, or sooner when it is over. */
  ask(waitMs: number): Promise<T>
  /** @throws what a state is that nobody knows. */
  isOver(value: T): boolean
  /** Of one look. */
  readonly waitMs: number
  /** Between two looks that were answered sooner than `waitMs`, and not over. */
  readonly pauseMs: number
}

const TIMEOUT_MS = 7 * 24 * 60 * 60_000

/** Looks until it is over. @throws {ConclaveApiError} WAIT_TIMEOUT; it goes on without us. */
export async function poll<T extends { readonly state: string }>(what: Poll<T>): Promise<T> {
  const { ask, isOver, seen, waitMs, pauseMs, timeoutMs = TIMEOUT_MS } = what
  const endsAtMs = performance.now() + timeoutMs
  let state: string | undefined
  for (;;) {
    const askedAtMs = performance.now()
    // Whoever watches hears at once that something goes on.
    const asked = seen !== undefined && state === undefined ? 0 : Math.max(0, Math.min(waitMs, Math.floor(endsAtMs - askedAtMs)))
    const value = await ask(asked)
    const isOverNow = isOver(value)
    if (value.state !== state) seen?.(value)
    state = value.state
    if (isOverNow) return value
    const nowMs = performance.now()
    if (nowMs >= endsAtMs)
      throw ConclaveApiError.local('WAIT_TIMEOUT', `it is ${state} and has not ended in ${timeoutMs} ms`, { retriable: true })
    if (nowMs - askedAtMs < asked / 2) await delay(Math.min(pauseMs, endsAtMs - nowMs))
  }
}
