import type { Clock, PartyId } from '@conclave/core'

/** How long a node that stood in the way of a first attempt is not asked without need. */
export const DOUBT_MS = 30_000
const DOUBTS_MAX = 4096

/**
 * Nodes that a first attempt had better not begin with: they did not answer lately, or denied for that key what others signed. It is
 * only about who is asked at once: every node may still sign what it has allowed.
 */
export class Doubts {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param keyId - the one key that the doubt is about; all of them unless given. */
  add(node: PartyId, keyId = ''): void {
    const name = `${node} ${keyId}`
    this.#untilMs.delete(name)
    this.#untilMs.set(name, this.#clock.nowMs() + DOUBT_MS)
    if (this.#untilMs.size > DOUBTS_MAX) this.#untilMs.delete(this.#untilMs.keys().next().value as string)
  }

  has(node: PartyId, keyId: string): boolean {
    return ['', keyId].some((about) => (this.#untilMs.get(`${node} ${about}`) ?? 0) > this.#clock.nowMs())
  }
}
