import { type PartyId, toHex } from '@conclave/core'
import type { NodeStatus } from '@conclave/wire'
import type { ClusterView } from './cluster-view.ts'
import { chooseQuorum } from './quorum.ts'
import type { KeyRecord } from './records.ts'

/** Reasons told per node; a node of thousands of keys is not described key by key. */
export const REASONS_MAX = 64

export type AvailabilityCode = 'LINK_DOWN' | 'NO_REPORT' | 'HSM_DOWN' | 'PAIR_BURNED' | 'PAIR_MISSING' | 'NO_SHARE' | 'KEY_STALE' | 'SHORT'

export interface Reason {
  readonly code: AvailabilityCode
  readonly detail: string
}

export interface Availability {
  /** Whether there is a quorum with this node in it; of one key at least, where it holds keys. */
  readonly able: boolean
  /** All that stands in its way, also where enough is left. */
  readonly reasons: readonly Reason[]
}

/** Who needs whom: a key's committee, or the lock's for keys to come. */
type Committee = Pick<KeyRecord, 'parties' | 'threshold'>

/** Which nodes could take part in signing, and why others cannot, by what the nodes report. */
export class AvailabilityReport {
  readonly #view: ClusterView
  readonly #keys: readonly KeyRecord[]
  /** What each node reports, by key id. */
  readonly #shares = new Map<PartyId, ReadonlyMap<string, NodeStatus['keys'][number]>>()
  /** Most keys have one committee, and a quorum is looked for among many sets. */
  readonly #reachable = new Map<string, boolean>()

  constructor(view: ClusterView, keys: readonly KeyRecord[]) {
    this.#view = view
    this.#keys = keys
  }

  of(index: PartyId): Availability {
    const blocked = this.#blocked(index)
    if (blocked !== undefined) return { able: false, reasons: [blocked] }
    const pairs = this.#pairReasons(index)
    const keys = this.#keys.filter((k) => k.parties.includes(index))
    const byKey = keys.map((key) => this.#keyReason(index, key))
    const { quorum, nodes } = this.#view.lock
    const cluster = { threshold: quorum.required, parties: nodes.map((n) => n.index) }
    const none: Reason = { code: 'SHORT', detail: `no ${quorum.required} nodes with this one are able to make a key` }
    const short = keys.length === 0 && !this.#hasQuorum(index, cluster, () => true) ? [none] : []
    const able = keys.length === 0 ? short.length === 0 : byKey.includes(undefined)
    const reasons = [...pairs, ...byKey.filter((r) => r !== undefined), ...short]
    return { able, reasons: reasons.slice(0, REASONS_MAX) }
  }

  /** What keeps a node out of everything. */
  #blocked(index: PartyId): Reason | undefined {
    const view = this.#view
    if (!view.isUp(index)) return { code: 'LINK_DOWN', detail: 'not connected to this coordinator' }
    const status = view.presentStatus(index)
    if (status === undefined) return { code: 'NO_REPORT', detail: 'connected, and has not reported since' }
    return status.hsmOk ? undefined : { code: 'HSM_DOWN', detail: 'none of its HSMs answers' }
  }

  #pairReasons(index: PartyId): readonly Reason[] {
    const view = this.#view
    return view.lock.nodes.flatMap(({ index: peer, name }): Reason[] => {
      // Where the peer is gone or silent, its own reasons say so.
      if (peer === index || view.presentStatus(peer) === undefined) return []
      const pair = view.pair(index, peer)
      if (pair.state === 'ready') return []
      if (pair.state === 'missing') return [{ code: 'PAIR_MISSING', detail: `${name}: no pair state that both report` }]
      const by = pair.by.map((p) => view.node(p).name).join(' and ')
      return [{ code: 'PAIR_BURNED', detail: `${name}: burned (${pair.code}), by ${by}` }]
    })
  }

  #keyReason(index: PartyId, key: KeyRecord): Reason | undefined {
    const held = this.#epochAt(index, key)
    if (held === undefined) return { code: 'NO_SHARE', detail: `key ${key.keyId}: this node belongs to it and reports no share` }
    if (held < key.epoch) return { code: 'KEY_STALE', detail: `key ${key.keyId}: at epoch ${held}, and the key is at ${key.epoch}` }
    const isFit = (node: PartyId) => (this.#epochAt(node, key) ?? -1) >= key.epoch
    if (this.#hasQuorum(index, key, isFit)) return undefined
    return { code: 'SHORT', detail: `key ${key.keyId}: no ${key.threshold} nodes with this one among them are able` }
  }

  #epochAt(node: PartyId, { keyId, publicKey }: KeyRecord): number | undefined {
    const known = this.#shares.get(node) ?? new Map(this.#view.presentStatus(node)?.keys.map((k) => [k.keyId, k]))
    this.#shares.set(node, known)
    const share = known.get(keyId)
    return share !== undefined && toHex(share.publicKey) === publicKey ? share.epoch : undefined
  }

  #hasQuorum(index: PartyId, { parties, threshold }: Committee, isFit: (node: PartyId) => boolean): boolean {
    const fit = parties.filter((p) => p !== index && this.#blocked(p) === undefined && isFit(p) && this.#view.pairReady(index, p))
    const name = JSON.stringify([index, threshold, fit])
    const known = this.#reachable.get(name)
    if (known !== undefined) return known
    const candidates = fit.map((p) => ({ index: p, penalty: 0, load: 0 }))
    const question = { threshold: threshold - 1, candidates, pairReady: (a: PartyId, b: PartyId) => this.#view.pairReady(a, b) }
    const found = chooseQuorum({ ...question, failures: () => 0 }) !== undefined
    this.#reachable.set(name, found)
    return found
  }
}
