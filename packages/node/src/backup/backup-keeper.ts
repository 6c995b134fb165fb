import {
  type Clock,
  type ClusterLock,
  ConclaveError,
  codeOf,
  equalBytes,
  type Journal,
  lockHash,
  type NodeMember,
  tagged,
  toHex,
  wipe,
} from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { KeyVault } from '@conclave/vault'
import {
  decode,
  encode,
  type KeyCertificate,
  type KeyPublic,
  KnownEpochs,
  PIECE_FILE_BYTES_MAX,
  StoredBurn,
  StoredKeyLife,
} from '@conclave/wire'
import type { Certificates } from '../certificates.ts'
import type { EpochKeeper } from '../epoch-keeper.ts'
import type { KeyStore, NodeScope } from '../store/key-store.ts'
import type { PairStore } from '../store/pair-store.ts'
import type { Store } from '../store/store.ts'
import { Turns } from '../store/turns.ts'
import { BackupError } from './backup-error.ts'
import { BACKUP_BYTES_MAX, type Backup, type BackupSummary, checkMadeUnder, checkOwner, parseBackup, summaryOf } from './backup-file.ts'
import { SHARE_BYTES } from './backup-state.ts'
import { type BackupMarks, beginOneTimeKey, dropOneTimeKey, readOneTimeKey } from './backup-store.ts'
import { readLimited, writeNew } from './disk.ts'
import { type Standing, standingOf } from './known-epochs.ts'
import { type BackupPlan, makeBackup } from './make-backup.ts'
import { unbackedKeys } from './unbacked.ts'
import { unlockBackup } from './unlock.ts'

export interface BackupKeeperParts {
  readonly self: NodeMember
  readonly scope: NodeScope
  readonly vault: KeyVault
  readonly store: Store
  readonly marks: BackupMarks
  readonly keys: KeyStore
  readonly epochs: EpochKeeper
  readonly pairs: PairStore
  readonly certificates: Certificates
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Logger
  /** Undefined when the settings name no custodians. */
  readonly backup?: BackupPlan | undefined
}

/** What was found out about a backup without its custodians. */
export interface BackupCheck extends BackupSummary {
  readonly standings: readonly {
    readonly keyId: string
    readonly epoch: number
    readonly standing: Standing
    readonly present: number | null
  }[]
}

/** Proof that a backup would restore. */
export interface DrillReport extends BackupCheck {
  /** ISO 8601, UTC. */
  readonly drilledAt: string
  readonly openedBy: readonly string[]
}

/** Makes the backups of a running node, and tries them. */
export class BackupKeeper {
  readonly #p: BackupKeeperParts
  /** One at a time: each opens shares. */
  readonly #turns = new Turns()

  constructor(parts: BackupKeeperParts) {
    this.#p = parts
  }

  get plan(): BackupPlan | undefined {
    return this.#p.backup
  }

  /** Of the last backup of a key, whatever its epoch. */
  lastOf(keyId: string): { readonly epoch: number; readonly at: string } | null {
    const mark = this.#p.marks.made(keyId)
    return mark === undefined ? null : { epoch: mark.epoch, at: new Date(mark.atMs).toISOString() }
  }

  /** When the backup was made that the share of this epoch came from; null when it came from no backup. */
  restoredFrom(keyId: string, epoch: number): string | null {
    const mark = this.#p.marks.restored(keyId, epoch)
    return mark === undefined ? null : new Date(mark.atMs).toISOString()
  }

  /** At start: records a restore that nobody has heard of yet, and warns of what is in no backup. @throws what the journal throws; {StoreError}. */
  async announce(): Promise<void> {
    const { marks, journal, log } = this.#p
    for (const [backupId, restored] of marks.untold()) {
      const madeAt = new Date(restored[0]?.atMs ?? 0).toISOString()
      await journal.record({ kind: 'backup.restored', details: { backupId, ...listed(restored), madeAt } })
      await marks.told(backupId)
      log.warn({ backupId, madeAt }, 'the shares of this node came from a backup: reshare its keys')
    }
    this.#warn()
  }

  #warn(): void {
    const { keys, log } = this.#p
    const states = keys.active().map((k) => ({ keyId: k.keyId, epoch: k.epoch, state: 'active', lastBackup: this.lastOf(k.keyId) }))
    const unbacked = unbackedKeys(states)
    if (unbacked.length === 0) return
    const names = unbacked.slice(0, 16).map((k) => `${k.keyId} (epoch ${k.epoch})`)
    log.warn({ keys: names, count: unbacked.length, configured: this.plan !== undefined }, 'keys whose present epoch is in no backup')
  }

  /**
   * Writes a backup of every active epoch to a new file, reads it again, and notes what it holds.
   *
   * @param out - absolute path.
   * @throws {BackupError} BACKUP_NOT_CONFIGURED, NOTHING_TO_BACK_UP, BACKUP_EXISTS, BACKUP_NOT_WRITTEN, BAD_RECIPIENT; {VaultError}; {StoreError}.
   */
  create(out: string): Promise<BackupSummary> {
    return this.#turns.take(async () => {
      const { marks, journal, clock } = this.#p
      const createdAtMs = clock.nowMs()
      const bytes = await this.#make(createdAtMs)
      const backup = parseBackup(bytes)
      const { backupId, keys, custodians, required } = backup.header
      const who = { custodians: custodians.map((c) => c.name), required }
      await journal.record({ kind: 'backup.created', details: { ...eventOf(backup), ...who } })
      await writeNew(out, bytes)
      await marks.note(keys.map(({ keyId, epoch }) => ({ keyId, epoch, atMs: createdAtMs, backupId })))
      return summaryOf(backup)
    })
  }

  /** Checks a backup as far as that goes without its custodians, against the epochs that this node holds. @throws {BackupError}. */
  async verify(file: string): Promise<BackupCheck> {
    const backup = parseBackup(await readLimited(file, BACKUP_BYTES_MAX))
    checkOwner(backup, this.#lockOf(backup))
    return this.#checked(summaryOf(backup))
  }

  /** The recipient that custodians open their pieces to for the next drill. @throws {VaultError}; {StoreError}. */
  beginDrill(): Promise<{ readonly recipient: string }> {
    const { store, vault, self, journal } = this.#p
    return this.#turns.take(async () => {
      const { recipient } = await beginOneTimeKey(store, vault, self.name)
      await journal.record({ kind: 'drill.begun', details: { recipient } })
      return { recipient }
    })
  }

  /**
   * Opens a backup of this node in memory, checks every share and certificate, and wipes it. Nothing of it is stored.
   *
   * @param file, pieceFiles - absolute paths.
   * @throws {BackupError} NOT_BEGUN, and what {@link unlockBackup} throws.
   */
  drill(file: string, pieceFiles: readonly string[]): Promise<DrillReport> {
    return this.#turns.take(async () => {
      const { store, vault, self, journal, clock } = this.#p
      const backup = parseBackup(await readLimited(file, BACKUP_BYTES_MAX))
      const { node } = backup.header
      // A share of another node has no business here, not even for a moment.
      if (node !== self.name) throw new BackupError('BACKUP_OTHER_NODE', `this backup is of node ${node}: it is drilled there`)
      const lock = this.#lockOf(backup)
      checkMadeUnder(backup, lock)
      const pieces = await Promise.all(pieceFiles.map(async (name) => ({ name, bytes: await readLimited(name, PIECE_FILE_BYTES_MAX) })))
      const key = async () => {
        const known = await readOneTimeKey(store, vault, self.name)
        if (known === undefined)
          throw new BackupError('NOT_BEGUN', 'no drill was begun: "conclave backup drill --begin" gives the recipient')
        return known
      }
      const { open, custodians } = await unlockBackup({ backup, lock, pieces, oneTimeKey: key }).catch(async (error: unknown) => {
        await journal.record({ kind: 'drill.failed', details: { ...eventOf(backup), code: codeOf(error) } })
        throw error
      })
      open[Symbol.dispose]()
      const drilledAt = new Date(clock.nowMs()).toISOString()
      await journal.record({ kind: 'backup.drilled', details: { ...eventOf(backup), openedBy: custodians } })
      await store.apply([dropOneTimeKey])
      return { ...this.#checked(summaryOf(backup)), drilledAt, openedBy: custodians }
    })
  }

  /** Writes the certificates of all active epochs to a new file: proof for whoever restores another node. @throws {BackupError}. */
  async exportEpochs(out: string): Promise<{ readonly keys: number }> {
    const { keys, certificates } = this.#p
    const answers = keys.active().map(({ keyId, epoch }) => certificates.answer({ keyId, epoch }))
    await writeNew(out, encode(KnownEpochs, { certificates: answers }))
    return { keys: answers.length }
  }

  /** The lock that a backup was made under, if this node has lived under it; else the one in force. */
  #lockOf({ header }: Backup): ClusterLock {
    const { locks } = this.#p.scope
    return locks.find((l) => equalBytes(lockHash(l), header.lockHash)) ?? (locks.at(-1) as ClusterLock)
  }

  #checked(summary: BackupSummary): BackupCheck {
    const { keys } = this.#p
    const standings = summary.keys.map(({ keyId, epoch }) => {
      const present = keys.has(keyId) === 'active' ? keys.get(keyId).epoch : undefined
      return { keyId, epoch, standing: standingOf(epoch, present), present: present ?? null }
    })
    return { ...summary, standings }
  }

  async #make(createdAtMs: number): Promise<Uint8Array> {
    const { self, scope, vault, store, keys, epochs, pairs } = this.#p
    const { plan } = this
    if (plan === undefined)
      throw new BackupError('BACKUP_NOT_CONFIGURED', 'node.yaml names no custodians: add backup: { custodians: [...], required: ... }')
    const held = keys
      .active()
      .filter((k) => !epochs.isStale(k.keyId))
      .sort((a, b) => (a.keyId < b.keyId ? -1 : 1))
    if (held.length === 0) throw new BackupError('NOTHING_TO_BACK_UP', 'this node holds no share of an active epoch')
    const burns = (await store.list('burn')).map(({ value }) => decode(StoredBurn, value))
    const lives = (await store.list('key-life')).map(({ value }) => decode(StoredKeyLife, value))
    const erasures = (await store.list('erasure')).map(({ value }) => value)
    const peers = [...scope.peerIds.keys()].filter((j) => j !== self.index)
    const pairEpochs = peers.map((peer) => ({ peer, pairEpoch: pairs.nextEpoch(peer) - 1 }))
    const shares = new Uint8Array(held.length * SHARE_BYTES)
    try {
      for (const [i, key] of held.entries()) await this.#openInto(shares, i, key)
      const certificates = held.map((key) => this.#certificateOf(key))
      const contents = { self, locks: scope.locks, certificates, shares, burns, pairEpochs, lives, erasures, createdAtMs }
      return await makeBackup(contents, { plan, identity: vault.identity, random: (length) => vault.random(length) })
    } finally {
      wipe(shares)
    }
  }

  async #openInto(shares: Uint8Array, at: number, { keyId, epoch }: KeyPublic): Promise<void> {
    const { secret } = await this.#p.keys.openShare(keyId, epoch)
    try {
      shares.set(secret, at * SHARE_BYTES)
    } finally {
      wipe(secret)
    }
  }

  #certificateOf({ keyId, epoch }: KeyPublic): KeyCertificate {
    const known = this.#p.keys.certified(keyId, epoch)
    // A renewal may have settled while the shares were opened, and the epoch before may be gone.
    if (known === undefined) throw new ConclaveError('STALE_EPOCH', `key "${keyId}" has just left epoch ${epoch}`, { retriable: true })
    return known.certificate
  }
}

/** How many keys an event names; a node may hold thousands. */
const NAMED_MAX = 32

const listed = (keys: readonly { readonly keyId: string; readonly epoch: number }[]) => ({
  keys: keys.slice(0, NAMED_MAX).map(({ keyId, epoch }) => `${keyId}:${epoch}`),
  keyCount: keys.length,
})

/** The hash stands for all keys and epochs of the header, also those that are not named. */
const eventOf = ({ header, file }: Backup) => ({
  ...{ backupId: toHex(header.backupId), headerHash: toHex(tagged('backup-header', file.header)) },
  ...listed(header.keys),
})
