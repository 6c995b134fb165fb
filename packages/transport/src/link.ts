import { codeOf, type IdentitySigner, type Member } from '@conclave/core'
import type { Hello } from '@conclave/wire'
import type { Connection, Stream } from '@libp2p/interface'
import { Backlog } from './backlog.ts'
import { FrameReader, prefixed } from './framing.ts'
import { lazyWindow } from './frugal.ts'
import { Handshake, type Step } from './handshake.ts'
import { HELLO_BYTES_MAX } from './hello.ts'
import { backlogFull, type Peer, unreachable } from './peer.ts'
import { type DownReason, FRAME_BYTES_MAX, PREFIX_BYTES } from './transport.ts'
import type { Tuning } from './tuning.ts'

/** Frames that leave in one piece: about what noise puts into one message. */
const WRITE_BYTES_MAX = 60_000

/** What the transport does with its links. */
export interface LinkOwner {
  /** Whether an accepted link that agrees may become the link of its pair. */
  admit(link: Link): boolean
  up(link: Link): void
  frame(from: Member, frame: Uint8Array): void
  /** Once for every link, also for one that never came up. */
  down(link: Link, reason: DownReason, wasUp: boolean, cause: unknown): void
}

export interface LinkInit {
  readonly peer: Peer
  readonly connection: Connection
  readonly stream: Stream
  readonly role: 'dialer' | 'acceptor'
  /** Grows with every link of this process: the newest wins. */
  readonly sequence: number
  readonly self: Member
  readonly hello: Hello
  /** Undefined when the peer id of `self` is proof enough. */
  readonly identity: IdentitySigner | undefined
  readonly tuning: Tuning
  readonly owner: LinkOwner
}

/**
 * One stream to one authenticated member: HELLO, proofs of identity where they are needed, then frames.
 *
 * The dialer speaks first. The last that the acceptor says is its consent: the dialer is up when it has it, the acceptor when it has
 * sent it. A refused dialer that merely differs is answered too, so that its operator sees why.
 */
export class Link {
  readonly peer: Peer
  readonly connection: Connection
  readonly sequence: number
  readonly #init: LinkInit
  readonly #handshake: Handshake
  readonly #reader = new FrameReader(HELLO_BYTES_MAX)
  readonly #backlog = new Backlog()
  readonly #ended = Promise.withResolvers<number>()
  #state: 'hello' | 'up' | 'down' = 'hello'
  #upSinceMs = 0
  #helloTimer: NodeJS.Timeout | undefined
  /** What is sent in one turn of the event loop leaves together at its end. */
  #flush: NodeJS.Immediate | undefined

  constructor(init: LinkInit) {
    this.#init = init
    this.peer = init.peer
    this.connection = init.connection
    this.sequence = init.sequence
    const { role, self, hello, identity, tuning, owner } = init
    const admit = () => owner.admit(this)
    this.#handshake = new Handshake({ role, self, peer: init.peer.member, hello, identity, signTimeoutMs: tuning.signTimeoutMs, admit })
  }

  /** Resolves when the link is down, with the milliseconds it was up: 0 when it never was. */
  get ended(): Promise<number> {
    return this.#ended.promise
  }

  start(): void {
    const { stream, role, tuning } = this.#init
    this.#expectWithin(tuning.helloTimeoutMs)
    // A peer that closes on purpose ends its stream first; one that dies only leaves a closed connection.
    stream.addEventListener('remoteCloseWrite', () => this.close('CLOSED_BY_PEER'))
    stream.addEventListener('close', (event) => this.close('CONNECTION_LOST', event.error))
    stream.addEventListener('drain', () => this.#pump())
    // The handler of an inbound stream runs a few ticks after it opened, so it may have closed before anybody listened.
    if (stream.status !== 'open') this.close('CONNECTION_LOST')
    if (this.#isDown()) return
    lazyWindow(stream)
    if (role === 'dialer') this.#write(prefixed(this.#handshake.opening()))
    stream.addEventListener('message', (event) => this.#receive(event.data))
  }

  /** @throws {TransportError} PEER_UNREACHABLE, BACKLOG_FULL. */
  send(frame: Uint8Array): void {
    const { peer, stream, tuning } = this.#init
    if (this.#state !== 'up') throw unreachable(peer.member)
    const waiting = this.#backlog.bytes + stream.writeBufferLength
    if (waiting + PREFIX_BYTES + frame.length > tuning.backlogBytesMax) throw backlogFull(peer.member, tuning.backlogBytesMax)
    this.#backlog.push(prefixed(frame))
    peer.sent(frame.length)
    this.#flush ??= setImmediate(() => this.#pump())
  }

  /** Idempotent. The backlog is dropped and the connection closed: gently where the peer should still read what was written. */
  close(reason: DownReason, cause?: unknown): void {
    if (this.#state === 'down') return
    const wasUp = this.#state === 'up'
    if (GENTLE.has(reason)) this.#pump()
    if (this.#isDown()) return
    this.#state = 'down'
    clearImmediate(this.#flush)
    clearTimeout(this.#helloTimer)
    this.#backlog.clear()
    closeConnection(this.connection, reason, this.#init.tuning)
    this.#init.owner.down(this, reason, wasUp, cause)
    this.#ended.resolve(wasUp ? performance.now() - this.#upSinceMs : 0)
  }

  #receive(data: Parameters<FrameReader['read']>[0]): void {
    try {
      for (const frame of this.#reader.read(data)) {
        if (this.#state === 'hello') this.#take(this.#handshake.receive(frame))
        else if (this.#state === 'up') {
          this.peer.received(frame.length)
          this.#init.owner.frame(this.peer.member, frame)
        }
        if (this.#isDown()) return
      }
    } catch (error) {
      this.close(this.#state === 'hello' ? 'HELLO_INVALID' : violation(error), error)
    }
  }

  /** A method, because the compiler does not see that handlers may close the link under us. */
  #isDown(): boolean {
    return this.#state === 'down'
  }

  #take({ send, next }: Step): void {
    for (const message of send) this.#write(prefixed(message))
    if (this.#isDown()) return
    if (next === 'up') this.#comeUp()
    else if (next === 'sign') this.#prove()
    else if (next !== 'wait') this.close(next)
    // The other side may have to ask its HSM, which has a limit of its own there.
    else this.#expectWithin(this.#init.tuning.signTimeoutMs + this.#init.tuning.helloTimeoutMs)
  }

  #prove(): void {
    clearTimeout(this.#helloTimer)
    this.#handshake.prove().then(
      (step) => {
        if (!this.#isDown()) this.#take(step)
      },
      (error: unknown) => this.close('IDENTITY_UNAVAILABLE', error),
    )
  }

  #expectWithin(timeoutMs: number): void {
    clearTimeout(this.#helloTimer)
    this.#helloTimer = setTimeout(() => this.close('HELLO_TIMEOUT'), timeoutMs)
  }

  #comeUp(): void {
    clearTimeout(this.#helloTimer)
    this.#reader.frameBytesMax = FRAME_BYTES_MAX
    this.#upSinceMs = performance.now()
    this.#state = 'up'
    this.#init.owner.up(this)
  }

  /** Hands frames to the stream until it asks to wait; `drain` calls this again, as often as it takes. */
  #pump(): void {
    const { stream } = this.#init
    this.#flush = undefined
    while (this.#state === 'up' && !stream.writableNeedsDrain) {
      const next = this.#backlog.take(WRITE_BYTES_MAX)
      if (next === undefined) return
      this.#write(next)
    }
  }

  #write(bytes: Uint8Array): void {
    try {
      this.#init.stream.send(bytes)
    } catch (error) {
      // The stream closed and its event has not reached us yet.
      this.close('CONNECTION_LOST', error)
    }
  }
}

function violation(error: unknown): DownReason {
  return codeOf(error) === 'FRAME_EMPTY' ? 'FRAME_EMPTY' : 'FRAME_TOO_LARGE'
}

const GENTLE: ReadonlySet<DownReason> = new Set<DownReason>(['STOPPED', 'CLUSTER_MISMATCH', 'LOCK_MISMATCH', 'PROTOCOL_MISMATCH'])

/** Never throws or rejects, and leaves no connection behind: a close that takes too long becomes an abort. */
export function closeConnection(connection: Connection, reason: DownReason, tuning: Pick<Tuning, 'closeTimeoutMs'>): void {
  if (GENTLE.has(reason)) {
    connection.close({ signal: AbortSignal.timeout(tuning.closeTimeoutMs) }).catch(() => abortConnection(connection, reason))
  } else {
    abortConnection(connection, reason)
  }
}

/**
 * Not at once: we are often called from an event that libp2p fires while it takes the same connection down itself, and it then
 * throws when it wants to say goodbye on a socket that we have closed in between. Nobody would catch that.
 */
function abortConnection(connection: Connection, reason: DownReason): void {
  queueMicrotask(() => {
    try {
      connection.abort(new Error(reason))
    } catch {
      // The same goodbye, on a connection that ended by itself in the meantime: it is gone either way.
    }
  })
}
