import { type ClusterLock, InvalidArgument, type Journal, lockHash, type NodeMember, nodeOf, type PartyId, toHex } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import type { KeyVault, RecordShelf } from '@conclave/vault'
import type { KeyPublic } from '@conclave/wire'
import type { AdminCommands, AdminKey, AdminPair, AdminStatus, AdminUnlock } from './admin.ts'
import { type AdminHsm, adminHsm } from './admin-hsm.ts'
import { AuditAdmin } from './audit/audit-admin.ts'
import type { NodeAudit } from './audit/node-audit.ts'
import type { BackupKeeper } from './backup/backup-keeper.ts'
import { type Checkup, checkUp } from './checkup.ts'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { HsmAdmin } from './hsm-admin.ts'
import { hsmReport } from './hsm-report.ts'
import type { KeyAdmin } from './key-admin.ts'
import { othersOf, VERSION } from './node-status.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { PeerReports } from './peer-reports.ts'
import type { Policies } from './policies/in-force.ts'
import type { CorrelationPool } from './pool/correlation-pool.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'
import { warningsOf } from './warnings.ts'

export interface NodeAdminParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly vault: KeyVault
  readonly keys: KeyStore
  readonly epochs: EpochKeeper
  readonly pairs: PairStore
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly backups: BackupKeeper
  readonly journal: Journal
  readonly shelf: RecordShelf
  readonly lives: KeyLives
  readonly hsm: HsmAdmin
  readonly key: KeyAdmin
  readonly transport: Transport
  readonly reports: PeerReports
  readonly audit: NodeAudit
  readonly policies: Policies
  isLinkUp(peer: PartyId): boolean
}

/** Does what the operator of this node asks. */
export class NodeAdmin implements AdminCommands {
  readonly hsm: HsmAdmin
  readonly key: KeyAdmin
  readonly audit: AuditAdmin
  readonly #p: NodeAdminParts

  constructor(parts: NodeAdminParts) {
    this.#p = parts
    this.hsm = parts.hsm
    this.key = parts.key
    this.audit = new AuditAdmin(parts.audit)
  }

  async status(): Promise<AdminStatus> {
    const { self, lock, keys, lives, correlations, backups, audit, policies } = this.#p
    const hsms = await hsmReport(this.#p)
    const { plan } = backups
    return {
      index: self.index,
      name: self.name,
      version: VERSION,
      lock: { clusterId: lock.clusterId, version: lock.version, hash: toHex(lockHash(lock)) },
      hsm: hsms.map(adminHsm),
      keys: keys.active().map((key) => this.#key(key)),
      backup: plan === undefined ? null : { required: plan.required, custodians: plan.custodians.map((c) => c.name) },
      destroyed: [
        ...lives.erasures().map(({ keyId }) => ({ keyId, complete: true })),
        ...lives.unfinished().map((keyId) => ({ keyId, complete: false })),
      ],
      pairs: othersOf(lock.nodes, self.index).map((peer) => this.#pair(peer)),
      pool: correlations.metrics(),
      audit: audit.state() ?? null,
      warnings: warningsOf({
        ...{ clusterId: lock.clusterId, policy: policies.present.policy },
        ...{ isPostQuantum: audit.isPostQuantum, witnessed: await audit.witnessed() },
      }),
    }
  }

  checkUp(): Promise<Checkup> {
    return checkUp(this.#p)
  }

  /**
   * Lifts the ban of a peer, durably, destroys the pair state, and sets the pair up anew under a higher epoch: now, or as soon as link
   * and peer allow it. The peer's own ban of this node is not touched.
   */
  async resetPair(name: string, reason: string): Promise<AdminPair> {
    const { self, lock, pairs, pairKeeper, journal } = this.#p
    const peer = lock.nodes.find((n) => n.name === name && n.index !== self.index)
    if (peer === undefined) throw new InvalidArgument('UNKNOWN_PEER', `no other node of the cluster lock is called "${name}"`)
    await journal.record({ kind: 'pair.reset', details: { peer: name, reason, lifted: pairs.burned(peer.index)?.code ?? null } })
    await pairs.reset(peer.index)
    pairKeeper.reset(peer.index)
    return this.#pair(peer.index)
  }

  async unlockHsm(name: string): Promise<AdminUnlock> {
    const { vault, journal } = this.#p
    const hsm = vault.hsm(name)
    await journal.record({ kind: 'hsm.unlocked', details: { hsm: name } })
    await hsm.retry()
    const [report] = (await hsmReport(this.#p)).filter((h) => h.name === name).map(adminHsm)
    return { hsm: report as AdminHsm, awaitsPin: report?.code === 'PIN_NEEDED' && hsm.pinSocket !== undefined }
  }

  /**
   * Erases the shares of every epoch below the active one, although somebody may still need them: the operator's own judgement in the
   * place of the rule, for a party that will never say that it has moved on.
   */
  async eraseOlder(keyId: string, reason: string): Promise<AdminKey> {
    const { keys, journal } = this.#p
    const key = keys.get(keyId)
    await journal.record({ kind: 'share.erased', details: { keyId, below: key.epoch, kept: keys.others(keyId).certified, reason } })
    await keys.eraseBelow(keyId, key.epoch)
    return this.#key(key)
  }

  #key({ keyId, epoch, threshold, parties, publicKey }: KeyPublic): AdminKey {
    const { keys, lives, epochs, backups } = this.#p
    const { phase } = lives.of(keyId)
    const { certified, pending } = keys.others(keyId)
    const state = epochs.isStale(keyId) ? 'stale' : 'active'
    const held = { publicKey: toHex(publicKey), kept: certified, prepared: pending }
    const backup = { lastBackup: backups.lastOf(keyId), restoredFrom: backups.restoredFrom(keyId, epoch) }
    return { keyId, phase, epoch, state, threshold, parties, ...held, ...backup }
  }

  #pair(peer: PartyId): AdminPair {
    const { lock, pairs, pairKeeper, correlations, isLinkUp } = this.#p
    const ban = pairs.burned(peer)
    return {
      index: peer,
      peer: nodeOf(lock, peer)?.name ?? '',
      isLinkUp: isLinkUp(peer),
      state: pairKeeper.stateOf(peer),
      pairEpoch: pairs.current(peer)?.pairEpoch ?? 0,
      stock: correlations.stockOf(peer),
      ban: ban === undefined ? null : { code: ban.code, pairEpoch: ban.pairEpoch, at: new Date(ban.atMs).toISOString() },
    }
  }
}
