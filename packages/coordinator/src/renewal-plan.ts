import { epochsByNow, type PartyId } from '@conclave/core'
import type { RenewKey } from '@conclave/wire'
import type { ClusterView } from './cluster-view.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import { ACTIVE, usableSharings } from './sharings.ts'

/**
 * A lone claim that an epoch is taken is believed up to so far above what is known for sure, or up to what time gives room for. Well below
 * what nodes take part in: by a higher claim one liar would have them refuse every attempt.
 */
export const EPOCH_LEAP_MAX = 512
/** Nodes' clocks may be an hour behind. */
const CLOCKS_APART = 360
const EPOCH_MAX = 0xffffffff

export interface PlanQuestion {
  readonly view: ClusterView
  readonly record: OperationRecord
  /** As it is known now. */
  readonly key: KeyRecord
  readonly nowMs: number
  /** How often a node was what an attempt of this operation failed for. */
  blame(party: PartyId): number
}

/** What to ask of the nodes, but for the nonce. */
export type RenewalPlan = Omit<RenewKey, 'nonce'>

const refused = (code: 'RESHARE_NEEDED' | 'PAIR_BURNED' | 'COMMITTEE_CHANGED', message: string) => new ApiError(code, message)
const notYet = (message: string) => new ApiError('KEY_RENEWAL_FAILED', message, { retriable: true })

function reported(view: ClusterView, party: PartyId, keyId: string) {
  return view.report(party)?.status.keys.find((k) => k.keyId === keyId)
}

/** Above everything that was ever prepared, as far as the nodes say and this operation remembers. */
function nextEpoch({ view, record, key, nowMs }: PlanQuestion): number {
  const claims = view.lock.nodes.flatMap(({ index }) => {
    const said = reported(view, index, key.keyId)
    return said === undefined ? [] : [Math.max(said.epoch, said.prepared)]
  })
  // Of so many as can sign, one is honest.
  const sure = Math.max(key.epoch, claims.toSorted((a, b) => b - a)[key.threshold - 1] ?? 0)
  const limit = Math.max(sure + EPOCH_LEAP_MAX, epochsByNow(nowMs) - CLOCKS_APART)
  const believed = claims.filter((epoch) => epoch <= limit)
  return 1 + Math.max(key.epoch, record.epochs?.last ?? 0, ...believed)
}

function burnedPairs(view: ClusterView, parties: readonly PartyId[]): readonly string[] {
  return parties.flatMap((a, i) =>
    parties.slice(i + 1).flatMap((b) => {
      const pair = view.pair(a, b)
      return pair.state === 'burned' ? [`${view.nameOf(a)}-${view.nameOf(b)} (${pair.code})`] : []
    }),
  )
}

/** Every party of the key deals, from one epoch that all of them are at. */
function refreshFrom({ view, record, key }: PlanQuestion): { fromEpoch: number; dealers: readonly PartyId[] } | ApiError {
  if (record.threshold !== key.threshold || record.parties.join() !== key.parties.join()) {
    return refused('RESHARE_NEEDED', `the committee of key ${key.keyId} has changed since the refresh was asked`)
  }
  const states = key.parties.map((party) => ({ name: view.nameOf(party), said: reported(view, party, key.keyId) }))
  const lost = states.filter(({ said }) => said?.state !== ACTIVE)
  if (lost.length > 0) {
    const names = lost.map(({ name, said }) => `${name} (${said === undefined ? 'has no share' : said.state})`).join(', ')
    return refused('RESHARE_NEEDED', `a refresh needs a share at every party; reshare key ${key.keyId} to recover: ${names}`)
  }
  const epochs = new Set(states.map(({ said }) => said?.epoch))
  if (epochs.size > 1) return notYet(`the nodes are at different epochs: ${states.map((s) => `${s.name} ${s.said?.epoch}`).join(', ')}`)
  return { fromEpoch: states[0]?.said?.epoch ?? key.epoch, dealers: key.parties }
}

/** Exactly the old threshold of those that hold the highest epoch at which so many of the present nodes are. */
function reshareFrom({ view, key, blame }: PlanQuestion): { fromEpoch: number; dealers: readonly PartyId[] } | ApiError {
  for (const { key: old, nodes } of usableSharings(view.lock, (i) => view.report(i)?.status, key)) {
    if (nodes.length < old.threshold) continue
    const dealers = nodes.toSorted((a, b) => blame(a) - blame(b) || a - b).slice(0, old.threshold)
    return { fromEpoch: old.epoch, dealers: dealers.toSorted((a, b) => a - b) }
  }
  const line = `a reshare needs ${key.threshold} nodes that hold key ${key.keyId} at one epoch`
  const held = view.lock.nodes.map(({ index, name }) => {
    const said = reported(view, index, key.keyId)
    return `${name} ${said === undefined ? 'none' : said.state === ACTIVE ? said.epoch : said.state}`
  })
  return notYet(`${line}; they report: ${held.join(', ')}`)
}

/**
 * What the next attempt of a renewal asks of the nodes, by what they report now; or why there is none to be made.
 *
 * @returns an {@link ApiError} that is retriable when waiting may help: NODES_UNREACHABLE, KEY_RENEWAL_FAILED; otherwise
 * RESHARE_NEEDED, PAIR_BURNED, COMMITTEE_CHANGED.
 */
export function planRenewal(question: PlanQuestion): RenewalPlan | ApiError {
  const { view, record } = question
  const isRefresh = record.kind === 'key.refresh'
  const { keyId, threshold, parties } = record
  const present = view.lock.nodes.map((n) => n.index)
  const left = parties.filter((p) => !present.includes(p))
  if (isRefresh && left.length > 0) {
    return refused('RESHARE_NEEDED', `parties of key ${keyId} have left the cluster: ${left.join(', ')}; reshare it`)
  }
  if (!isRefresh && parties.join() !== present.join()) return refused('COMMITTEE_CHANGED', 'the cluster lock has changed: ask again')
  const down = view.downNames(parties)
  if (down.length > 0) {
    const what = isRefresh ? 'refreshing' : 'resharing'
    return new ApiError('NODES_UNREACHABLE', `${what} a key needs all ${parties.length} nodes; down: ${down.join(', ')}`)
  }
  const burned = burnedPairs(view, parties)
  if (burned.length > 0) return refused('PAIR_BURNED', `pairs that must be set up again first: ${burned.join(', ')}`)
  const silent = parties.filter((p) => view.report(p)?.generation !== view.generation(p))
  if (silent.length > 0) return notYet(`no status of ${silent.map((p) => view.nameOf(p)).join(', ')}`)
  const from = isRefresh ? refreshFrom(question) : reshareFrom(question)
  if (from instanceof ApiError) return from
  const epoch = nextEpoch(question)
  if (epoch > EPOCH_MAX) return new ApiError('KEY_RENEWAL_FAILED', `key ${keyId} has used up its epochs`)
  return { keyId, kind: isRefresh ? 'refresh' : 'reshare', fromEpoch: from.fromEpoch, epoch, threshold, parties, dealers: from.dealers }
}
