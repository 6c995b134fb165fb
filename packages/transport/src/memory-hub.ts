import { InvalidArgument, type Member, tagged, u32 } from '@conclave/core'
import type { Hello } from '@conclave/wire'
import { helloMismatch } from './hello.ts'
import { mustProve } from './membership.ts'
import { type DownReason, PREFIX_BYTES } from './transport.ts'

/** What the hub delivers to a member about one peer. */
export type Delivery =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: DownReason }
  | { readonly kind: 'frame'; readonly frame: Uint8Array }

/** The hub's side of a started memory transport. */
export interface Port {
  readonly self: Member
  readonly hello: Hello
  knows(peerId: string): boolean
  /** A proof of its identity to that member. */
  prove(verifier: Member, nonce: Uint8Array): Promise<Uint8Array>
  /** Whether that member has proved its identity, or need not. */
  accepts(prover: Member, nonce: Uint8Array, signature: Uint8Array): boolean
  /** Whether the link to that peer is up as far as this side has been told. */
  sees(peerId: string): boolean
  refused(peerId: string, reason: DownReason): void
  deliver(peerId: string, delivery: Delivery): void
  die(): void
}

/** The next delivery from one member to another. */
export interface Pending {
  /** Names. */
  readonly from: string
  readonly to: string
  readonly kind: Delivery['kind']
}

interface Wire {
  readonly from: Member
  readonly to: Member
  readonly queue: { readonly sequence: number; readonly delivery: Delivery }[]
  frameBytes: number
}

export interface MemoryHubInit {
  /** `auto` delivers one by one in microtasks, oldest first; `manual` only on `step`. Default `auto`. */
  readonly delivery?: 'auto' | 'manual'
}

/** After so many deliveries in a row timers get their turn, or two members that answer each other would never let go. */
const BURST_MAX = 1_000

/**
 * The network of the memory transports of one process. No clock and no randomness: what happens is a function of the calls and,
 * in manual delivery, of the picks.
 */
export class MemoryHub {
  /** Loses a frame without taking the link down, which no real link does: it plays a peer that does not send. */
  loses: (from: Member, to: Member, frame: Uint8Array) => boolean = () => false
  readonly #ports = new Map<string, Port>()
  readonly #wires = new Map<string, Wire>()
  readonly #connected = new Set<string>()
  /** Pairs whose identities are being proved, each with what tells this attempt from the next one. */
  readonly #proving = new Map<string, object>()
  #proofs = 0
  readonly #cut = new Set<string>()
  readonly #auto: boolean
  #scheduled = false
  #burst = 0
  #sequence = 0

  constructor({ delivery = 'auto' }: MemoryHubInit = {}) {
    this.#auto = delivery === 'auto'
  }

  /** Takes the link of two members down (LINK_CUT) and keeps it down; frames on the way are lost. */
  cut(a: Member, b: Member): void {
    this.#cut.add(pairOf(a, b))
    this.#disconnect(a, b, 'LINK_CUT')
  }

  /** Undoes `cut`; the link comes up again when both run. */
  heal(a: Member, b: Member): void {
    this.#cut.delete(pairOf(a, b))
    this.#connect(a.peerId, b.peerId)
  }

  /** Like SIGKILL: the member hears nothing any more, its peers see CONNECTION_LOST. A new transport may take its place. */
  kill(member: Member): void {
    const port = this.#ports.get(member.peerId)
    if (port === undefined) return
    port.die()
    this.#detach(port, 'CONNECTION_LOST')
  }

  /** One entry for every directed pair with something to deliver, the oldest first. */
  pending(): readonly Pending[] {
    return this.#heads().map(({ from, to, queue }) => ({
      from: from.name,
      to: to.name,
      kind: (queue[0] as Wire['queue'][0]).delivery.kind,
    }))
  }

  /** Delivers entry `index` of `pending()`; frames of one direction stay in order whatever is picked. @returns false when there is none. */
  step(index = 0): boolean {
    const wire = this.#heads()[index]
    const next = wire?.queue.shift()
    if (wire === undefined || next === undefined) return false
    if (next.delivery.kind === 'frame') wire.frameBytes -= PREFIX_BYTES + next.delivery.frame.length
    this.#ports.get(wire.to.peerId)?.deliver(wire.from.peerId, next.delivery)
    return true
  }

  /** For memory transports. @throws {InvalidArgument} ALREADY_ATTACHED when that member runs already. */
  attach(port: Port): void {
    const { peerId, name } = port.self
    if (this.#ports.has(peerId)) throw new InvalidArgument('ALREADY_ATTACHED', `${name} runs already on this hub`)
    this.#ports.set(peerId, port)
    for (const other of this.#ports.keys()) this.#connect(peerId, other)
  }

  /** For memory transports. */
  detach(port: Port): void {
    if (this.#ports.get(port.self.peerId) === port) this.#detach(port, 'CLOSED_BY_PEER')
  }

  /** For memory transports: bytes of frames that were sent and not delivered, prefixes included. */
  waitingBytes(from: Member, to: Member): number {
    return this.#wire(from, to).frameBytes
  }

  /** For memory transports. The hub takes the frame over. */
  send(from: Member, to: Member, frame: Uint8Array): void {
    if (!this.#connected.has(pairOf(from, to)) || this.loses(from, to, frame)) return
    this.#push(from, to, { kind: 'frame', frame })
  }

  #detach(port: Port, reason: DownReason): void {
    this.#ports.delete(port.self.peerId)
    for (const other of this.#ports.values()) this.#disconnect(port.self, other.self, reason)
  }

  #connect(idA: string, idB: string): void {
    const a = this.#ports.get(idA)
    const b = this.#ports.get(idB)
    if (a === undefined || b === undefined || a === b) return
    const pair = pairOf(a.self, b.self)
    if (this.#cut.has(pair) || this.#connected.has(pair) || this.#proving.has(pair)) return
    const [aKnows, bKnows] = [a.knows(idB), b.knows(idA)]
    if (!aKnows && !bKnows) return
    const reason = aKnows && bKnows ? helloMismatch(a.hello, b.hello) : 'NOT_A_MEMBER'
    if (reason !== undefined) {
      a.refused(idB, reason)
      b.refused(idA, reason)
      return
    }
    if (mustProve(a.self) || mustProve(b.self)) void this.#prove(a, b)
    else this.#join(a, b)
  }

  #join(a: Port, b: Port): void {
    this.#connected.add(pairOf(a.self, b.self))
    this.#push(a.self, b.self, { kind: 'up' })
    this.#push(b.self, a.self, { kind: 'up' })
  }

  /** Both ways; who fails is refused, and is not asked again before the pair is cut and healed or one of them comes anew. */
  async #prove(a: Port, b: Port): Promise<void> {
    const pair = pairOf(a.self, b.self)
    const attempt = {}
    this.#proving.set(pair, attempt)
    const failed = await this.#failedProof(a, b)
    if (this.#proving.get(pair) !== attempt) return
    this.#proving.delete(pair)
    if (failed === undefined) return this.#join(a, b)
    const { at, other, reason } = failed
    at.refused(other.self.peerId, reason)
    other.refused(at.self.peerId, 'CLOSED_BY_PEER')
  }

  async #failedProof(a: Port, b: Port): Promise<{ readonly at: Port; readonly other: Port; readonly reason: DownReason } | undefined> {
    for (const [prover, verifier] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!mustProve(prover.self)) continue
      const nonce = tagged('memory-hub-nonce', u32(this.#proofs++))
      let signature: Uint8Array
      try {
        signature = await prover.prove(verifier.self, nonce)
      } catch {
        // What it was is for its own log to say; here it is one more link that does not come up.
        return { at: prover, other: verifier, reason: 'IDENTITY_UNAVAILABLE' }
      }
      if (!verifier.accepts(prover.self, nonce, signature)) return { at: verifier, other: prover, reason: 'IDENTITY_UNPROVED' }
    }
    return undefined
  }

  #disconnect(a: Member, b: Member, reason: DownReason): void {
    this.#connected.delete(pairOf(a, b))
    this.#proving.delete(pairOf(a, b))
    const directions: readonly [Member, Member][] = [
      [a, b],
      [b, a],
    ]
    for (const [from, to] of directions) {
      const wire = this.#wire(from, to)
      wire.queue.length = 0
      wire.frameBytes = 0
      // A side that was never told of the link need not be told of its end.
      if (this.#ports.get(to.peerId)?.sees(from.peerId)) this.#push(from, to, { kind: 'down', reason })
    }
  }

  #wire(from: Member, to: Member): Wire {
    const key = `${from.peerId}>${to.peerId}`
    const wire = this.#wires.get(key) ?? { from, to, queue: [], frameBytes: 0 }
    this.#wires.set(key, wire)
    return wire
  }

  #heads(): Wire[] {
    const age = (wire: Wire) => (wire.queue[0] as Wire['queue'][0]).sequence
    return [...this.#wires.values()].filter((w) => w.queue.length > 0).sort((x, y) => age(x) - age(y))
  }

  #push(from: Member, to: Member, delivery: Delivery): void {
    const wire = this.#wire(from, to)
    wire.queue.push({ sequence: this.#sequence++, delivery })
    if (delivery.kind === 'frame') wire.frameBytes += PREFIX_BYTES + delivery.frame.length
    this.#schedule()
  }

  #schedule(): void {
    if (!this.#auto || this.#scheduled) return
    this.#scheduled = true
    const next = () => {
      this.#scheduled = false
      if (this.step()) this.#schedule()
      else this.#burst = 0
    }
    this.#burst = (this.#burst + 1) % BURST_MAX
    if (this.#burst === 0) setImmediate(next)
    else queueMicrotask(next)
  }
}

function pairOf(a: Member, b: Member): string {
  return a.peerId < b.peerId ? `${a.peerId}|${b.peerId}` : `${b.peerId}|${a.peerId}`
}
