import type { Journal } from '@conclave/core'
import { type RecordShelf, shelfOf } from '@conclave/vault'
import type { FreezeRecord } from '@conclave/wire'
import { adoptLock } from './adopt-lock.ts'
import { ApprovalBook } from './approvals/approval-book.ts'
import { BackupMarks } from './backup/backup-store.ts'
import { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { refuseOldRecords } from './hsm-admin.ts'
import { SpendingLedger } from './ledger/spending-ledger.ts'
import { logJournal } from './log-journal.ts'
import type { NodeParts } from './node-parts.ts'
import { PolicyBook } from './policies/policy-book.ts'
import { KeyLives } from './store/key-lives.ts'
import { KeyStore, type NodeScope } from './store/key-store.ts'
import { PairStore } from './store/pair-store.ts'

/** What a node keeps on its disk, and whom it is for. */
export interface NodeStores {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly pairs: PairStore
  readonly marks: BackupMarks
  readonly approvals: ApprovalBook
  readonly freezes: readonly FreezeRecord[]
  readonly ledger: SpendingLedger
  readonly policies: PolicyBook
  readonly lives: KeyLives
  readonly journal: Journal
  /** Every record that this node has sealed. */
  readonly shelf: RecordShelf
}

type Parts = Pick<
  NodeParts,
  | 'lock'
  | 'name'
  | 'policy'
  | 'overlay'
  | 'store'
  | 'vault'
  | 'log'
  | 'clock'
  | 'journal'
  | 'audit'
  | 'shelves'
  | 'abandonedKeys'
  | 'explicitActivation'
>

/**
 * Adopts the lock and opens the stores. Nothing is done under a new lock before it is on the disk.
 *
 * @throws {ConfigError} what {@link adoptLock} throws; {StoreError}; {VaultError} KEK_DESTROYED on an old copy of the disk.
 */
export async function openStores(parts: Parts): Promise<NodeStores> {
  const { store, vault, clock, log, audit } = parts
  const journal = parts.journal ?? audit?.journal ?? logJournal(log)
  const scope = await adoptLock(parts, journal)
  const lives = await KeyLives.open(store)
  const keys = await KeyStore.open(store, vault, scope, {
    requireShares: (keyId) => lives.requireShares(keyId),
    first: (keyId) => (parts.explicitActivation === true ? lives.provisioned(keyId, clock.nowMs()) : undefined),
  })
  const pairs = await PairStore.open(store, vault, scope)
  await refuseOldRecords(vault, shelfOf([keys.shelf(), pairs.shelf()]))
  const shelf = shelfOf([keys.shelf(), pairs.shelf(), ...(parts.shelves ?? [])])
  const approvals = await ApprovalBook.open(store, clock)
  const freezes = await FreezeKeeper.stored(store)
  const { policy: local, overlay } = parts
  const policies = await PolicyBook.open({ store, local, overlay, authors: parts.lock.authors })
  const ledger = await SpendingLedger.open({ store, policy: policies, log })
  return { scope, keys, pairs, lives, journal, shelf, approvals, freezes, ledger, policies, marks: await BackupMarks.open(store) }
}
