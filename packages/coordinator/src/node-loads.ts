import type { PartyId } from '@conclave/core'

/** A node with one more signature under way is busier than one that was chosen this many times more often before. */
export const RUNNING_WEIGHT = 1_000_000

/** How busy each node is with this coordinator's attempts, and how often it had its turn. */
export class NodeLoads {
  readonly #running = new Map<PartyId, number>()
  readonly #chosen = new Map<PartyId, number>()

  of(node: PartyId): number {
    return RUNNING_WEIGHT * (this.#running.get(node) ?? 0) + (this.#chosen.get(node) ?? 0)
  }

  /** Counts one attempt of these signers at so many signatures; dispose when it has ended. */
  begin(signers: readonly PartyId[], count: number): Disposable {
    for (const node of signers) {
      this.#running.set(node, (this.#running.get(node) ?? 0) + count)
      this.#chosen.set(node, (this.#chosen.get(node) ?? 0) + count)
    }
    return {
      [Symbol.dispose]: () => {
        for (const node of signers) this.#running.set(node, (this.#running.get(node) ?? count) - count)
      },
    }
  }
}
