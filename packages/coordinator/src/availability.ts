import type { PartyId } from '@conclave/core'
import type { NodeStatus } from '@conclave/wire'
import type { ClusterView } from './cluster-view.ts'
import { chooseQuorum } from './quorum.ts'
import type { KeyRecord } from './records.ts'
import { activeKey, isSameKey, type Sharing, usableSharings } from './sharings.ts'

/** Reasons told per node; a node of thousands of keys is not described key by key. */
export const REASONS_MAX = 64

export type AvailabilityCode =
  | 'LINK_DOWN'
  | 'LEAVING'
  | 'NO_REPORT'
  | 'HSM_DOWN'
  | 'AUDIT_LOG'
  | 'HSM_DEGRADED'
  | 'PAIR_BURNED'
  | 'PAIR_MISSING'
  | 'NO_SHARE'
  | 'KEY_STALE'
  | 'SHORT'

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

/** Who needs whom: the nodes at one epoch of a key, or the lock's for keys to come. */
type Committee = Pick<KeyRecord, 'parties' | 'threshold'>
type Share = NodeStatus['keys'][number]
/** What a node says of a share that was left behind: it was restored from an older copy. */
const STALE = 'stale'

/** Both go into lines that people read, and are a node's word. */
const [CODE, STATE] = [/^[A-Z][A-Z0-9_]{1,63}$/, /^[a-z]{1,16}$/]

/** Which nodes could take part in signing, and why others cannot, by what the nodes report. */
export class AvailabilityReport {
  readonly #view: ClusterView
  readonly #keys: readonly KeyRecord[]
  /** What each node reports, by key id. */
  readonly #shares = new Map<PartyId, ReadonlyMap<string, Share>>()
  readonly #sharings = new Map<string, readonly Sharing[]>()
  /** Most keys have one committee, and a quorum is looked for among many sets. */
  readonly #reachable = new Map<string, boolean>()

  constructor(view: ClusterView, keys: readonly KeyRecord[]) {
    this.#view = view
    this.#keys = keys
  }

  of(index: PartyId): Availability {
    const blocked = this.#blocked(index)
    if (blocked !== undefined) return { able: false, reasons: [blocked] }
    const hsms = this.#hsmReasons(index)
    const pairs = this.#pairReasons(index)
    const keys = this.#keys.filter((k) => k.parties.includes(index))
    const byKey = keys.map((key) => this.#keyReason(index, key))
    const { quorum, nodes } = this.#view.lock
    const cluster = { threshold: quorum.required, parties: nodes.map((n) => n.index) }
    const none: Reason = { code: 'SHORT', detail: `no ${quorum.required} nodes with this one are able to make a key` }
    const short = keys.length === 0 && !this.#hasQuorum(index, cluster) ? [none] : []
    const able = keys.length === 0 ? short.length === 0 : byKey.includes(undefined)
    const reasons = [...hsms, ...pairs, ...byKey.filter((r) => r !== undefined), ...short]
    return { able, reasons: reasons.slice(0, REASONS_MAX) }
  }

  /** What keeps a node out of everything. */
  #blocked(index: PartyId): Reason | undefined {
    const view = this.#view
    if (view.isLeaving(index)) return { code: 'LEAVING', detail: 'it is stopping, and ends what it has in hand' }
    if (!view.isUp(index)) return { code: 'LINK_DOWN', detail: 'not connected to this coordinator' }
    const status = view.presentStatus(index)
    if (status === undefined) return { code: 'NO_REPORT', detail: 'connected, and has not reported since' }
    if (!status.hsmOk) return { code: 'HSM_DOWN', detail: 'none of its HSMs answers' }
    if (status.auditCode === '') return undefined
    const why = CODE.test(status.auditCode) ? ` (${status.auditCode})` : ''
    return { code: 'AUDIT_LOG', detail: `its audit log keeps it from signing${why}` }
  }

  /** It signs with the others, and has one HSM less to lose. */
  #hsmReasons(index: PartyId): readonly Reason[] {
    const ill = this.#view.presentStatus(index)?.hsms.filter((h) => h.state !== 'up') ?? []
    const why = (code: string) => (CODE.test(code) ? ` (${code})` : '')
    return ill.map(({ name, state, code }) => ({
      code: 'HSM_DEGRADED',
      detail: `HSM ${name} is ${STATE.test(state) ? state : 'unwell'}${why(code)}`,
    }))
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
    const reason = (code: AvailabilityCode, detail: string): Reason => ({ code, detail: `key ${key.keyId}: ${detail}` })
    const share = this.#shareAt(index, key.keyId)
    if (share?.state === STALE) return reason('KEY_STALE', 'this node reports that its share is not of the present epoch')
    const held = activeKey(share === undefined ? undefined : { keys: [share] }, key.keyId)
    if (held === undefined || !isSameKey(held, key)) return reason('NO_SHARE', 'this node belongs to it and reports no share')
    const own = this.#sharingsOf(key).filter(({ nodes }) => nodes.includes(index))
    if (own.length === 0 && held.epoch < key.epoch) return reason('KEY_STALE', `at epoch ${held.epoch}, and the key is at ${key.epoch}`)
    if (own.some((sharing) => this.#hasQuorum(index, { parties: sharing.nodes, threshold: sharing.key.threshold }))) return undefined
    return reason('SHORT', `no ${key.threshold} nodes with this one among them are able`)
  }

  #shareAt(node: PartyId, keyId: string): Share | undefined {
    const known = this.#shares.get(node) ?? new Map(this.#view.report(node)?.status.keys.map((k) => [k.keyId, k]))
    this.#shares.set(node, known)
    return known.get(keyId)
  }

  /** The epochs that can be signed under, as signing requests see them: while nodes go on to the next one there are two. */
  #sharingsOf(key: KeyRecord): readonly Sharing[] {
    const known = this.#sharings.get(key.keyId)
    if (known !== undefined) return known
    const only = (node: PartyId) => {
      const share = this.#shareAt(node, key.keyId)
      return share === undefined ? undefined : { keys: [share] }
    }
    const found = usableSharings(this.#view.lock, only, key)
    this.#sharings.set(key.keyId, found)
    return found
  }

  #hasQuorum(index: PartyId, { parties, threshold }: Committee): boolean {
    const fit = parties.filter((p) => p !== index && this.#blocked(p) === undefined && this.#view.pairReady(index, p))
    const name = JSON.stringify([index, threshold, fit])
    const known = this.#reachable.get(name)
    if (known !== undefined) return known
    const candidates = fit.map((p) => ({ index: p, penalty: 0, load: 0, roundTripMs: 0 }))
    const question = { threshold: threshold - 1, candidates, pairReady: (a: PartyId, b: PartyId) => this.#view.pairReady(a, b) }
    const found = chooseQuorum({ ...question, failures: () => 0 }) !== undefined
    this.#reachable.set(name, found)
    return found
  }
}
