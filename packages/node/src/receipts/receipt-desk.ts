import { AuditError, type AuditLog, formatNote, keysFromLocks, type OpenedCheckpoint, openCheckpoint } from '@conclave/audit'
import {
  type Clock,
  ConclaveError,
  codeOf,
  deriveChild,
  equalBytes,
  formatPath,
  fromHex,
  messageOf,
  type PartyId,
  toHex,
} from '@conclave/core'
import { encodeStatement, narrowOpening, type Statement, statementHash } from '@conclave/policy'
import { collectReceipt, encodeReceipt, RECEIPT_PART_BYTES_MAX, type ReceiptDocument, shownApproval, shownPolicy } from '@conclave/receipt'
import type { Logger } from '@conclave/transport'
import type { KeyCertificate, ReceiptRequest } from '@conclave/wire'
import type { ApprovalBook } from '../approvals/approval-book.ts'
import { approvalOf } from '../approvals/wire-approval.ts'
import type { Calls } from '../calls.ts'
import type { Judged, Proposal } from '../judge.ts'
import type { Policies } from '../policies/in-force.ts'
import type { Proposals } from '../proposals.ts'
import type { KeyStore, NodeScope } from '../store/key-store.ts'
import type { Store } from '../store/store.ts'
import { type KnownPolicy, OpeningShelf } from './opening-shelf.ts'
import { ReceiptIndex } from './receipt-index.ts'
import { readEntries, type SignedSession, signedSession } from './signed-session.ts'

/** How far behind the log its index is. */
const INDEX_EVERY_MS = 5_000
const CALL_TIMEOUT_MS = 10_000

export interface ReceiptDeskOptions {
  readonly self: PartyId
  readonly scope: NodeScope
  readonly store: Store
  readonly keys: KeyStore
  readonly proposals: Proposals
  readonly approvals: ApprovalBook
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  /** How many others must have cosigned a checkpoint. */
  readonly required: number
  /** Of this node; undefined without a log of its own. */
  readonly tree: AuditLog | undefined
  readonly policies: Policies
  peersUp(): readonly PartyId[]
}

const hexOf = ({ key, attestations }: KeyCertificate): ReceiptDocument['key'] => ({
  ...{ keyId: key.keyId, origin: key.origin, epoch: key.epoch, previousEpoch: key.previousEpoch, threshold: key.threshold },
  ...{ parties: [...key.parties], dealers: [...key.dealers], previous: toHex(key.previous), nonce: toHex(key.nonce) },
  ...{ publicKey: toHex(key.publicKey), chainCode: toHex(key.chainCode), transcript: toHex(key.transcript) },
  ...{ publicShares: key.publicShares.map(toHex), sidParts: key.sidParts.map(toHex), clusterContext: toHex(key.clusterContext) },
  attestations: key.parties.flatMap((party) => {
    const found = attestations.find((a) => a.party === party)
    return found === undefined ? [] : [{ party, signature: toHex(found.signature) }]
  }),
})

/** What this node says of what it signed: out of its own log, with proofs; and receipts of what all signers say. */
export class ReceiptDesk {
  readonly #o: ReceiptDeskOptions
  readonly #openings: OpeningShelf
  readonly #index: ReceiptIndex | undefined
  #stopTimer: () => void = () => undefined
  #isStopped = false

  constructor(options: ReceiptDeskOptions) {
    this.#o = options
    this.#openings = new OpeningShelf(options.store)
    this.#index = options.tree && new ReceiptIndex(options.store, options.tree)
  }

  /** Keeps up with the log from now on. */
  start(): void {
    void this.#follow()
  }

  /** Another one is in force: it is kept at once, because it may not last. Never throws. */
  policyChanged(): void {
    const { log, policies } = this.#o
    this.#openings
      .keep(policies.present.policy)
      .catch((error: unknown) => log.error({ code: codeOf(error), err: error }, 'a policy was not kept for receipts'))
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer()
  }

  /**
   * A receipt of this request by all that signed it, verified under the locks that this node knows.
   *
   * @throws what {@link collectReceipt} throws.
   */
  collect(requestId: Uint8Array): Promise<Uint8Array> {
    const { self, scope, required, clock, peersUp, calls } = this.#o
    const ask = async (node: PartyId, sid: Uint8Array): Promise<Uint8Array> => {
      if (node === self) return this.part({ requestId, sid })
      const body = await calls.call(node, { receipt: { requestId, sid } }, CALL_TIMEOUT_MS)
      if (!('receipt' in body)) throw new ConclaveError('UNEXPECTED', 'not an answer to this')
      return body.receipt.receipt
    }
    return collectReceipt({ locks: scope.locks, required, nowS: clock.nowMs() / 1000, nodes: [self, ...peersUp()], ask })
  }

  /**
   * What this node alone says: a receipt of one node.
   *
   * @throws {ConclaveError} NO_RECEIPT; RECEIPT_NOT_READY (retriable) until a checkpoint with its entries is cosigned; {AuditError};
   * {StoreError}.
   */
  async part({ requestId, sid }: ReceiptRequest): Promise<Uint8Array> {
    const { tree, proposals, clock } = this.#o
    if (tree === undefined || this.#index === undefined) throw new ConclaveError('NO_RECEIPT', 'this node keeps no log')
    const p = await proposals.get(requestId)
    if (p === undefined) throw new ConclaveError('NO_RECEIPT', 'this request was not proposed to this node')
    await this.#keepUp()
    const read = await readEntries(tree, await this.#index.of(toHex(requestId)))
    const session = signedSession(read, sid.length === 0 ? undefined : toHex(sid), clock.nowMs())
    const checkpoint = this.#checkpoint(tree)
    const last = session.entries.at(-1)?.index ?? 0
    if (last >= checkpoint.size)
      throw new ConclaveError('RECEIPT_NOT_READY', 'no checkpoint of the log goes as far as this request yet', { retriable: true })
    const { statement, summaries, known } = await this.#stated(p, session)
    return encodeReceipt(await this.#document(p, { session, checkpoint, tree, statement, summaries, known }), RECEIPT_PART_BYTES_MAX)
  }

  async #document(
    p: Proposal,
    found: {
      readonly session: SignedSession
      readonly checkpoint: OpenedCheckpoint
      readonly tree: AuditLog
      readonly statement: Statement
      readonly summaries: Judged['summaries']
      readonly known: KnownPolicy
    },
  ): Promise<ReceiptDocument> {
    const { session, checkpoint, tree, statement, summaries, known } = found
    const { keys, approvals, scope } = this.#o
    const { certificate } = keys.certified(p.keyId, keys.get(p.keyId).epoch) as { readonly certificate: KeyCertificate }
    const by = new Set(session.entries.flatMap((e) => (e.kind === 'approval.given' ? [String(e.entry.details.approver)] : [])))
    const said = (await approvals.recorded(p.requestId)).filter(
      (a) => a.approves && by.has(a.approver) && toHex(a.statement) === session.statement,
    )
    const entries: ReceiptDocument['nodes'][number]['entries'] = []
    for (const { index, bytes } of session.entries) {
      const proof = await tree.inclusion(index, checkpoint.size)
      entries.push({ index, text: new TextDecoder().decode(bytes), proof: proof.map(toHex) })
    }
    const opening = narrowOpening(known.opening, { requester: statement.requester, approvers: by })
    const isSigned = opening.requesters !== undefined
    return {
      format: 'conclave-receipt/1',
      statement: toHex(encodeStatement(statement)),
      items: p.items.map(({ payload }, i) => ({ payload: toHex(payload), summary: [...(summaries[i] ?? [])] })),
      request: isSigned ? { paths: p.items.map(({ path }) => formatPath(path)), signature: toHex(p.terms.signature) } : null,
      policy: shownPolicy(opening),
      approvals: said.map((a) => shownApproval(approvalOf(a))).sort((a, b) => (a.approver < b.approver ? -1 : 1)),
      key: hexOf(certificate),
      signatures: this.#signatures(certificate, statement, session),
      nodes: [{ node: scope.nodeName, checkpoint: new TextDecoder().decode(formatNote(checkpoint.note)), entries }],
    }
  }

  #signatures({ key }: KeyCertificate, { items }: Statement, { signatures = [] }: SignedSession): ReceiptDocument['signatures'] {
    const digests = items.flatMap((item) => item.digests)
    return signatures.flatMap((signature, i) => {
      const { path, digest } = digests[i] ?? {}
      if (path === undefined || digest === undefined) return []
      return [{ path: formatPath(path), publicKey: toHex(deriveChild(key, path).publicKey), digest: toHex(digest), signature }]
    })
  }

  /** The last checkpoint, with the signatures that the locks know. @throws {ConclaveError} RECEIPT_NOT_READY. */
  #checkpoint(tree: AuditLog): OpenedCheckpoint {
    const { scope, required, clock } = this.#o
    const keys = keysFromLocks(scope.locks, scope.nodeName, { required, nowS: clock.nowMs() / 1000 })
    try {
      const opened = openCheckpoint(tree.checkpoint ?? new Uint8Array(0), keys)
      const known = [...keys.log, ...keys.cosigners]
      const signatures = opened.note.signatures.filter((s) => known.some((v) => v.name === s.name && equalBytes(v.keyId, s.keyId)))
      return { ...opened, note: { ...opened.note, signatures } }
    } catch (cause) {
      if (!(cause instanceof AuditError)) throw cause
      throw new ConclaveError('RECEIPT_NOT_READY', `the log has no cosigned checkpoint: ${messageOf(cause)}`, { cause, retriable: true })
    }
  }

  /** What was signed, under the policy that was in force then. @throws {ConclaveError} NO_RECEIPT. */
  async #stated(p: Proposal, { statement: hash }: SignedSession) {
    for (const known of await this.#openings.all()) {
      const { statement, summaries } = this.#o.proposals.stated(p, known)
      if (equalBytes(statementHash(statement), fromHex(hash))) return { statement, summaries, known }
    }
    throw new ConclaveError('NO_RECEIPT', 'this node no longer has the policy, or the ABI files, that the statement was made with')
  }

  async #keepUp(): Promise<void> {
    await this.#openings.keep(this.#o.policies.present.policy)
    await this.#index?.catchUp()
  }

  /** Never rejects. */
  async #follow(): Promise<void> {
    try {
      await this.#keepUp()
    } catch (error) {
      this.#o.log.warn({ code: codeOf(error), err: error }, 'the index of receipts is behind the log')
    }
    if (!this.#isStopped && this.#index !== undefined) this.#stopTimer = this.#o.clock.after(INDEX_EVERY_MS, () => void this.#follow())
  }
}
