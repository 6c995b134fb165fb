import { type Clock, ConclaveError, type PartyId, Timeout, toHex } from '@conclave/core'
import type { Outgoing } from '@conclave/mpc'
import type { SessionEnd, SessionMessage } from '@conclave/wire'
import type { Job, OpenedRecord, ResultOf } from './job.ts'
import type { SessionPool } from './session-pool.ts'

/** Messages of sessions that this node has not begun: they wait here, bounded per peer. */
const EARLY_MESSAGES_MAX = 256
const EARLY_BYTES_MAX = 8 << 20
const ENDED_MAX = 4096

export interface HubOptions {
  readonly self: PartyId
  readonly pool: SessionPool
  readonly clock: Clock
  /** A session fails when it stands still this long. */
  readonly silenceTimeoutMs: number
  /** 32 bytes of HSM and operating-system randomness mixed, per session. */
  seed(): Promise<Uint8Array>
  send(to: PartyId, message: SessionMessage): void
  /** Tells a peer that we stopped; best effort. */
  sendEnd(to: PartyId, end: SessionEnd): void
}

interface Running {
  readonly id: Uint8Array
  readonly peers: readonly PartyId[]
  waitingFor: readonly PartyId[]
  bytesSent: number
  stopTimer: () => void
  /** Set when the session was stopped before it reached a worker. */
  stopped: ConclaveError | undefined
}

interface Early {
  readonly id: string
  readonly message: SessionMessage
}

export type Counter = 'spoofed' | 'unknown-peer' | 'ended' | 'early-overflow'

/**
 * Protocol sessions of this node: starts them, routes messages of authenticated peers to them, ends them on silence or loss.
 *
 * What does not belong to a session is dropped and counted; it never aborts anything and blames nobody (section 6).
 */
export class SessionHub {
  readonly dropped: Record<Counter, number> = { spoofed: 0, 'unknown-peer': 0, ended: 0, 'early-overflow': 0 }
  readonly #options: HubOptions
  readonly #running = new Map<string, Running>()
  readonly #early = new Map<PartyId, Early[]>()
  readonly #ended = new Set<string>()

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** Running sessions with `peer`. */
  with(peer: PartyId): readonly Uint8Array[] {
    return [...this.#running.values()].filter((r) => r.peers.includes(peer)).map((r) => r.id)
  }

  /**
   * Runs one session to its end. `id` names it at every party; an id is used once.
   *
   * @returns the result and the protocol bytes that this node sent.
   * @throws {ProtocolAbort} a failed check. {Timeout} SESSION_SILENT. {ConclaveError} PEER_LOST, PEER_STOPPED, SESSION_EXISTS, CLOSED.
   */
  async run<J extends Job>(
    id: Uint8Array,
    peers: readonly PartyId[],
    job: J,
    attest?: (hash: Uint8Array, share: OpenedRecord) => Promise<Uint8Array>,
  ): Promise<{ readonly result: ResultOf<J>; readonly bytesSent: number }> {
    const name = toHex(id)
    let started = false
    const running: Running = { id, peers, waitingFor: peers, bytesSent: 0, stopTimer: () => undefined, stopped: undefined }
    if (this.#running.has(name) || this.#ended.has(name)) throw new ConclaveError('SESSION_EXISTS', 'this session has already run')
    this.#running.set(name, running)
    try {
      const seed = await this.#options.seed()
      if (running.stopped !== undefined) throw running.stopped
      this.#restartTimer(name, running)
      const handlers = {
        send: (messages: readonly Outgoing[]) => this.#post(running, messages),
        waiting: (waitingFor: readonly PartyId[]) => {
          // Only progress buys time: a peer that repeats itself does not keep the session alive.
          if (waitingFor.join() === running.waitingFor.join() && waitingFor.length > 0 && started) return
          started = true
          running.waitingFor = waitingFor
          this.#restartTimer(name, running)
        },
        ...(attest === undefined ? {} : { attest }),
      }
      const done = this.#options.pool.run(name, job, seed, handlers)
      this.#deliverEarly(name, running)
      return { result: await done, bytesSent: running.bytesSent }
    } catch (error) {
      const code = error instanceof ConclaveError ? error.code : 'INTERNAL'
      for (const to of peers) this.#options.sendEnd(to, { sessionId: id, from: this.#options.self, code })
      throw error
    } finally {
      running.stopTimer()
      this.#running.delete(name)
      this.#remember(name)
    }
  }

  /** A protocol message of `peer`, as the transport authenticated it. */
  receive(peer: PartyId, message: SessionMessage): void {
    if (message.from !== peer) {
      this.dropped.spoofed++
      return
    }
    const name = toHex(message.sessionId)
    const running = this.#running.get(name)
    if (running !== undefined) {
      if (running.peers.includes(peer)) this.#options.pool.receive(name, peer, message.round, message.body)
      else this.dropped['unknown-peer']++
    } else if (this.#ended.has(name)) this.dropped.ended++
    else this.#keepEarly(peer, { id: name, message })
  }

  /** A peer says that it stopped: waiting for it makes no sense, but nobody is to blame. */
  peerEnded(peer: PartyId, end: SessionEnd): void {
    if (end.from !== peer) {
      this.dropped.spoofed++
      return
    }
    this.#stop(toHex(end.sessionId), peer, new Timeout('PEER_STOPPED', `party ${peer} stopped the session (${end.code})`, [peer]))
  }

  /** Ends every session with `peer`: its link went down, or its pair was burned. */
  stopWith(peer: PartyId, code: 'PEER_LOST' | 'PAIR_BURNED', message: string): void {
    for (const name of [...this.#running.keys()]) this.#stop(name, peer, new Timeout(code, message, [peer]))
    this.#early.delete(peer)
  }

  #stop(name: string, peer: PartyId, error: ConclaveError): void {
    const running = this.#running.get(name)
    if (running?.peers.includes(peer) !== true) return
    running.stopped = error
    this.#options.pool.stop(name, error)
  }

  #post(running: Running, messages: readonly Outgoing[]): void {
    for (const m of messages) {
      for (const to of m.to === 'all' ? running.peers : [m.to]) {
        running.bytesSent += m.body.length
        this.#options.send(to, { sessionId: running.id, from: this.#options.self, round: m.round, body: m.body })
      }
    }
  }

  #restartTimer(name: string, running: Running): void {
    running.stopTimer()
    running.stopTimer = this.#options.clock.after(this.#options.silenceTimeoutMs, () => {
      const who = running.waitingFor
      this.#options.pool.stop(
        name,
        new Timeout('SESSION_SILENT', `no message of party ${who.join(', ')} in ${this.#options.silenceTimeoutMs} ms`, who),
      )
    })
  }

  #keepEarly(peer: PartyId, early: Early): void {
    const list = this.#early.get(peer) ?? []
    list.push(early)
    let bytes = list.reduce((sum, e) => sum + e.message.body.length, 0)
    while (list.length > EARLY_MESSAGES_MAX || bytes > EARLY_BYTES_MAX) {
      bytes -= list.shift()?.message.body.length ?? 0
      this.dropped['early-overflow']++
    }
    this.#early.set(peer, list)
  }

  #deliverEarly(name: string, running: Running): void {
    for (const peer of running.peers) {
      const list = this.#early.get(peer) ?? []
      for (const e of list.filter((early) => early.id === name)) this.#options.pool.receive(name, peer, e.message.round, e.message.body)
      this.#early.set(
        peer,
        list.filter((early) => early.id !== name),
      )
    }
  }

  #remember(name: string): void {
    this.#ended.add(name)
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.values().next().value as string)
  }
}
