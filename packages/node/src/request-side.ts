import type { Journal } from '@conclave/core'
import { ApprovalDesk } from './approvals/approval-desk.ts'
import type { SigningGate } from './audit/signing-gate.ts'
import { FreezeKeeper } from './freeze/freeze-keeper.ts'
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
  /** Something was frozen: what runs is looked at again. */
  frozen(): void
}

export interface RequestSide {
  readonly requests: RequestStore
  readonly proposals: Proposals
  readonly approvals: ApprovalDesk
  readonly freezes: FreezeKeeper
}

/** Everything of a request before it is signed: what was proposed, what people say of it. */
export function requestSide({ parts, stores, outbox, journal, gate, frozen }: RequestSideParts): RequestSide {
  const { policy, decoding = {}, clock, log, vault, store } = parts
  const { approvals: book } = stores
  const requests = new RequestStore(store)
  const peersUp = () => outbox.peersUp()
  const freezes = FreezeKeeper.open(
    {
      ...{ lock: parts.lock, name: parts.name, identity: vault.identity, policy, store, clock, log, journal, peersUp, frozen },
      gossip: (to, said) => outbox.send(to, { freezes: said }),
    },
    stores.freezes,
  )
  const proposals = new Proposals({
    ...{ scope: stores.scope, keys: stores.keys, lives: stores.lives, requests, approvals: book, freezes },
    ...{ policy, decoding, clock, log, journal, gate },
    pending: (requestId) => approvals.pending(requestId),
  })
  const approvals = new ApprovalDesk({
    ...{ proposals, book, policy, identity: vault.identity, clock, log, journal },
    gossip: (to, said) => outbox.send(to, { approvals: said }),
    peersUp,
  })
  return { requests, proposals, approvals, freezes }
}
