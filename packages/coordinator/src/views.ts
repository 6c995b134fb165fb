import { type DerivationPath, type ExtendedKey, formatPath, formatXpub, type NodeMember, toHex } from '@conclave/core'
import type { LinkStatus } from '@conclave/transport'
import type { Availability } from './availability.ts'
import { addressOf } from './child-keys.ts'
import type { Report } from './cluster-view.ts'
import { extendedKeyOf } from './key-creation.ts'
import type { AttemptRecord, KeyRecord, OperationRecord, SigningRecord } from './records.ts'
import type { RefreshTimes } from './schedule.ts'
import type { DerivedKeyBody, KeyBody, NodeBody, OperationBody, SigningBody } from './schemas.ts'

const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

export function keyBody(key: KeyRecord, times: RefreshTimes): KeyBody {
  const { keyId, publicKey, chainCode, threshold, parties, epoch, state } = key
  const root = extendedKeyOf(key)
  const names = { xpub: formatXpub(root), address: addressOf(key.publicKey) }
  return { keyId, publicKey, chainCode, ...names, threshold, parties: [...parties], epoch, state, ...refreshBody(times) }
}

export function derivedKeyBody(path: DerivationPath, key: ExtendedKey): DerivedKeyBody {
  const publicKey = toHex(key.publicKey)
  return { path: formatPath(path), publicKey, address: addressOf(publicKey) }
}

function refreshBody({ refreshEveryDays, refreshedAtMs, nextRefreshAtMs }: RefreshTimes) {
  return { refreshEveryDays, refreshedAt: isoOrNull(refreshedAtMs), nextRefreshAt: isoOrNull(nextRefreshAtMs) }
}

/** @param key - the key as it is now: the result, once the operation has succeeded. */
export function operationBody(record: OperationRecord, key: KeyBody | undefined): OperationBody {
  return {
    operationId: record.operationId,
    kind: record.kind,
    keyId: record.keyId,
    requestedBy: record.requestedBy,
    state: record.state,
    result: record.state === 'succeeded' ? (key ?? null) : null,
    error: record.error as OperationBody['error'],
    createdAt: iso(record.createdAtMs),
    endedAt: isoOrNull(record.endedAtMs),
  }
}

function attemptBody({ startedAtMs, endedAtMs, ...attempt }: AttemptRecord): SigningBody['attempts'][number] {
  const copy = { signers: [...attempt.signers], culprits: [...attempt.culprits] }
  const rest = { waitingFor: [...attempt.waitingFor], refusedBy: [...attempt.refusedBy] }
  return { ...attempt, ...copy, ...rest, startedAt: iso(startedAtMs), endedAt: isoOrNull(endedAtMs) }
}

export function signingBody(record: SigningRecord): SigningBody {
  const { result } = record
  return {
    requestId: record.requestId,
    keyId: record.keyId,
    derivationPath: record.derivationPath,
    publicKey: record.publicKey,
    from: addressOf(record.publicKey),
    payload: { ...record.payload },
    state: record.state,
    cancelRequested: record.cancelRequested,
    digest: record.digest,
    summary: [...record.summary],
    requester: record.requester,
    nodeVerdicts: [...record.nodeVerdicts],
    attempts: record.attempts.map(attemptBody),
    signature: result?.signature ?? null,
    recovery: result?.recovery ?? null,
    signedTransaction: result?.signedTransaction ?? null,
    signers: result === null ? null : [...result.signers],
    error: record.error as SigningBody['error'],
    createdAt: iso(record.createdAtMs),
    deadlineAt: iso(record.deadlineAtMs),
    endedAt: isoOrNull(record.endedAtMs),
  }
}

/** 8 bytes big-endian; beyond 2^53 the figure is rounded, which nobody reads. */
function counter(bytes: Uint8Array): number {
  return Number(`0x${toHex(bytes)}`)
}

export interface NodeFacts {
  readonly node: NodeMember
  readonly link: LinkStatus | undefined
  readonly report: Report | undefined
  readonly availability: Availability
}

export function nodeBody({ node, link, report, availability }: NodeFacts): NodeBody {
  const { index, name, peerId } = node
  return {
    index,
    name,
    peerId,
    link: {
      up: link?.up ?? false,
      bytesSent: link?.bytesSent ?? 0,
      bytesReceived: link?.bytesReceived ?? 0,
      reconnects: link?.reconnects ?? 0,
      roundTripMs: link?.roundTripMs ?? null,
    },
    availability: { able: availability.able, reasons: availability.reasons.map((r) => ({ ...r })) },
    status: report === undefined ? null : reportBody(report),
  }
}

function reportBody({ status, atMs }: Report): NonNullable<NodeBody['status']> {
  return {
    version: status.version,
    hsmOk: status.hsmOk,
    bytesSent: counter(status.sent),
    bytesReceived: counter(status.received),
    loopP99Us: status.loopP99Us,
    loopMaxUs: status.loopMaxUs,
    cpuMs: status.cpuMs,
    keys: status.keys.map((k) => ({ keyId: k.keyId, epoch: k.epoch, publicKey: toHex(k.publicKey), state: k.state })),
    pairs: status.pairs.map(({ peer, pairEpoch, state, code, stock }) => ({
      peer,
      pairEpoch,
      state,
      code: code === '' ? null : code,
      stock,
    })),
    pool: status.pool,
    reportedAt: iso(atMs),
  }
}
