import type { Logger } from './logger.ts'

const REPORT_EVERY_MS = 10_000

/** Logs strangers at most every ten seconds, with their number: whoever can connect can otherwise fill the log. */
export class Refusals {
  readonly #logger: Logger
  #count = 0
  #nextMs = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(peerId: string, direction: 'inbound' | 'outbound'): void {
    this.#count++
    const nowMs = performance.now()
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + REPORT_EVERY_MS
    this.#logger.warn({ peerId, direction, count: this.#count }, 'refused a peer that is not in the cluster lock, or not this way round')
    this.#count = 0
  }
}
