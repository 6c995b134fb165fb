import { type ClusterLock, checkThreshold, fromHex, PARTIES_MAX, type PartyId, parseKeyId, parsePartySet, toHex } from '@conclave/core'
import type { KeyStatus, NodeStatus, ValueOf } from '@conclave/wire'
import type { KeyRecord } from './records.ts'
import { isPoint } from './signature.ts'

export type StatusOf = (node: PartyId) => Pick<NodeStatus, 'keys'> | undefined
type Reported = ValueOf<typeof KeyStatus>

/** The one state in which a node can sign; whatever else it reports of a key counts for nothing. */
export const ACTIVE = 'active'

/** One epoch of a key, and the nodes that report it active, in ascending order. */
export interface Sharing {
  readonly key: KeyRecord
  readonly nodes: readonly PartyId[]
}

/** What was made of a report: nothing changes one, and every request looks at those of all nodes. */
const records = new WeakMap<Reported, { readonly record: KeyRecord | undefined }>()

function recordOf(reported: Reported): KeyRecord | undefined {
  const known = records.get(reported)
  if (known !== undefined) return known.record
  const record = readReport(reported)
  records.set(reported, { record })
  return record
}

function readReport(reported: Reported): KeyRecord | undefined {
  try {
    const { keyId, publicKey, chainCode, threshold, epoch, state } = reported
    // A committee may hold parties that have left the lock since.
    const parties = parsePartySet(reported.parties, PARTIES_MAX)
    checkThreshold(threshold, parties.length)
    const hex = { publicKey: toHex(publicKey), chainCode: toHex(chainCode) }
    return { keyId: parseKeyId(keyId), ...hex, threshold, parties, epoch, state }
  } catch {
    // A node that reports an impossible key is a node that does not report it.
    return undefined
  }
}

/** A key as one node reports it, unless it cannot sign with it. */
export function activeKey(status: Pick<NodeStatus, 'keys'> | undefined, keyId: string): KeyRecord | undefined {
  const reported = status?.keys.find((k) => k.keyId === keyId)
  const key = reported === undefined ? undefined : recordOf(reported)
  return key?.state === ACTIVE ? key : undefined
}

/** Everything that a key's nodes must agree on but for the epoch. */
function committeeOf({ keyId, publicKey, chainCode, threshold, parties }: KeyRecord): string {
  return JSON.stringify([keyId, publicKey, chainCode, threshold, parties])
}

export function isSameCommittee(a: KeyRecord, b: KeyRecord): boolean {
  return committeeOf(a) === committeeOf(b)
}

/** What no epoch changes: with another public key or chain code it is another key, with other addresses. */
export function isSameKey(a: Pick<KeyRecord, 'publicKey' | 'chainCode'>, b: Pick<KeyRecord, 'publicKey' | 'chainCode'>): boolean {
  return a.publicKey === b.publicKey && a.chainCode === b.chainCode
}

/** What each node reports active, once per node and key, and only from a party of the key. */
function* reports(lock: ClusterLock, statusOf: StatusOf, keyId?: string): Generator<{ readonly node: PartyId; readonly key: KeyRecord }> {
  for (const { index } of lock.nodes) {
    const all = statusOf(index)?.keys ?? []
    const mine = new Map((keyId === undefined ? all : all.filter((k) => k.keyId === keyId)).map((k) => [k.keyId, k]))
    for (const reported of mine.values()) {
      const key = recordOf(reported)
      if (key?.parties.includes(index) && key.state === ACTIVE) yield { node: index, key }
    }
  }
}

function grouped(
  all: Iterable<{ readonly node: PartyId; readonly key: KeyRecord }>,
  nameOf: (key: KeyRecord) => string,
): readonly { readonly keys: KeyRecord[]; readonly nodes: PartyId[] }[] {
  const groups = new Map<string, { readonly keys: KeyRecord[]; readonly nodes: PartyId[] }>()
  for (const { node, key } of all) {
    const group = groups.get(nameOf(key)) ?? { keys: [], nodes: [] }
    group.keys.push(key)
    group.nodes.push(node)
    groups.set(nameOf(key), group)
  }
  return [...groups.values()]
}

/**
 * How many nodes must report a sharing before it is believed.
 *
 * A threshold is itself only reported, and a few liars must not make a key or a committee of theirs appear by claiming a small one:
 * so the lock's quorum counts as well, and what is known of the key already (as far as the claimed committee is large enough).
 */
export function reportersNeeded(lock: ClusterLock, claimed: KeyRecord, known: KeyRecord | undefined): number {
  return Math.max(claimed.threshold, lock.quorum.required, Math.min(known?.threshold ?? 0, claimed.parties.length))
}

/** The committees that enough nodes confirm for any key; `epoch` is the highest that so many of them have reached. */
export function confirmedSharings(
  lock: ClusterLock,
  statusOf: StatusOf,
  knownOf: (keyId: string) => KeyRecord | undefined = () => undefined,
): readonly Sharing[] {
  return grouped(reports(lock, statusOf), committeeOf).flatMap(({ keys, nodes }) => {
    const [first] = keys as [KeyRecord]
    const needed = reportersNeeded(lock, first, knownOf(first.keyId))
    // Nodes reach a new epoch one after the other: the key is where `needed` of them are.
    const key = keys.toSorted((a, b) => b.epoch - a.epoch)[needed - 1]
    return key === undefined || !isPoint(fromHex(key.publicKey)) ? [] : [{ key, nodes }]
  })
}

/**
 * The epochs of one key that its nodes can sign or deal under, highest first: each was confirmed by enough nodes, or is the one
 * that is known already.
 */
export function usableSharings(lock: ClusterLock, statusOf: StatusOf, known: KeyRecord): readonly Sharing[] {
  const isKnown = (key: KeyRecord) => key.epoch === known.epoch && isSameCommittee(key, known)
  return grouped(reports(lock, statusOf, known.keyId), (key) => `${key.epoch} ${committeeOf(key)}`)
    .map(({ keys, nodes }): Sharing => ({ key: keys[0] as KeyRecord, nodes }))
    .filter(({ key, nodes }) => isSameKey(key, known) && (isKnown(key) || nodes.length >= reportersNeeded(lock, key, known)))
    .sort((a, b) => b.key.epoch - a.key.epoch)
}
