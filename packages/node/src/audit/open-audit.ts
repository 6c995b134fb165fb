import { join } from 'node:path'
import { originOf } from '@conclave/audit'
import { type ClusterLock, systemClock } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { KeyVault, RecordShelf } from '@conclave/vault'
import type { NodeSettings } from '../settings.ts'
import { sealedFile } from '../store/sealed-file.ts'
import { AuditJournal } from './audit-journal.ts'
import type { AuditParts } from './node-audit.ts'
import { openPqSigner, PQ_KEY_FILE, PQ_PUBLIC_FILE, pqKeyContext } from './pq-key.ts'

export interface OpenedAudit {
  readonly parts: AuditParts
  /** What is sealed for it. */
  readonly shelves: readonly RecordShelf[]
}

/** Opens the log of a node as its settings say. The database of the node is open: one process at a time. @throws {AuditError}; {VaultError}; {StoreError}. */
export async function openAudit(settings: NodeSettings, lock: ClusterLock, parts: { vault: KeyVault; log: Logger }): Promise<OpenedAudit> {
  const { audit, name, storePath } = settings
  const { vault, log } = parts
  const files = { sealed: join(storePath, '..', PQ_KEY_FILE), public: join(storePath, '..', PQ_PUBLIC_FILE) }
  const pq = audit.isPostQuantum ? await openPqSigner(vault, name, files) : undefined
  const journal = await AuditJournal.open({
    dir: audit.path,
    origin: originOf(lock.clusterId, name),
    node: name,
    clock: systemClock,
    log,
  })
  return {
    parts: {
      ...{ journal, everyEntries: audit.checkpointEntries, everyMs: audit.checkpointMs },
      ...(audit.witnessesRequired === undefined ? {} : { required: audit.witnessesRequired }),
      ...(pq === undefined ? {} : { pq }),
    },
    shelves: pq === undefined ? [] : [sealedFile(PQ_KEY_FILE, files.sealed, pqKeyContext(name))],
  }
}
