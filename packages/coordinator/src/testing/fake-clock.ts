import type { Clock } from '@conclave/core'

/** Time that only moves when a test says so. */
export class FakeClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1)
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>()

  /** Timers that have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers.size
  }

  /** How many things wait for exactly this long from now. */
  timersIn(ms: number): number {
    return [...this.#timers].filter((t) => t.atMs === this.#nowMs + ms).length
  }

  hasTimer(ms: number): boolean {
    return this.timersIn(ms) > 0
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, fire }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Fires what falls due, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = [...this.#timers].filter((t) => t.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fire()
    }
    this.#nowMs = untilMs
  }
}

const PATIENCE_MS = 60_000

/** Lets everything else run until `holds`. @throws after a time that only a broken test needs. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`this never came true: ${holds}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
