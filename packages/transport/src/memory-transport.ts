import { type ClusterLock, type IdentitySigner, type Member, TransportError } from '@conclave/core'
import type { Hello } from '@conclave/wire'
import { checkFrameLength } from './framing.ts'
import { helloOf, isProof, proofMessage } from './hello.ts'
import { type Logger, silentLogger } from './logger.ts'
import { checkLockPeerIds, checkProver, memberNamed, mustProve } from './membership.ts'
import type { Delivery, MemoryHub, Port } from './memory-hub.ts'
import { backlogFull, guarded, type Peer, peerIn, peerTable, unreachable } from './peer.ts'
import { BACKLOG_BYTES_MAX, type DownReason, type LinkStatus, PREFIX_BYTES, type Transport, type TransportEvents } from './transport.ts'

export interface MemoryTransportInit {
  readonly lock: ClusterLock
  /** Name of this member in the lock. */
  readonly self: string
  /** Holder of its identity key, when its peer id is not made of that. */
  readonly identity?: IdentitySigner
  readonly logger?: Logger
  readonly backlogBytesMax?: number
}

/**
 * The twin of `libp2pTransport` inside one process: same interface, same refusals, no sockets, no peer keys. A member is believed to
 * have the peer id that it says; an identity that it must prove it does prove. Addresses do not matter.
 *
 * @throws {ConfigError} BAD_LOCK, NOT_A_MEMBER, WRONG_IDENTITY.
 */
export function memoryTransport(hub: MemoryHub, init: MemoryTransportInit): Transport {
  checkLockPeerIds(init.lock)
  checkProver(memberNamed(init.lock, init.self), init.identity)
  return new MemoryTransport(hub, init)
}

class MemoryTransport implements Transport, Port {
  readonly self: Member
  readonly hello: Hello
  readonly #identity: IdentitySigner | undefined
  readonly #hub: MemoryHub
  readonly #peers: ReadonlyMap<string, Peer>
  readonly #logger: Logger
  readonly #backlogBytesMax: number
  #state: 'new' | 'running' | 'stopped' = 'new'
  #events: TransportEvents | undefined

  constructor(hub: MemoryHub, { lock, self, identity, logger = silentLogger, backlogBytesMax = BACKLOG_BYTES_MAX }: MemoryTransportInit) {
    this.#hub = hub
    this.#identity = identity
    this.self = memberNamed(lock, self)
    this.hello = helloOf(lock, '')
    this.#peers = peerTable(lock, this.self)
    this.#logger = logger
    this.#backlogBytesMax = backlogBytesMax
  }

  async start(events: TransportEvents): Promise<void> {
    if (this.#state !== 'new') throw new TransportError('ALREADY_STARTED', 'a transport is started once')
    this.#events = guarded(events, this.#logger)
    this.#state = 'running'
    this.#hub.attach(this)
  }

  send(to: Member, frame: Uint8Array): void {
    const peer = peerIn(this.#peers, to)
    checkFrameLength(frame.length)
    if (!peer.up) throw unreachable(peer.member)
    const waiting = this.#hub.waitingBytes(this.self, peer.member)
    if (waiting + PREFIX_BYTES + frame.length > this.#backlogBytesMax) throw backlogFull(peer.member, this.#backlogBytesMax)
    peer.sent(frame.length)
    this.#hub.send(this.self, peer.member, Uint8Array.from(frame))
  }

  links(): readonly LinkStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status(undefined))
  }

  addresses(): readonly string[] {
    return this.#state === 'running' ? [`/memory/${this.self.name}`] : []
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#hub.detach(this)
    this.#state = 'stopped'
    for (const peer of this.#peers.values()) if (peer.up) this.#down(peer, 'STOPPED')
    this.#events = undefined
  }

  knows(peerId: string): boolean {
    return this.#peers.has(peerId)
  }

  async prove(verifier: Member, nonce: Uint8Array): Promise<Uint8Array> {
    if (this.#identity === undefined) throw new TransportError('ASSERTION', 'broken invariant: a proof without an identity')
    return this.#identity.sign(proofMessage({ hello: this.hello, prover: this.self, verifier, nonce }))
  }

  accepts(prover: Member, nonce: Uint8Array, signature: Uint8Array): boolean {
    return !mustProve(prover) || isProof({ hello: this.hello, prover, verifier: this.self, nonce }, signature)
  }

  sees(peerId: string): boolean {
    return this.#peers.get(peerId)?.up ?? false
  }

  refused(peerId: string, reason: DownReason): void {
    const peer = this.#peers.get(peerId)
    if (reason === 'IDENTITY_UNPROVED' && peer?.failedProof() === true) this.#events?.unproved?.(peer.member)
    peer?.ended(reason, false)
    this.#logger.warn({ member: peer?.member.name, peerId, reason }, 'link did not come up')
  }

  deliver(peerId: string, delivery: Delivery): void {
    const peer = this.#peers.get(peerId)
    if (peer === undefined) return
    if (delivery.kind === 'down') this.#down(peer, delivery.reason)
    else if (delivery.kind === 'up') {
      peer.cameUp()
      this.#logger.info({ member: peer.member.name }, 'link up')
      this.#events?.linkUp(peer.member)
    } else {
      peer.received(delivery.frame.length)
      this.#events?.frame(peer.member, delivery.frame)
    }
  }

  die(): void {
    this.#state = 'stopped'
    this.#events = undefined
    for (const peer of this.#peers.values()) if (peer.up) peer.ended('CONNECTION_LOST', true)
  }

  #down(peer: Peer, reason: DownReason): void {
    peer.ended(reason, true)
    this.#logger.warn({ member: peer.member.name, reason }, 'link down')
    this.#events?.linkDown(peer.member, reason)
  }
}
