import { type Clock, ConclaveError, type PartyId, Timeout, toHex, wipe } from '@conclave/core'
import type { Outgoing } from '@conclave/mpc'
import type { SessionEnd, SessionMessage } from '@conclave/wire'
import { EarlyBox } from './early-box.ts'
import type { Job, OpenedRecord, ResultOf } from './job.ts'
import type { SessionHandlers, SessionPool } from './session-pool.ts'

/** Names of ended sessions that are remembered, so that their late messages are not kept as early ones. */
export const ENDED_MAX = 4096

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
  /** The last session that ran has ended. */
  idle?(): void
  /** A session has ended. @param code - empty when it succeeded. */
  ended?(kind: Job['kind'], ms: number, code: string): void
}

export interface SessionHooks {
  /** Stores `share` durably, then signs `hash` with the node identity. */
  attest?(hash: Uint8Array, share: OpenedRecord): Promise<Uint8Array>
  /** Takes out of the stock what lower peers named for this session. */
  take?: SessionHandlers['take']
  /** As {@link HubOptions.seed} draws it, and drawn there unless given; taken over. */
  readonly seed?: Uint8Array
  /** Another name under which a peer may end the session: one that has another id for it than this node, or none. */
  readonly alsoNamed?: Uint8Array
  /** It stands still for messages of that round now. */
  round?(round: number): void
  /** Acts on a failure before any peer hears of it; must not throw. */
  failed?(error: unknown): Promise<void>
}

interface Running {
  readonly id: Uint8Array
  readonly peers: readonly PartyId[]
  /** Round and peers that the session stands still for. */
  standstill: string
  waitingFor: readonly PartyId[]
  bytesSent: number
  stopTimer: () => void
  /** A worker has it; until then its messages wait with the early ones. */
  started: boolean
  /** Set when the session was stopped before it reached a worker. */
  stopped: ConclaveError | undefined
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
  readonly #early = new EarlyBox()
  readonly #ended = new Set<string>()
  /** Names of running sessions, by their other names. */
  readonly #others = new Map<string, string>()

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** Sessions under way. */
  get running(): number {
    return this.#running.size
  }

  /** How much is kept here; `early` is what that peer said of sessions that have not begun. */
  sizes(peer: PartyId): { readonly running: number; readonly ended: number; readonly early: ReturnType<EarlyBox['sizeOf']> } {
    return { running: this.#running.size, ended: this.#ended.size, early: this.#early.sizeOf(peer) }
  }

  /** Running sessions with `peer`. */
  with(peer: PartyId): readonly Uint8Array[] {
    return [...this.#running.values()].filter((r) => r.peers.includes(peer)).map((r) => r.id)
  }

  /**
   * Runs one session to its end. `id` names it at every party; an id is used once.
   *
   * @returns the result and the protocol bytes that this node sent.
   * @throws {ProtocolAbort} a failed check. {Timeout} SESSION_SILENT, PEER_LOST, PEER_STOPPED, PAIR_BURNED. {ConclaveError}
   * SESSION_EXISTS, WORKER_DIED, CLOSED.
   */
  async run<J extends Job>(
    id: Uint8Array,
    peers: readonly PartyId[],
    job: J,
    hooks: SessionHooks = {},
  ): Promise<{ readonly result: ResultOf<J>; readonly bytesSent: number }> {
    const name = toHex(id)
    if (this.#running.has(name) || this.#ended.has(name)) throw new ConclaveError('SESSION_EXISTS', 'this session has already run')
    const running: Running = {
      ...{ id, peers, standstill: '', waitingFor: peers, bytesSent: 0, started: false, stopped: undefined },
      stopTimer: () => undefined,
    }
    this.#running.set(name, running)
    const other = hooks.alsoNamed === undefined ? undefined : toHex(hooks.alsoNamed)
    if (other !== undefined) this.#others.set(other, name)
    const beganMs = this.#options.clock.nowMs()
    let code = ''
    try {
      const result = await this.#runNamed(name, running, job, hooks)
      return { result, bytesSent: running.bytesSent }
    } catch (error) {
      running.stopTimer()
      await hooks.failed?.(error)
      code = error instanceof ConclaveError ? error.code : 'INTERNAL'
      this.#endAt(peers, id, code)
      throw error
    } finally {
      running.stopTimer()
      this.#running.delete(name)
      this.#remember(name)
      if (other !== undefined) {
        this.#others.delete(other)
        this.#remember(other)
      }
      this.#options.ended?.(job.kind, this.#options.clock.nowMs() - beganMs, code)
      if (this.#running.size === 0) this.#options.idle?.()
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
    if (this.#ended.has(name)) this.dropped.ended++
    else if (running?.peers.includes(peer) === false) this.dropped['unknown-peer']++
    else if (running?.started === true) this.#options.pool.receive(name, peer, message.round, message.body)
    else this.#keepEarly(peer, name, message)
  }

  /** A peer says that it stopped: waiting for it makes no sense, but nobody is to blame. */
  peerEnded(peer: PartyId, end: SessionEnd): void {
    if (end.from !== peer) {
      this.dropped.spoofed++
      return
    }
    const said = toHex(end.sessionId)
    const name = this.#others.get(said) ?? said
    if (this.#running.has(name)) this.#stop(name, peer, stoppedBy(peer, end))
    else if (!this.#ended.has(name)) this.#keepEarly(peer, name, end)
  }

  /** Ends every session with `peer`: its link went down, or its pair was burned. */
  stopWith(peer: PartyId, code: 'PEER_LOST' | 'PAIR_BURNED', message: string): void {
    for (const name of [...this.#running.keys()]) this.#stop(name, peer, new Timeout(code, message, [peer]))
    this.#early.clear(peer)
  }

  /** Tells the peers of a session that this node does not begin it, so that they need not wait for silence. */
  decline(id: Uint8Array, peers: readonly PartyId[], code: string): void {
    const name = toHex(id)
    if (this.#running.has(name) || this.#others.has(name) || this.#ended.has(name)) return
    this.#early.drop(name)
    this.#endAt(peers, id, code)
  }

  /** Tells peers that this node has no part in what they may call by another name than it does; what runs here goes on. */
  disown(id: Uint8Array, peers: readonly PartyId[], code: string): void {
    this.#endAt(peers, id, code)
  }

  /** Ends one session with `peer`, if it runs. */
  stop(id: Uint8Array, peer: PartyId, error: ConclaveError): void {
    this.#stop(toHex(id), peer, error)
  }

  async #runNamed<J extends Job>(name: string, running: Running, job: J, hooks: SessionHooks): Promise<ResultOf<J>> {
    const { pool } = this.#options
    const seed = hooks.seed ?? (await this.#options.seed())
    try {
      if (running.stopped !== undefined) throw running.stopped
      this.#restartTimer(name, running)
      const done = pool.run(name, job, seed, {
        send: (messages) => this.#post(running, messages),
        waiting: (round, peers) => {
          // Only progress buys time: a peer that repeats itself does not keep the session alive.
          const standstill = `${round}:${peers.join()}`
          if (standstill === running.standstill) return
          running.standstill = standstill
          running.waitingFor = peers
          hooks.round?.(round)
          this.#restartTimer(name, running)
        },
        ...(hooks.attest === undefined ? {} : { attest: hooks.attest }),
        ...(hooks.take === undefined ? {} : { take: hooks.take }),
      })
      running.started = true
      this.#deliverEarly(name, running)
      if (hooks.alsoNamed !== undefined) this.#deliverEarly(toHex(hooks.alsoNamed), running, name)
      return await done
    } finally {
      // Empty when a worker took it over.
      wipe(seed)
    }
  }

  #endAt(peers: readonly PartyId[], sessionId: Uint8Array, code: string): void {
    for (const to of peers) this.#options.sendEnd(to, { sessionId, from: this.#options.self, code })
  }

  #stop(name: string, peer: PartyId, error: ConclaveError): void {
    const running = this.#running.get(name)
    if (running?.peers.includes(peer) !== true) return
    running.stopped ??= error
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

  #keepEarly(peer: PartyId, name: string, what: SessionMessage | SessionEnd): void {
    this.dropped['early-overflow'] += this.#early.keep(peer, name, what)
  }

  /** What peers said of this session before it began here, in the order in which each said it. */
  #deliverEarly(said: string, running: Running, name = said): void {
    for (const peer of running.peers) {
      for (const what of this.#early.take(peer, said)) {
        if ('body' in what && said !== name) this.dropped['unknown-peer']++
        else if ('body' in what) this.#options.pool.receive(name, peer, what.round, what.body)
        else this.#stop(name, peer, stoppedBy(peer, what))
      }
    }
  }

  #remember(name: string): void {
    this.#ended.add(name)
    this.#early.drop(name)
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.values().next().value as string)
  }
}

function stoppedBy(peer: PartyId, end: SessionEnd): ConclaveError {
  return new Timeout('PEER_STOPPED', `party ${peer} stopped the session (${end.code})`, [peer])
}
