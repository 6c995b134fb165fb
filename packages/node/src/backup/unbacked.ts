/** Keys whose present epoch is in no backup: with that node's machine, its share would be gone. */

export interface UnbackedKey {
  readonly keyId: string
  readonly epoch: number
  /** Null when no backup of the key was ever made. */
  readonly lastBackupEpoch: number | null
}

/** What a node says of a key; see `AdminKey`. */
export interface BackedKey {
  readonly keyId: string
  readonly epoch: number
  readonly state: string
  readonly lastBackup: { readonly epoch: number } | null
}

/** Of the keys of a node's status, those that the last backup does not hold; a share that is stale needs none. */
export function unbackedKeys(keys: readonly BackedKey[]): readonly UnbackedKey[] {
  return keys
    .filter(({ epoch, state, lastBackup }) => state !== 'stale' && lastBackup?.epoch !== epoch)
    .map(({ keyId, epoch, lastBackup }) => ({ keyId, epoch, lastBackupEpoch: lastBackup?.epoch ?? null }))
}
