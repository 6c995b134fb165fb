import { type AuditEvent, codeOf, formatPath, type PartyId, ProtocolAbort, Timeout, toHex } from '@conclave/core'
import type { SignRequest } from '@conclave/mpc'
import type { KeyPublic } from '@conclave/wire'
import type { Judged, Proposal } from '../judge.ts'

interface Verdict extends Omit<Judged['verdict'], 'code'> {
  /** Of the policy, or why there was nothing to ask it about. */
  readonly code: string
}
/** What a verdict is about, as far as the payloads could be read. */
export interface JudgedBytes {
  readonly digests: readonly Uint8Array[]
  /** Hash of the statement that this node made: 32 bytes. */
  readonly statement: Uint8Array
}

const short = (text: string): string => text.slice(0, 512)

/** What this node said to a proposal, and of what bytes: `request.allowed`, `request.pending` or `request.denied`. */
export function verdictEvent({ requestId, ...p }: Proposal, verdict: Verdict, read: JudgedBytes | undefined): AuditEvent {
  return {
    kind: verdict.allowed ? 'request.allowed' : verdict.code === 'PENDING_APPROVAL' ? 'request.pending' : 'request.denied',
    details: {
      requestId: toHex(requestId),
      keyId: p.keyId,
      payloadType: p.payloadType,
      paths: p.items.map(({ path }) => formatPath(path)),
      digests: read?.digests.map(toHex) ?? [],
      statement: read === undefined ? null : toHex(read.statement),
      code: verdict.code,
      rule: short(verdict.rule),
      reason: short(verdict.reason),
    },
  }
}

/** Before this node takes part: which session, of whom, under which epoch, for which statement. */
export function sessionStarted(sid: Uint8Array, { keyId, epoch }: KeyPublic, request: SignRequest): AuditEvent {
  const { requestId, attempt, signers, items, statement } = request
  return {
    kind: 'session.started',
    details: {
      ...{ sid: toHex(sid), requestId: toHex(requestId), attempt, signers, keyId, epoch },
      ...{ digests: items.map((i) => toHex(i.digest)), statement: toHex(statement) },
    },
  }
}

/** @param signatures - r || s of each item. */
export function sessionSigned(sid: Uint8Array, requestId: Uint8Array, signatures: readonly Uint8Array[]): AuditEvent {
  return {
    kind: 'session.signed',
    details: { sid: toHex(sid), requestId: toHex(requestId), signatures: signatures.map(toHex) },
  }
}

export function sessionFailed(sid: Uint8Array, requestId: Uint8Array, error: unknown): AuditEvent {
  const culprits: readonly PartyId[] = error instanceof ProtocolAbort ? error.culprits : []
  const waitingFor: readonly PartyId[] = error instanceof Timeout ? error.waitingFor : []
  return { kind: 'session.failed', details: { sid: toHex(sid), requestId: toHex(requestId), code: codeOf(error), culprits, waitingFor } }
}
