import type { Clock } from '@conclave/core'
import { ApiError } from './problem.ts'

export interface Rate {
  /** What a caller may go on with for ever. */
  readonly perSecond: number
  /** What it may do at once after a pause. */
  readonly burst: number
}

interface Bucket {
  readonly tokens: number
  readonly atMs: number
}

/** A bucket of tokens for each of at most `names` callers, the ones that called last. Who is forgotten begins with a full one. */
export class RateLimit {
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #namesMax: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate, clock: Clock, namesMax: number) {
    this.#rate = rate
    this.#clock = clock
    this.#namesMax = namesMax
  }

  /**
   * Takes tokens for a call. A call that costs more than a burst waits until the bucket is full.
   *
   * @throws {ApiError} RATE_LIMITED with the seconds after which there are enough; nothing is taken then.
   */
  take(name: string, cost: number): void {
    const { perSecond, burst } = this.#rate
    const nowMs = this.#clock.nowMs()
    const last = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs }
    // A clock that is set back refills nothing.
    const tokens = Math.min(burst, last.tokens + (Math.max(0, nowMs - last.atMs) * perSecond) / 1000)
    const needed = Math.min(cost, burst)
    const enough = tokens >= needed
    this.#buckets.delete(name)
    this.#buckets.set(name, { tokens: enough ? tokens - needed : tokens, atMs: nowMs })
    if (this.#buckets.size > this.#namesMax) this.#buckets.delete(this.#buckets.keys().next().value as string)
    if (enough) return
    const retryAfterS = Math.ceil((needed - tokens) / perSecond)
    throw new ApiError('RATE_LIMITED', `too many calls: ${perSecond} a second are allowed, ${burst} at once`, { retryAfterS })
  }
}
