import { ConclaveError, type Member } from '@conclave/core'
import type { Request, Response } from '@conclave/wire'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import type { NodeAudit } from './audit/node-audit.ts'
import type { Certificates } from './certificates.ts'
import type { KeyMaker } from './key-maker.ts'
import type { Leaving } from './leaving.ts'
import { type Lookable, look } from './look.ts'
import type { StatusReport } from './node-status.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { PeerReports } from './peer-reports.ts'
import type { CorrelationPool } from './pool/correlation-pool.ts'
import type { ReceiptDesk } from './receipts/receipt-desk.ts'
import type { RequestScopes } from './request-scope.ts'
import type { Signer } from './signer.ts'

/** Who answers what other members of the lock ask of a node. */
export interface RequestRoutes {
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly certificates: Certificates
  readonly audit: NodeAudit
  readonly reports: PeerReports
  readonly report: StatusReport
  readonly keyMaker: KeyMaker
  readonly signer: Signer
  readonly approvals: ApprovalDesk
  readonly receipts: ReceiptDesk
  readonly scopes: RequestScopes
  readonly leaving: Leaving
  readonly lookable: Lookable
}

/** @throws {ConclaveError} NOT_ALLOWED when a member of this kind may not ask this; DRAINING; what the answer throws. */
export async function answerRequest(to: RequestRoutes, from: Member, { body, traceparent }: Request): Promise<Response['body']> {
  // Whoever asks: what it proves is true.
  if ('receipt' in body) return { receipt: { receipt: await to.receipts.part(body.receipt) } }
  if (from.kind === 'node') {
    if ('pairOffer' in body) return { pairAccept: await to.pairKeeper.answer(from.index, body.pairOffer) }
    if ('correlateOffer' in body) return { correlateAccept: await to.correlations.answer(from.index, body.correlateOffer) }
    if ('cosign' in body) return { cosigned: await to.audit.answer(from, body.cosign) }
    if ('certificate' in body) return { certificate: to.certificates.answer(body.certificate) }
    if ('peerReport' in body) return { peerReport: await to.reports.answer() }
    throw new ConclaveError('NOT_ALLOWED', 'only a coordinator may ask this')
  }
  if ('status' in body) return { status: await to.report.status() }
  if ('approval' in body) return { approvalTaken: { isNew: await to.approvals.submit(body.approval) } }
  if ('look' in body) return { looked: await look(to.lookable, body.look) }
  if ('sign' in body) {
    const { sign } = body
    const names = { act: 'sign', requestId: sign.requestId, traceparent } as const
    return {
      signed: await to.scopes.run(
        names,
        (scope) => to.signer.sign(sign, scope),
        () => 'SIGNED',
      ),
    }
  }
  const late = to.leaving.refusal()
  if (late !== undefined) throw late
  if ('createKey' in body) return { keyCreated: await to.keyMaker.create(body.createKey, from.name) }
  if ('renewKey' in body) return { keyCreated: await to.keyMaker.renew(body.renewKey, from.name) }
  if ('propose' in body) {
    const { propose } = body
    const names = { act: 'propose', requestId: propose.requestId, traceparent } as const
    return {
      verdict: await to.scopes.run(
        names,
        (scope) => to.signer.propose(propose, scope),
        ({ code }) => code,
      ),
    }
  }
  throw new ConclaveError('NOT_ALLOWED', 'only a node may ask this')
}
