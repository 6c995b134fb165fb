import type { SealContext } from './key-vault.ts'

/** A sealed record where it is kept. */
export interface ShelvedRecord {
  /** For people, e.g. `share of key treasury, epoch 4`. */
  readonly name: string
  /** What it opens under; `version` is the lowest that its owner accepts. */
  readonly context: SealContext
  readonly record: Uint8Array
  /**
   * Puts the same secret in its place, rewrapped, durably. Does nothing when the record was replaced or removed since it was listed.
   *
   * @returns whether it did.
   */
  replace(rewrapped: Uint8Array): Promise<boolean>
}

/**
 * Every record that a node has sealed, wherever it is kept. What is not on the shelf cannot be opened any more after the next rotation.
 */
export interface RecordShelf {
  /** Resolves when whatever was being sealed at this moment is in `records()`, or will never be stored. */
  settled(): Promise<void>
  records(): Promise<readonly ShelvedRecord[]>
}

/** Several shelves as one. */
export function shelfOf(shelves: readonly RecordShelf[]): RecordShelf {
  return {
    async settled() {
      await Promise.all(shelves.map((s) => s.settled()))
    },
    records: async () => (await Promise.all(shelves.map((s) => s.records()))).flat(),
  }
}
