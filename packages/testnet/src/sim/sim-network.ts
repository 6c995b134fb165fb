import { type ClusterLock, type Member, TransportError } from '@conclave/core'
import type { DownReason, LinkStatus, Transport, TransportEvents } from '@conclave/transport'
import { decode, Frame } from '@conclave/wire'
import type { Dice } from './dice.ts'
import { CALM, SimLink, type Weather } from './sim-link.ts'
import type { Life, Timeline } from './timeline.ts'
import { type FaultKind, mark, type Trace } from './trace.ts'

const RECONNECT_MS = 1_000
/** A peer that vanished is noticed at the latest after this. */
const LOST_MS = 3_000

/** What leaves a member in the place of one frame. */
export interface Parcel {
  readonly to: string
  readonly frame: Uint8Array
  /** On top of the link's own delay. */
  readonly delayMs: number
}

/** A plug-in between a member and its network. */
export type Outlet = (to: string, frame: Uint8Array) => readonly Parcel[]

interface Endpoint {
  readonly member: Member
  readonly life: Life
  readonly events: TransportEvents
  /** Members of different locks have no link. One object is one lock. */
  readonly lock: ClusterLock
  /** The connection that this side believes to be up, by peer. */
  readonly views: Map<string, number>
}

/** What a frame is, for people who read a trace. */
export function describeFrame(bytes: Uint8Array): string {
  try {
    const { body } = decode(Frame, bytes)
    if ('session' in body) return `session ${mark(body.session.sessionId)} from ${body.session.from} round ${body.session.round}`
    if ('end' in body) return `end ${mark(body.end.sessionId)} ${body.end.code}`
    if ('request' in body) return `request ${body.request.id} ${Object.keys(body.request.body)[0]}`
    if ('gossip' in body) return `gossip ${body.gossip.keys.map((k) => k.keyId).join()}`
    if ('approvals' in body) return `approvals ${body.approvals.approvals.length} asks ${body.approvals.asks.length}`
    if ('freezes' in body) return `freezes ${body.freezes.records.length}`
    if ('policies' in body) return `policies ${body.policies.sequence}, tells ${body.policies.policies.map((p) => p.sequence).join()}`
    if ('leaving' in body) return 'leaving'
    const answer = body.response.body
    return `response ${body.response.id} ${'failure' in answer ? answer.failure.code : Object.keys(answer)[0]}`
  } catch {
    return 'malformed'
  }
}

/** Links between the members of a lock: each direction in order, with delays, and with faults until it heals. */
export class SimNetwork {
  weather: Weather = CALM
  readonly outlets = new Map<string, Outlet>()
  readonly #timeline: Timeline
  readonly #trace: Trace
  readonly #links = new Map<string, SimLink>()
  readonly #dice: Dice
  readonly #members = new Map<string, Member>()
  readonly #endpoints = new Map<string, Endpoint>()

  constructor(lock: ClusterLock, timeline: Timeline, trace: Trace, dice: Dice) {
    this.#timeline = timeline
    this.#trace = trace
    this.#dice = dice
    this.admit(lock)
  }

  /** Lays cables to the members of a lock that are new. */
  admit(lock: ClusterLock): void {
    for (const m of [...lock.nodes, ...lock.coordinators]) {
      if (this.#members.has(m.name)) continue
      for (const other of this.#members.values()) {
        if (other.kind === 'node') this.#links.set(`${other.name}|${m.name}`, new SimLink(other.name, m.name, this.#dice))
        else if (m.kind === 'node') this.#links.set(`${m.name}|${other.name}`, new SimLink(m.name, other.name, this.#dice))
      }
      this.#members.set(m.name, m)
    }
  }

  get links(): readonly SimLink[] {
    return [...this.#links.values()]
  }

  /** A transport for one life of a member under one lock. */
  transport(name: string, life: Life, lock: ClusterLock): Transport {
    const self = this.#members.get(name) as Member
    const views = new Map<string, number>()
    const known = new Set([...lock.nodes, ...lock.coordinators].map((m) => m.name))
    const peers = this.links
      .filter((l) => (l.a === name || l.b === name) && known.has(l.other(name)))
      .map((l) => this.#members.get(l.other(name)) as Member)
    return {
      self,
      start: async (events) => {
        this.#endpoints.set(name, { member: self, life, events, lock, views })
        for (const p of peers) this.#rise(this.#link(name, p.name), RECONNECT_MS)
      },
      send: (to, frame) => {
        if (!views.has(to.name)) throw new TransportError('PEER_UNREACHABLE', `no link to ${to.name}`, { retriable: true })
        if (life.alive) this.#leave(name, to.name, Uint8Array.from(frame))
      },
      links: () => peers.map((member) => statusOf(member, views.has(member.name), this.#endpoints.get(member.name)?.lock === lock)),
      addresses: () => [`/sim/${name}`],
      stop: async () => this.vanish(name, 'CLOSED_BY_PEER'),
    }
  }

  /** The process of a member is gone. */
  vanish(name: string, reason: DownReason = 'CONNECTION_LOST'): void {
    this.#endpoints.delete(name)
    for (const l of this.links) if (l.a === name || l.b === name) this.#disconnect(l, reason)
  }

  /** Whether two members are connected. */
  isUp(a: string, b: string): boolean {
    return this.#link(a, b).connected
  }

  /** Takes a link down; it comes up again on its own. */
  drop(a: string, b: string): boolean {
    const link = this.#link(a, b)
    if (!link.connected) return false
    this.#disconnect(link, 'CONNECTION_LOST')
    return true
  }

  /** Takes a link down and keeps it down until as many calls of `mend`. */
  cut(a: string, b: string): void {
    const link = this.#link(a, b)
    link.cuts++
    this.#disconnect(link, 'CONNECTION_LOST')
  }

  mend(a: string, b: string): void {
    const link = this.#link(a, b)
    link.cuts--
    this.#rise(link, RECONNECT_MS)
  }

  #link(a: string, b: string): SimLink {
    return (this.#links.get(`${a}|${b}`) ?? this.#links.get(`${b}|${a}`)) as SimLink
  }

  #leave(from: string, to: string, frame: Uint8Array): void {
    const outlet = this.outlets.get(from)
    for (const p of outlet?.(to, frame) ?? [{ to, frame, delayMs: 0 }]) {
      if (p.delayMs === 0) this.#carry(from, p.to, p.frame)
      else this.#timeline.after(p.delayMs, () => this.#carry(from, p.to, p.frame))
    }
  }

  #carry(from: string, to: string, frame: Uint8Array): void {
    const link = this.#link(from, to)
    const { dice, latencyMs, lane } = link.from(from)
    const ownMs = this.#timeline.nowMs + latencyMs * (1 + 0.3 * dice.float())
    const fault = this.#fate(dice)
    if (fault !== undefined) this.#trace.fault(fault, `${from}>${to} ${mark(frame)}`)
    if (fault === 'loss') return
    // An overtaking frame does not wait for those before it, and those after it do not wait for a late one.
    const atMs = fault === 'reorder' ? ownMs - latencyMs * 0.9 : lane.next(ownMs + (fault === 'delay' ? 2_000 * dice.float() ** 2 : 0))
    this.#deliver(link, from, to, atMs, frame)
    if (fault === 'duplicate') this.#deliver(link, from, to, atMs + 500 * dice.float(), frame)
  }

  #fate(dice: Dice): FaultKind | undefined {
    const luck = dice.float()
    const { delay, loss, duplicate, reorder } = this.weather
    if (luck < delay) return 'delay'
    if (luck < delay + loss) return 'loss'
    if (luck < delay + loss + duplicate) return 'duplicate'
    return luck < delay + loss + duplicate + reorder ? 'reorder' : undefined
  }

  #deliver(link: SimLink, from: string, to: string, atMs: number, frame: Uint8Array): void {
    const { generation } = link
    this.#timeline.at(atMs, () => {
      const there = this.#endpoints.get(to)
      const sender = this.#members.get(from) as Member
      if (there === undefined || there.views.get(from) !== generation) return
      this.#trace.note(`frame ${from}>${to} ${frame.length} ${mark(frame)}`, () => describeFrame(frame))
      there.events.frame(sender, Uint8Array.from(frame))
    })
  }

  /** Connects two members that both run, after a while. */
  #rise(link: SimLink, withinMs: number): void {
    if (link.rising) return
    link.rising = true
    this.#timeline.after(withinMs * (0.1 + 0.9 * link.from(link.a).dice.float()), () => {
      link.rising = false
      const [a, b] = [this.#endpoints.get(link.a), this.#endpoints.get(link.b)]
      if (a === undefined || b === undefined || link.connected || link.cuts > 0) return
      // Whoever starts under the other's lock tries again.
      if (a.lock !== b.lock) return this.#trace.note(`refused ${link.a} ${link.b}: LOCK_MISMATCH`)
      // A side that still believes in the last connection will try again when it knows better.
      if (a.views.has(link.b) || b.views.has(link.a)) return
      link.connected = true
      link.generation++
      this.#tellUp(link, a, b)
      this.#tellUp(link, b, a)
    })
  }

  #tellUp(link: SimLink, to: Endpoint, of: Endpoint): void {
    const { generation } = link
    const { lane, latencyMs, dice } = link.from(of.member.name)
    this.#timeline.at(lane.next(this.#timeline.nowMs + latencyMs * (1 + dice.float())), () => {
      if (!link.connected || link.generation !== generation || this.#endpoints.get(to.member.name) !== to) return
      to.views.set(of.member.name, generation)
      this.#trace.note(`up ${to.member.name} ${of.member.name}`)
      to.events.linkUp(of.member)
    })
  }

  #disconnect(link: SimLink, reason: DownReason): void {
    link.connected = false
    for (const [name, peer] of [
      [link.a, link.b],
      [link.b, link.a],
    ] as const) {
      const side = this.#endpoints.get(name)
      if (side?.views.has(peer) !== true) continue
      const known = side.views.get(peer)
      const { dice } = link.from(peer)
      this.#timeline.after(dice.chance(0.7) ? 20 * dice.float() : LOST_MS * dice.float(), () => {
        if (this.#endpoints.get(name) !== side || side.views.get(peer) !== known) return
        side.views.delete(peer)
        this.#trace.note(`down ${name} ${peer}`)
        side.events.linkDown(this.#members.get(peer) as Member, reason)
        this.#rise(link, RECONNECT_MS)
      })
    }
    this.#rise(link, RECONNECT_MS)
  }
}

function statusOf(member: Member, up: boolean, sameLock: boolean): LinkStatus {
  const counters = { bytesSent: 0, bytesReceived: 0, reconnects: 0, failures: 0, violations: 0 }
  return { member, up, ...counters, downReason: up || sameLock ? undefined : 'LOCK_MISMATCH', roundTripMs: undefined }
}
