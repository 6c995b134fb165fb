import { type Clock, type ClusterLock, codeOf, type NodeMember, type PartyId, toHex } from '@conclave/core'
import type { LinkStatus } from '@conclave/transport'
import type { NodeStatus } from '@conclave/wire'
import type { Logger } from 'pino'
import type { NodeCalls } from './node-calls.ts'
import { Pulse, waitForAny } from './wait.ts'

export const STATUS_INTERVAL_MS = 5000
const STATUS_TIMEOUT_MS = 10_000

const CHECK = /^[A-Z][A-Z0-9_]{1,63}$/

/** A pair as its ends report it; `by` are the ends that ban the other. */
export type PairView =
  | { readonly state: 'ready' }
  | { readonly state: 'missing' }
  | { readonly state: 'burned'; readonly code: string; readonly by: readonly PartyId[] }

/** What one node last said of itself. */
export interface Report {
  readonly status: NodeStatus
  readonly atMs: number
  /** Of the link it came over: an older one may predate a restart of the node. */
  readonly generation: number
  /** How far its clock was ahead of ours; wrong by half of the round trip at most. */
  readonly clockOffsetMs: number
}

interface NodeState {
  readonly node: NodeMember
  up: boolean
  /** It said so over its present link. */
  leaving: boolean
  generation: number
  report: Report | undefined
  asking: Promise<void> | undefined
}

export interface ClusterViewOptions {
  readonly lock: ClusterLock
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Of the transport. */
  links?(): readonly LinkStatus[]
}

const isHere = (state: NodeState | undefined): state is NodeState => state?.up === true && !state.leaving

/** Equal but for counters and latencies, which are never the same twice, and the stocks of correlations, which nothing is decided by. */
function saysTheSame(a: NodeStatus, b: NodeStatus): boolean {
  const facts = ({ keys, pairs, hsmOk, hsms, auditCode, version }: NodeStatus) => {
    const known = pairs.map(({ stock: _, ...pair }) => pair)
    const standing = hsms.map(({ name, state }) => [name, state])
    return JSON.stringify([keys, known, hsmOk, standing, auditCode, version], (_, v) => (v instanceof Uint8Array ? toHex(v) : v))
  }
  return facts(a) === facts(b)
}

/** Which nodes are connected and what they report. Reports are the nodes' word: good for choosing whom to ask, never proof. */
export class ClusterView {
  readonly lock: ClusterLock
  /** Fires when a link goes up or down, or a report says something new. */
  readonly changed = new Pulse()
  readonly #options: ClusterViewOptions
  readonly #states: ReadonlyMap<PartyId, NodeState>

  constructor(options: ClusterViewOptions) {
    this.lock = options.lock
    this.#options = options
    this.#states = new Map(
      options.lock.nodes.map((node) => [
        node.index,
        { node, up: false, leaving: false, generation: 0, report: undefined, asking: undefined },
      ]),
    )
  }

  /** @throws {TypeError} never for an index of the lock. */
  node(index: PartyId): NodeMember {
    return this.#state(index).node
  }

  /** For people. A key or a record of an older lock may name an index that has nobody now. */
  nameOf(index: PartyId): string {
    return this.#states.get(index)?.node.name ?? `node ${index} (not in the cluster lock)`
  }

  /** Whether it is connected and does not leave: whom to begin something with. */
  isUp(index: PartyId): boolean {
    return isHere(this.#states.get(index))
  }

  /** It is connected, ends what it has in hand, and goes. */
  isLeaving(index: PartyId): boolean {
    const state = this.#states.get(index)
    return state?.up === true && state.leaving
  }

  /** Of the last ping to each node whose link is up, as far as there was one. */
  roundTrips(): ReadonlyMap<PartyId, number> {
    const known = this.#options.links?.() ?? []
    return new Map(
      known.flatMap(({ member, up, roundTripMs }) =>
        up && member.kind === 'node' && roundTripMs !== undefined ? [[member.index, roundTripMs] as const] : [],
      ),
    )
  }

  /** Grows with every link-up: what a node answered in an older generation it may have forgotten. */
  generation(index: PartyId): number {
    return this.#state(index).generation
  }

  /** The last report, however old. */
  report(index: PartyId): Report | undefined {
    return this.#states.get(index)?.report
  }

  upNodes(): readonly NodeMember[] {
    return [...this.#states.values()].filter(isHere).map((s) => s.node)
  }

  /** Names of the parties that are not connected. */
  downNames(parties: readonly PartyId[]): readonly string[] {
    return parties.filter((i) => !this.isUp(i)).map((i) => this.nameOf(i))
  }

  /** What it has reported over its present link. */
  presentStatus(index: PartyId): NodeStatus | undefined {
    const state = this.#states.get(index)
    return isHere(state) && state.report?.generation === state.generation ? state.report.status : undefined
  }

  /** Whether both report the same pair state as ready, over their present links. */
  pairReady(a: PartyId, b: PartyId): boolean {
    const [ab, ba] = [this.#readyPair(a, b), this.#readyPair(b, a)]
    return ab !== undefined && ab === ba
  }

  /** How it stands with a pair: one end that bans the other is enough for `burned`. */
  pair(a: PartyId, b: PartyId): PairView {
    if (this.pairReady(a, b)) return { state: 'ready' }
    const [first, ...more] = [this.#burn(a, b), this.#burn(b, a)].filter((x) => x !== undefined)
    return first === undefined ? { state: 'missing' } : { state: 'burned', code: first.code, by: [first, ...more].map((x) => x.by) }
  }

  linkUp(node: NodeMember): void {
    const state = this.#state(node.index)
    state.up = true
    state.leaving = false
    state.generation++
    state.asking = undefined
    this.changed.fire()
    void this.#ask(state)
  }

  /** Nothing new is begun with it, and what it has in hand goes on. */
  leaving(node: NodeMember): void {
    this.#state(node.index).leaving = true
    this.changed.fire()
  }

  linkDown(node: NodeMember): void {
    this.#state(node.index).up = false
    this.changed.fire()
  }

  /**
   * Asks connected nodes for their status; resolves when all have answered or failed to. Never rejects.
   *
   * @param olderThanMs - nodes whose report is at most this old are left alone.
   */
  async refresh(parties: readonly PartyId[], olderThanMs = 0): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    const isOld = ({ report, generation }: NodeState) => report?.generation !== generation || nowMs - report.atMs >= olderThanMs
    const asked = [...this.#states.values()].filter((s) => isHere(s) && parties.includes(s.node.index) && isOld(s))
    await Promise.all(asked.map((s) => this.#ask(s)))
  }

  /** Refreshes for as long as the signal allows. */
  async watch(): Promise<void> {
    const { clock, signal } = this.#options
    while (!signal.aborted) {
      await waitForAny({ clock, signal, ms: STATUS_INTERVAL_MS, pulses: [] })
      if (!signal.aborted) await this.refresh(this.lock.nodes.map((n) => n.index))
    }
  }

  #state(index: PartyId): NodeState {
    const state = this.#states.get(index)
    if (state === undefined) throw new TypeError(`no node ${index} in the cluster lock`)
    return state
  }

  #readyPair(from: PartyId, to: PartyId): string | undefined {
    const pair = this.presentStatus(from)?.pairs.find((p) => p.peer === to)
    return pair?.state === 'ready' ? `${pair.pairEpoch}:${toHex(pair.pairId)}` : undefined
  }

  #burn(by: PartyId, to: PartyId): { readonly by: PartyId; readonly code: string } | undefined {
    const pair = this.presentStatus(by)?.pairs.find((p) => p.peer === to)
    if (pair?.state !== 'burned') return undefined
    // It goes into lines that people read, and is a node's word.
    return { by, code: CHECK.test(pair.code) ? pair.code : 'unknown check' }
  }

  #ask(state: NodeState): Promise<void> {
    state.asking ??= this.#askNow(state)
    return state.asking
  }

  async #askNow(state: NodeState): Promise<void> {
    const { calls, clock, logger, signal } = this.#options
    const { node, generation } = state
    const askedMs = clock.nowMs()
    try {
      const status = await calls.call(node, { status: {} }, 'status', { timeoutMs: STATUS_TIMEOUT_MS, signal })
      if (generation !== state.generation) return
      if (status.index !== node.index) {
        logger.warn({ node: node.name, claims: status.index }, 'a node reports the status of another one: ignored')
        return
      }
      const isNews = state.report?.generation !== generation || !saysTheSame(state.report.status, status)
      const atMs = clock.nowMs()
      const clockMs = Number(new DataView(status.clock.buffer, status.clock.byteOffset, 8).getBigUint64(0))
      state.report = { status, atMs, generation, clockOffsetMs: Math.round(clockMs - (askedMs + atMs) / 2) }
      if (isNews) this.changed.fire()
    } catch (error) {
      // A node that does not answer keeps its last report; the link tells whether it is there.
      logger.debug({ node: node.name, code: codeOf(error) }, 'no status')
    } finally {
      if (generation === state.generation) state.asking = undefined
    }
  }
}
