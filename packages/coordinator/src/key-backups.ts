import type { PartyId } from '@conclave/core'
import type { ClusterView } from './cluster-view.ts'
import type { KeyRecord } from './records.ts'

/** What one node of a key says of its own backups of it. */
export interface KeyBackup {
  readonly node: PartyId
  /** Of its last backup; null when it has made none, or has not reported the key. Below the key's epoch, its share is in no backup. */
  readonly lastBackupEpoch: number | null
}

/** The backups of any key, by node, as the nodes report them now. */
export function backupsIn(view: ClusterView): (key: Pick<KeyRecord, 'keyId' | 'parties'>) => readonly KeyBackup[] {
  // Read once: a node may hold thousands of keys, and all of them may be asked for.
  const byNode = new Map<PartyId, ReadonlyMap<string, number | null>>()
  const epochsAt = (node: PartyId): ReadonlyMap<string, number | null> => {
    const known = byNode.get(node)
    if (known !== undefined) return known
    const reported = view.report(node)?.status.keys ?? []
    const epochs = new Map(reported.map((k) => [k.keyId, k.backedUp ? k.backupEpoch : null]))
    byNode.set(node, epochs)
    return epochs
  }
  return ({ keyId, parties }) => parties.map((node) => ({ node, lastBackupEpoch: epochsAt(node).get(keyId) ?? null }))
}
