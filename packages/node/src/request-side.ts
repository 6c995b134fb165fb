import type { Journal, PartyId } from '@conclave/core'
import { ApprovalDesk } from './approvals/approval-desk.ts'
import type { SigningGate } from './audit/signing-gate.ts'
import type { Calls } from './calls.ts'
import { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { CLOCK_SKEW_MAX_MS, ClockGuard } from './ledger/clock-guard.ts'
import type { NodeParts } from './node-parts.ts'
import type { NodeStores } from './node-stores.ts'
import type { Outbox } from './outbox.ts'
import { PeerReports } from './peer-reports.ts'
import { PolicyKeeper } from './policies/policy-keeper.ts'
import { PolicyTrials } from './policies/policy-trials.ts'
import { Proposals } from './proposals.ts'
import { ReceiptDesk } from './receipts/receipt-desk.ts'
import { RequestStore } from './store/request-store.ts'

export interface RequestSideParts {
  readonly self: PartyId
  readonly parts: NodeParts
  readonly stores: NodeStores
  readonly outbox: Outbox
  readonly calls: Calls
  readonly journal: Journal
  readonly gate: SigningGate
  /** Something was frozen: what runs is looked at again. */
  frozen(): void
  /** A newer policy is known: what runs under the one before ends. */
  stale(): void
}

export interface RequestSide {
  readonly requests: RequestStore
  readonly proposals: Proposals
  readonly approvals: ApprovalDesk
  readonly freezes: FreezeKeeper
  readonly policies: PolicyKeeper
  readonly trials: PolicyTrials
  readonly clockGuard: ClockGuard
  readonly reports: PeerReports
  readonly receipts: ReceiptDesk
}

/** Everything of a request before it is signed: what was proposed, what people say of it. */
export function requestSide({ self, parts, stores, outbox, calls, journal, gate, frozen, stale }: RequestSideParts): RequestSide {
  const { decoding = {}, clock, log, vault, store } = parts
  const { approvals: book, ledger, policies: policyBook } = stores
  const { clusterId, quorum } = parts.lock
  const reports = new PeerReports({ clusterId, vault, calls, clock })
  const clockGuard = new ClockGuard({
    ...{ clock, policy: policyBook, journal, log, needed: quorum.required - 1, skewMaxMs: parts.clockSkewMaxMs ?? CLOCK_SKEW_MAX_MS },
    peersUp: () => outbox.peersUp(),
    ask: (peer) => reports.ask(peer),
  })
  const requests = new RequestStore(store)
  const peersUp = () => outbox.peersUp()
  const freezes = FreezeKeeper.open(
    {
      ...{ lock: parts.lock, name: parts.name, identity: vault.identity, store, clock, log, journal, peersUp, frozen },
      approvers: () => policies.approvers(),
      gossip: (to, said) => outbox.send(to, { freezes: said }),
    },
    stores.freezes,
  )
  const policies = new PolicyKeeper({
    ...{ lock: parts.lock, book: policyBook, clock, log, journal, peersUp, stale },
    gossip: (to, said) => outbox.send(to, { policies: said }),
    switched: () => {
      ledger.recount()
      clockGuard.start()
      receipts.policyChanged()
    },
  })
  const proposals = new Proposals({
    ...{ scope: stores.scope, keys: stores.keys, lives: stores.lives, requests, approvals: book, freezes, ledger, clockGuard },
    ...{ policies: policyBook, decoding, clock, journal, gate },
    stale: () => policies.refusal(),
    pending: (requestId) => approvals.pending(requestId),
  })
  const approvals = new ApprovalDesk({
    ...{ proposals, book, policies: policyBook, identity: vault.identity, clock, log, journal },
    gossip: (to, said) => outbox.send(to, { approvals: said }),
    peersUp,
  })
  const trials = new PolicyTrials({
    ...{
      clusterId,
      policies: policyBook,
      decoding,
      keys: stores.keys,
      lives: stores.lives,
      freezes,
      ledger,
      requests,
      approvals: book,
      clock,
    },
  })
  const receipts = new ReceiptDesk({
    ...{ self, scope: stores.scope, store, keys: stores.keys, proposals, approvals: book, calls, clock, log, peersUp },
    ...{ required: quorum.required - 1, tree: parts.audit?.journal.tree, policies: policyBook },
  })
  return { requests, proposals, approvals, freezes, policies, trials, clockGuard, reports, receipts }
}
