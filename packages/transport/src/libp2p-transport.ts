import { type ClusterLock, ConfigError, codeOf, type IdentitySigner, type Member, messageOf, TransportError } from '@conclave/core'
import type { Connection, Stream } from '@libp2p/interface'
import { keepDialling } from './dialer.ts'
import { checkFrameLength } from './framing.ts'
import { membershipGate } from './gate.ts'
import { helloOf, LINK_STREAM } from './hello.ts'
import { externalPrivateKey } from './identity-signer.ts'
import { createNode, dialAddress, type Node } from './libp2p-node.ts'
import { closeConnection, Link, type LinkOwner } from './link.ts'
import { type Logger, silentLogger } from './logger.ts'
import { checkLockPeerIds, checkProver, dials, memberNamed, peerIdOf } from './membership.ts'
import { guarded, type Peer, peerIn, peerTable, unreachable } from './peer.ts'
import { Refusals } from './refusals.ts'
import { checkRuntime } from './runtime.ts'
import type { DownReason, LinkStatus, Transport, TransportEvents } from './transport.ts'
import { defaultTuning, type Tuning } from './tuning.ts'

export interface Libp2pTransportInit {
  readonly lock: ClusterLock
  /** Name of this member in the lock. */
  readonly self: string
  /** Holder of the key that the peer id of `self` is made of. */
  readonly signer: IdentitySigner
  /** Holder of the identity key that `self` has in the lock, when that is another one. */
  readonly identity?: IdentitySigner
  /** Multiaddrs without peer id, `/ip4/0.0.0.0/tcp/9100`; port 0 for any; none for a member that only dials. */
  readonly listen: readonly string[]
  readonly logger?: Logger
  readonly tuning?: Partial<Tuning>
  /** Software version, told to peers for their logs. */
  readonly version?: string
  /** Where to dial a member when that is not what the lock says (a tunnel, a test). Who dials is decided by the lock all the same. */
  readonly addressesOf?: (member: Member) => readonly string[]
}

/** libp2p gives each connection half a second; this is for what it does not foresee. */
const STOP_TIMEOUT_MS = 5_000

/**
 * Links over libp2p: TCP, noise bound to the lock, yamux, one connection and one stream per pair.
 *
 * @throws {ConfigError} UNSUPPORTED_RUNTIME, DUMP_SESSION_KEYS, BAD_LOCK (a peer id is none), NOT_A_MEMBER,
 * WRONG_IDENTITY (a signer is not that of `self`).
 */
export function libp2pTransport(init: Libp2pTransportInit): Transport {
  checkRuntime()
  checkLockPeerIds(init.lock)
  const self = memberNamed(init.lock, init.self)
  const peerId = peerIdOf(init.signer.key)
  if (peerId !== self.peerId) {
    throw new ConfigError('WRONG_IDENTITY', `the identity key is not that of ${self.name} in the cluster lock`, { name: self.name, peerId })
  }
  checkProver(self, init.identity)
  return new Libp2pTransport(init, self)
}

class Libp2pTransport implements Transport {
  readonly self: Member
  readonly #init: Libp2pTransportInit
  readonly #tuning: Tuning
  readonly #logger: Logger
  readonly #hello
  readonly #peers: ReadonlyMap<string, Peer>
  /** The one link of each pair that is up, by peer id. */
  readonly #current = new Map<string, Link>()
  /** Every link that is not down, among them those still saying HELLO. */
  readonly #open = new Set<Link>()
  readonly #stopping = new AbortController()
  readonly #dialers: Promise<void>[] = []
  readonly #owner: LinkOwner
  readonly #refusals: Refusals
  #events: TransportEvents | undefined
  #node: Node | undefined
  #starting: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #sequence = 0

  constructor(init: Libp2pTransportInit, self: Member) {
    this.#init = init
    this.self = self
    this.#tuning = { ...defaultTuning, ...init.tuning }
    this.#logger = init.logger ?? silentLogger
    this.#hello = helloOf(init.lock, init.version ?? '')
    this.#peers = peerTable(init.lock, self)
    this.#refusals = new Refusals(this.#logger)
    this.#owner = {
      admit: (link) => this.#admit(link),
      up: (link) => this.#up(link),
      frame: (from, frame) => this.#events?.frame(from, frame),
      down: (link, reason, wasUp, cause) => this.#down(link, reason, wasUp, cause),
    }
  }

  async start(events: TransportEvents): Promise<void> {
    if (this.#starting !== undefined || this.#stopped !== undefined) {
      throw new TransportError('ALREADY_STARTED', 'a transport is started once')
    }
    this.#events = guarded(events, this.#logger)
    this.#starting = this.#listen()
    await this.#starting
  }

  async #listen(): Promise<void> {
    const { lock, signer, listen } = this.#init
    const gate = membershipGate({
      self: this.self,
      members: this.#peers,
      connectionsPerMemberMax: this.#tuning.connectionsPerMemberMax,
      connectionsOf: (peerId) => this.#node?.libp2p.getConnections(peerId).length ?? 0,
      refused: (peerId, direction) => this.#refusals.add(peerId, direction),
    })
    const privateKey = externalPrivateKey(signer, this.#tuning.signTimeoutMs, this.#logger)
    try {
      const node = await createNode({ lock, privateKey, listen, gate, tuning: this.#tuning })
      this.#node = node
      node.libp2p.addEventListener('connection:open', (event) => this.#watch(event.detail))
      await node.libp2p.handle(LINK_STREAM, (stream, connection) => this.#accept(stream, connection), { maxInboundStreams: 1 })
      await node.libp2p.start()
    } catch (cause) {
      throw new TransportError('LISTEN_FAILED', `cannot listen on ${listen.join(', ')}: ${listenFailure(cause)}`, {
        details: { listen },
        cause,
      })
    }
    for (const peer of this.#peers.values()) if (dials(this.self, peer.member)) this.#dialers.push(this.#keepDialling(peer))
  }

  send(to: Member, frame: Uint8Array): void {
    const { member } = peerIn(this.#peers, to)
    checkFrameLength(frame.length)
    const link = this.#current.get(member.peerId)
    if (link === undefined) throw unreachable(member)
    link.send(frame)
  }

  links(): readonly LinkStatus[] {
    return [...this.#peers].map(([peerId, peer]) => peer.status(this.#current.get(peerId)?.connection.rtt))
  }

  addresses(): readonly string[] {
    return this.#node?.listening().map((a) => a.toString()) ?? []
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    for (const link of [...this.#open]) link.close('STOPPED')
    this.#events = undefined
    // A start that fails has told its own caller.
    await this.#starting?.catch(() => undefined)
    // Those that a start in progress accepted meanwhile.
    for (const link of [...this.#open]) link.close('STOPPED')
    await this.#stopNode()
    await Promise.all(this.#dialers)
  }

  async #stopNode(): Promise<void> {
    const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS)
    const late = new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => reject(new TransportError('STOP_TIMEOUT', 'libp2p did not stop in time')))
    })
    try {
      await Promise.race([this.#node?.libp2p.stop(), late])
    } catch (error) {
      // Our links are closed already, and a caller that stops has no use for the rest.
      this.#logger.error({ err: error }, 'libp2p did not stop cleanly')
    }
  }

  #keepDialling(peer: Peer): Promise<void> {
    const signal = this.#stopping.signal
    return keepDialling({ attempt: () => this.#attempt(peer, signal), tuning: this.#tuning, random: Math.random, signal })
  }

  async #attempt(peer: Peer, stopping: AbortSignal): Promise<number> {
    try {
      const link = await this.#dial(peer, AbortSignal.any([stopping, AbortSignal.timeout(this.#tuning.dialTimeoutMs)]))
      return await link.ended
    } catch (error) {
      if (!stopping.aborted) this.#failed(peer, dialFailure(error), error)
      return 0
    }
  }

  async #dial(peer: Peer, signal: AbortSignal): Promise<Link> {
    const { peerId, addresses } = peer.member
    const node = this.#node as Node
    const targets = (this.#init.addressesOf?.(peer.member) ?? addresses).map((a) => dialAddress(a, peerId))
    if (targets.length === 0) throw new TransportError('NO_ADDRESS', `no address of ${peer.member.name} is known`)
    const connection = await node.libp2p.dial(targets, { signal, force: true })
    try {
      const stream = await connection.newStream(LINK_STREAM, { signal })
      return this.#link(peer, connection, stream, 'dialer')
    } catch (cause) {
      closeConnection(connection, 'DIAL_FAILED', this.#tuning)
      // A peer whose gate refuses us does so after noise, when our side of the dial has already succeeded.
      throw new TransportError('CLOSED_BY_PEER', 'the peer closed the connection before the link', { cause })
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const peer = this.#peers.get(connection.remotePeer.toString())
    // The gate refuses both already; a stream without them would be a hole, so it is not left to the gate alone.
    if (peer === undefined || dials(this.self, peer.member)) closeConnection(connection, 'NOT_A_MEMBER', this.#tuning)
    else this.#link(peer, connection, stream, 'acceptor')
  }

  #link(peer: Peer, connection: Connection, stream: Stream, role: 'dialer' | 'acceptor'): Link {
    const sequence = ++this.#sequence
    const ours = { self: this.self, hello: this.#hello, identity: this.#init.identity, tuning: this.#tuning, owner: this.#owner }
    const link = new Link({ peer, connection, stream, role, sequence, ...ours })
    this.#open.add(link)
    link.start()
    if (this.#stopping.signal.aborted) link.close('STOPPED')
    return link
  }

  /** A member that connects and then opens no link would hold the connection for nothing. */
  #watch(connection: Connection): void {
    if (connection.direction === 'outbound') return
    const timer = setTimeout(() => {
      const used = [...this.#open].some((link) => link.connection === connection)
      if (!used) closeConnection(connection, 'HELLO_TIMEOUT', this.#tuning)
    }, this.#tuning.helloTimeoutMs).unref()
    connection.addEventListener('close', () => clearTimeout(timer))
  }

  #admit(link: Link): boolean {
    const current = this.#current.get(link.peer.member.peerId)
    return !this.#stopping.signal.aborted && (current === undefined || current.sequence < link.sequence)
  }

  #up(link: Link): void {
    const { member } = link.peer
    this.#current.get(member.peerId)?.close('REPLACED')
    this.#current.set(member.peerId, link)
    link.peer.cameUp()
    this.#logger.info({ member: member.name }, 'link up')
    this.#events?.linkUp(member)
  }

  #down(link: Link, reason: DownReason, wasUp: boolean, cause: unknown): void {
    this.#open.delete(link)
    const { member } = link.peer
    if (this.#current.get(member.peerId) === link) this.#current.delete(member.peerId)
    if (!wasUp) {
      if (reason === 'IDENTITY_UNPROVED' && link.peer.failedProof()) this.#events?.unproved?.(member)
      this.#failed(link.peer, reason, cause)
      return
    }
    link.peer.ended(reason, wasUp)
    this.#logger.warn({ member: member.name, reason, cause: cause === undefined ? undefined : messageOf(cause) }, 'link down')
    this.#events?.linkDown(member, reason)
  }

  #failed(peer: Peer, reason: DownReason, cause: unknown): void {
    // Once in words, then quietly: an unreachable peer is tried every five seconds for as long as it takes.
    const level = peer.status(undefined).downReason === reason ? 'debug' : 'warn'
    peer.ended(reason, false)
    this.#logger[level](
      { member: peer.member.name, reason, cause: cause === undefined ? undefined : messageOf(cause) },
      'link did not come up',
    )
  }
}

/** libp2p's message gathers those of all addresses, stack traces included: a person needs the first reason. */
function listenFailure(error: unknown): string {
  const text = messageOf(error)
  return /\bE[A-Z]{4,}: [^\n]*/.exec(text)?.[0] ?? text.split('\n', 1)[0] ?? ''
}

/** libp2p's errors are told apart by name. One address out of several that answered wrongly says more than those that did not answer. */
function dialFailure(error: unknown): DownReason {
  const code = codeOf(error)
  if (code === 'NO_ADDRESS' || code === 'CLOSED_BY_PEER') return code
  if (error instanceof AggregateError) return error.errors.map(dialFailure).find((r) => r !== 'DIAL_FAILED') ?? 'DIAL_FAILED'
  const name = error instanceof Error ? error.name : ''
  if (name === 'EncryptionFailedError') return 'HANDSHAKE_FAILED'
  if (name === 'DialDeniedError' || name === 'ConnectionInterceptedError') return 'NOT_A_MEMBER'
  return 'DIAL_FAILED'
}
