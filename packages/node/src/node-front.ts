import type { NodeMember, PartyId } from '@conclave/core'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import type { NodeAudit } from './audit/node-audit.ts'
import type { BackupKeeper } from './backup/backup-keeper.ts'
import type { Certificates } from './certificates.ts'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { HsmAdmin } from './hsm-admin.ts'
import { KeyAdmin } from './key-admin.ts'
import type { KeyMaker } from './key-maker.ts'
import { Leaving } from './leaving.ts'
import type { ClockGuard } from './ledger/clock-guard.ts'
import type { SpendingLedger } from './ledger/spending-ledger.ts'
import { type MeasuredNode, measureNode } from './metrics/measured-node.ts'
import { NodeAdmin } from './node-admin.ts'
import type { NodeParts } from './node-parts.ts'
import { StatusReport } from './node-status.ts'
import type { NodeStores } from './node-stores.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { PeerReports } from './peer-reports.ts'
import type { PolicyBook } from './policies/policy-book.ts'
import type { PolicyKeeper } from './policies/policy-keeper.ts'
import type { CorrelationPool } from './pool/correlation-pool.ts'
import type { Proposals } from './proposals.ts'
import type { ReceiptDesk } from './receipts/receipt-desk.ts'
import type { RequestRoutes } from './request-routes.ts'
import { RequestScopes } from './request-scope.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { Signer } from './signer.ts'

export interface FrontParts extends Pick<NodeStores, 'scope' | 'keys' | 'lives' | 'pairs' | 'shelf' | 'journal'> {
  readonly parts: NodeParts
  readonly self: NodeMember
  readonly epochs: EpochKeeper
  readonly keyMaker: KeyMaker
  readonly backups: BackupKeeper
  readonly audit: NodeAudit
  readonly reports: PeerReports
  readonly certificates: Certificates
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly signer: Signer
  readonly approvals: ApprovalDesk
  readonly proposals: Proposals
  readonly receipts: ReceiptDesk
  readonly freezes: FreezeKeeper
  readonly policies: PolicyKeeper
  readonly ledger: SpendingLedger
  readonly clockGuard: ClockGuard
  readonly policyBook: PolicyBook
  readonly hub: SessionHub
  isLinkUp(peer: PartyId): boolean
}

export interface NodeFront {
  readonly report: StatusReport
  readonly admin: NodeAdmin
  readonly routes: RequestRoutes
  readonly leaving: Leaving
  readonly measured: MeasuredNode
}

/** What others may ask of a node: its operator, coordinators, the other nodes. */
export function nodeFront(p: FrontParts): NodeFront {
  const { self, scope, keys, lives, shelf, journal } = p
  const { lock, vault, clock, transport, meter } = p.parts
  const policySequence = () => p.policies.status().inForce.sequence
  const shown = { ...p, lock, vault, transport, clock, policySequence }
  const { log, tracer, metrics } = p.parts
  const leaving = new Leaving({ clock, transport, log, isBusy: () => p.hub.running > 0 || p.signer.isSigning })
  const scopes = new RequestScopes({ log, tracer, ended: (act, code) => metrics?.requested(act, code) })
  const measured = measureNode({ ...p, leaving, policySequence })
  const report = new StatusReport({ ...shown, meter })
  const hsm = new HsmAdmin({ vault, journal, shelf })
  const key = new KeyAdmin({ scope, keys, lives, vault, hsm, clock, journal })
  const admin = new NodeAdmin({ ...shown, self, hsm, key })
  const lookable = { ...p, policies: p.policyBook }
  return { report, admin, routes: { ...p, report, scopes, leaving, lookable }, leaving, measured }
}
