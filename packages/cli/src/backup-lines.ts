import type { BackupSummary } from '@conclave/node'

/** What a backup says of itself, for a person. */
export function backupLines(b: BackupSummary): readonly string[] {
  return [
    `backup ${b.backupId}`,
    `of node ${b.node} (${b.index}) of cluster ${b.clusterId}, made ${b.createdAt} under lock version ${b.lock.version}`,
    `signed by ${b.identity.type} ${b.identity.publicKey}`,
    `opens with ${b.required} pieces of ${b.custodians.join(', ')}`,
    ...b.keys.map(({ keyId, epoch }) => `  key ${keyId}, epoch ${epoch}`),
  ]
}
