import { ConclaveError } from '@conclave/core'

/** A node's disk failed or does not hold what it should. Codes: STORE_MISSING, STORE_LOCKED, STORE_CORRUPT, STORE_IO. */
export class StoreError extends ConclaveError {}

const SECTIONS = [
  'key',
  'pending-key',
  'pair',
  'burn',
  'pair-epoch',
  'request',
  'lock',
  'backup',
  'key-life',
  'erasure',
  'witness',
  'spend',
  'nonce',
  'approval',
  'freeze',
  'receipt',
  'opening',
  'policy',
] as const
export type Section = (typeof SECTIONS)[number]

export type Change =
  | { readonly put: Section; readonly key: string; readonly value: Uint8Array }
  | { readonly del: Section; readonly key: string }

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** So many entries whose keys come after one. */
export interface Page {
  /** Empty for the first page. */
  readonly after: string
  readonly limit: number
}

/** A node's database. Reads see every change whose `apply` has resolved, and those of no other for sure. */
export interface Store {
  /** @throws {StoreError} STORE_CORRUPT when the value is not the one that was written under this key; STORE_IO. */
  get(section: Section, key: string): Promise<Uint8Array | undefined>
  /** Every entry of a section, by key; or those of one page. @throws {StoreError} STORE_CORRUPT, STORE_IO. */
  list(section: Section, page?: Page): Promise<readonly Entry[]>
  /**
   * Applies all changes or none; resolves when they are on the disk. Calls take effect in their order, also those that nobody waited for.
   *
   * @throws {StoreError} STORE_IO.
   */
  apply(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}
