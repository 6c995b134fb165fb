import type { Journal } from '@conclave/core'
import { ApprovalDesk } from './approvals/approval-desk.ts'
import type { SigningGate } from './audit/signing-gate.ts'
import type { NodeParts } from './node.ts'
import type { NodeStores } from './node-stores.ts'
import type { Outbox } from './outbox.ts'
import { Proposals } from './proposals.ts'
import { RequestStore } from './store/request-store.ts'

export interface RequestSideParts {
  readonly parts: NodeParts
  readonly stores: NodeStores
  readonly outbox: Outbox
  readonly journal: Journal
  readonly gate: SigningGate
}

export interface RequestSide {
  readonly requests: RequestStore
  readonly proposals: Proposals
  readonly approvals: ApprovalDesk
}

/** Everything of a request before it is signed: what was proposed, what people say of it. */
export function requestSide({ parts, stores, outbox, journal, gate }: RequestSideParts): RequestSide {
  const { policy, decoding = {}, clock, log, vault, store } = parts
  const { approvals: book } = stores
  const requests = new RequestStore(store)
  const proposals = new Proposals({
    ...{ scope: stores.scope, keys: stores.keys, lives: stores.lives, requests, approvals: book },
    ...{ policy, decoding, clock, log, journal, gate },
    pending: (requestId) => approvals.pending(requestId),
  })
  const approvals = new ApprovalDesk({
    ...{ proposals, book, policy, identity: vault.identity, clock, log, journal },
    gossip: (to, said) => outbox.send(to, { approvals: said }),
    peersUp: () => outbox.peersUp(),
  })
  return { requests, proposals, approvals }
}
