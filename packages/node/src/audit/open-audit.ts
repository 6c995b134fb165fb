import { originOf } from '@conclave/audit'
import { type ClusterLock, systemClock } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { KeyVault } from '@conclave/vault'
import { besideStore } from '../sealed-files.ts'
import type { NodeSettings } from '../settings.ts'
import { AuditJournal } from './audit-journal.ts'
import type { AuditParts } from './node-audit.ts'
import { openPqSigner, PQ_KEY_FILE, PQ_PUBLIC_FILE } from './pq-key.ts'

/** Opens the log of a node as its settings say. The database of the node is open: one process at a time. @throws {AuditError}; {VaultError}; {StoreError}. */
export async function openAudit(
  settings: NodeSettings,
  lock: ClusterLock,
  parts: { vault: KeyVault; log: Logger },
): Promise<AuditParts & { readonly journal: AuditJournal }> {
  const { audit, name } = settings
  const { vault, log } = parts
  const files = { sealed: besideStore(settings, PQ_KEY_FILE), public: besideStore(settings, PQ_PUBLIC_FILE) }
  const pq = audit.isPostQuantum ? await openPqSigner(vault, name, files) : undefined
  const journal = await AuditJournal.open({
    dir: audit.path,
    origin: originOf(lock.clusterId, name),
    node: name,
    clock: systemClock,
    log,
  })
  return {
    ...{ journal, everyEntries: audit.checkpointEntries, everyMs: audit.checkpointMs },
    ...(audit.witnessesRequired === undefined ? {} : { required: audit.witnessesRequired }),
    ...(pq === undefined ? {} : { pq }),
  }
}
