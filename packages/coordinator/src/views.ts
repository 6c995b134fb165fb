import { type DerivationPath, type ExtendedKey, formatPath, formatXpub, type NodeMember, toHex } from '@conclave/core'
import { type BitcoinNetwork, bitcoinAddresses } from '@conclave/policy'
import type { LinkStatus } from '@conclave/transport'
import type { Availability } from './availability.ts'
import { addressOf } from './child-keys.ts'
import type { Report } from './cluster-view.ts'
import type { KeyBackup } from './key-backups.ts'
import { extendedKeyOf } from './key-creation.ts'
import type { KeyLife } from './key-lives.ts'
import type { KeyNote } from './key-notes.ts'
import type { DerivedKeyBody, KeyBody, OperationBody } from './key-schemas.ts'
import type { NodeBody } from './node-schemas.ts'
import type { AttemptRecord, ItemResult, KeyRecord, OperationRecord, SigningItem, SigningRecord } from './records.ts'
import type { RefreshTimes } from './schedule.ts'
import { TENANT } from './settings.ts'
import type { SigningAcceptedBody, SigningBody, SigningItemBody } from './signing-schemas.ts'

const iso = (ms: number) => new Date(ms).toISOString()
/** The last time that has a text. A node may claim any. */
const TIME_MAX_MS = 8.64e15
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

/** What is known of a key beside its record, and how its addresses are written. */
export interface KeyFacts {
  readonly times: RefreshTimes
  readonly backups: readonly KeyBackup[]
  readonly life: KeyLife
  readonly network: BitcoinNetwork | undefined
  readonly note: KeyNote | undefined
}

export function keyBody(key: KeyRecord, { times, backups, life, network, note }: KeyFacts): KeyBody {
  const { keyId, publicKey, chainCode, threshold, parties, epoch, state } = key
  const root = extendedKeyOf(key)
  const names = { xpub: formatXpub(root), address: addressOf(key.publicKey), bitcoin: bitcoinOf(root.publicKey, network) }
  const lists = { parties: [...parties], backups: backups.map((b) => ({ ...b })) }
  const { tenant = TENANT, role = null, label = null, tags = [] } = note ?? {}
  const said = { tenant, role, label, tags: [...tags] }
  return { keyId, ...said, publicKey, chainCode, ...names, threshold, ...lists, epoch, state, ...life, ...refreshBody(times) }
}

const bitcoinOf = (publicKey: Uint8Array, network: BitcoinNetwork = 'mainnet') => ({ ...bitcoinAddresses(publicKey, network) })

export function derivedKeyBody(path: DerivationPath, key: ExtendedKey, network: BitcoinNetwork | undefined): DerivedKeyBody {
  const publicKey = toHex(key.publicKey)
  return { path: formatPath(path), publicKey, address: addressOf(publicKey), bitcoin: bitcoinOf(key.publicKey, network) }
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

const NO_SIGNATURE = { signature: null, recovery: null } as const
const NOTHING_MADE = { signedTransaction: null, signedPsbt: null } as const
const NO_DIGEST = { digest: null, ...NO_SIGNATURE } as const
const NO_ITEM = {
  ...{ derivationPath: null, publicKey: null, from: null, payload: null, summary: null, signatures: null },
  ...{ ...NO_DIGEST, ...NOTHING_MADE },
} as const

function itemBody({ payload, summary, digests, derivationPath, publicKey }: SigningItem, result: ItemResult | undefined): SigningItemBody {
  const { signatures: made, ...assembled } = result ?? { signatures: [], ...NOTHING_MADE }
  const signatures = digests.map((digest, i) => ({ ...digest, ...(made[i] ?? NO_SIGNATURE) }))
  const { digest, signature, recovery } = only(signatures, NO_DIGEST)
  const from = payload.type === 'btc.psbt' ? null : addressOf(publicKey)
  const own = { derivationPath, publicKey, from, payload: { ...payload }, summary: [...summary], digest, signature, recovery }
  return { ...own, signatures, ...assembled }
}

function itemBodies({ items, result }: SigningRecord): SigningItemBody[] {
  return items.map((item, i) => itemBody(item, result?.signatures[i]))
}

/** What is also told one level above: of the only one, or nothing. */
function only<T, N>(items: readonly T[], none: N): T | N {
  return items.length === 1 ? (items[0] as T) : none
}

/** What a request is acknowledged with. */
export function acceptedBody({ requestId, state, items }: SigningRecord): SigningAcceptedBody {
  const read = items.map(({ digests, summary }) => ({ digest: only(digests, NO_DIGEST).digest, summary: [...summary] }))
  return { requestId, state, ...only(read, { digest: null, summary: null }), items: read }
}

/** An acknowledgement as it was kept: those of 0.1.0 have no items. */
export function keptAcceptedBody(kept: unknown): SigningAcceptedBody {
  const { requestId, state, digest, summary, items = [{ digest, summary }] } = kept as SigningAcceptedBody
  return { requestId, state, digest, summary, items: items as SigningAcceptedBody['items'] }
}

export function signingBody(record: SigningRecord): SigningBody {
  const { result } = record
  const items = itemBodies(record)
  return {
    requestId: record.requestId,
    keyId: record.keyId,
    items,
    ...only(items, NO_ITEM),
    state: record.state,
    cancelRequested: record.cancelRequested,
    requester: record.requester,
    nodeVerdicts: [...record.nodeVerdicts],
    attempts: record.attempts.map(attemptBody),
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

type ReportedHsm = NonNullable<NodeBody['status']>['hsms'][number]

function hsmBody({ since, code, latencyUs, ...hsm }: Report['status']['hsms'][number]): ReportedHsm {
  return { ...hsm, since: iso(Math.min(counter(since), TIME_MAX_MS)), lastCode: code === '' ? null : code, latencyMs: latencyUs / 1000 }
}

function reportBody({ status, atMs, clockOffsetMs }: Report): NonNullable<NodeBody['status']> {
  return {
    version: status.version,
    hsmOk: status.hsmOk,
    hsms: status.hsms.map(hsmBody),
    bytesSent: counter(status.sent),
    bytesReceived: counter(status.received),
    loopP99Us: status.loopP99Us,
    loopMaxUs: status.loopMaxUs,
    cpuMs: status.cpuMs,
    keys: status.keys.map(({ keyId, epoch, publicKey, state, backedUp, backupEpoch }) => ({
      ...{ keyId, epoch, publicKey: toHex(publicKey), state },
      lastBackupEpoch: backedUp ? backupEpoch : null,
    })),
    pairs: status.pairs.map(({ peer, pairEpoch, state, code, stock }) => ({
      peer,
      pairEpoch,
      state,
      code: code === '' ? null : code,
      stock,
    })),
    pool: status.pool,
    clockOffsetMs,
    freezes: status.freezes,
    policySequence: status.policySequence,
    audit: { entries: status.auditEntries, checkpointEntries: status.checkpointEntries, cosigners: status.cosigners },
    reportedAt: iso(atMs),
  }
}
