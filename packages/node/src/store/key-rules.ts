import type { Change } from './store.ts'

/** What the phases of keys have to say when shares are stored. */
export interface KeyRules {
  /** @throws {ConclaveError} when this key gets no shares any more. */
  requireShares(keyId: string): void
  /** What is written in one batch with the first share of a key, and told when it is on the disk. */
  first(keyId: string): { readonly change: Change; written(): void } | undefined
}

/** Every key may have shares, and nothing is said of the first. */
export const NO_RULES: KeyRules = {
  requireShares: () => undefined,
  first: () => undefined,
}
