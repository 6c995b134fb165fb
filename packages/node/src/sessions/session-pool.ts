import { availableParallelism } from 'node:os'
import { ConclaveError, type PartyId, ProtocolAbort, wipe } from '@conclave/core'
import { burnsPairs, type Outgoing } from '@conclave/mpc'
import type { StockEntry } from '../pool/shelf.ts'
import {
  type FromWorker,
  isShort,
  type Job,
  type OpenedRecord,
  type PlainError,
  type ResultOf,
  secretsIn,
  secretsOf,
  type ToWorker,
} from './job.ts'
import { type SessionWorker, type StartWorker, workerThread } from './session-worker.ts'

export interface SessionHandlers {
  /** Protocol messages to be sent to peers. */
  send(messages: readonly Outgoing[]): void
  /** The session stands still in this round until these peers are heard. */
  waiting(round: number, peers: readonly PartyId[]): void
  /** Stores `share` durably, then signs `hash` with the node identity. */
  attest?(hash: Uint8Array, share: OpenedRecord): Promise<Uint8Array>
  /** Takes out of the stock what lower peers named; what it gives belongs to the session. */
  take?(names: ReadonlyMap<PartyId, readonly Uint8Array[]>): ReadonlyMap<PartyId, readonly StockEntry[]>
}

interface Entry {
  readonly kind: Job['kind']
  readonly worker: SessionWorker
  readonly handlers: SessionHandlers
  readonly resolve: (result: never) => void
  readonly reject: (error: ConclaveError) => void
  /** Resolves when the session has ended, however. */
  readonly settled: Promise<void>
  stopped: ConclaveError | undefined
}

const WORKERS_MAX = 4
/** A worker takes 30 MB. After so long without a session it ends, unless it is the last. */
const IDLE_MS = 15_000
/** How long `close` waits for workers to let go of their sessions. */
const CLOSE_TIMEOUT_MS = 5_000

function revive(e: PlainError): ConclaveError {
  if (e.check !== undefined) return new ProtocolAbort(e.code, e.check, e.culprits, e.message)
  return new ConclaveError(e.code, e.message, { retriable: e.retriable })
}

/** A secret that nobody waits for any more: its session was stopped while the message was on its way. */
function wipeUnclaimed(m: FromWorker): void {
  if (m.type === 'attest') wipe(m.share.secret)
  if (m.type !== 'done') return
  if ('secret' in m.result) wipe(m.result.secret)
  if (Array.isArray(m.result)) for (const entry of m.result) if ('secret' in entry) wipe(entry.secret)
}

export interface SessionPoolOptions {
  /** Workers at most. */
  readonly size?: number
  /** How long a worker without a session stays when there is another one. */
  readonly idleMs?: number
  /** Threads unless told otherwise. */
  readonly start?: StartWorker
  /** Where short sessions run; with the others if left out. */
  readonly near?: StartWorker
}

/**
 * Workers that run protocol sessions. A session stays on one worker; several share a worker.
 *
 * The first session starts the first worker, and one that finds all of them busy another, up to `size`; who is idle for long ends, but
 * for the last. A worker that dies fails its sessions with WORKER_DIED and is replaced only when it is needed: one that dies at its
 * start would be replaced without end.
 */
export class SessionPool {
  readonly #workers: (SessionWorker | undefined)[]
  readonly #entries = new Map<string, Entry>()
  readonly #size: number
  readonly #idleMs: number
  readonly #start: StartWorker
  readonly #near: StartWorker | undefined
  readonly #retiring = new Map<SessionWorker, NodeJS.Timeout>()
  #closed = false

  constructor(options: SessionPoolOptions = {}) {
    const { size = Math.min(availableParallelism(), WORKERS_MAX), idleMs = IDLE_MS, start = workerThread(), near } = options
    this.#size = size
    this.#idleMs = idleMs
    this.#start = start
    this.#near = near
    this.#workers = Array.from({ length: size }, () => undefined)
  }

  get running(): number {
    return this.#entries.size
  }

  /**
   * Runs `job` to its end.
   *
   * @param id - hex; unique among running sessions.
   * @param seed - 32 bytes, the session's only randomness; taken over and wiped, like the secrets of the job.
   * @throws {ProtocolAbort} a failed check. {ConclaveError} SESSION_EXISTS, SESSION_STOPPED, WORKER_DIED, CLOSED.
   */
  run<J extends Job>(id: string, job: J, seed: Uint8Array, handlers: SessionHandlers): Promise<ResultOf<J>> {
    if (this.#closed) throw new ConclaveError('CLOSED', 'the node is stopping', { retriable: true })
    if (this.#entries.has(id)) throw new ConclaveError('SESSION_EXISTS', 'this session is already running')
    const slot = this.#slotFor(job)
    // The place behind those of the workers is for short sessions.
    const worker = this.#workers[slot] ?? this.#spawn(slot, slot < this.#size ? this.#start : (this.#near ?? this.#start))
    this.#workers[slot] = worker
    const message: ToWorker = { type: 'start', id, job, seed }
    // Before the entry exists: what cannot be posted is not running.
    worker.post(
      message,
      [...secretsOf(job), seed].map((b) => b.buffer as ArrayBuffer),
    )
    const { promise, resolve, reject } = Promise.withResolvers<ResultOf<J>>()
    const settled = promise.then(
      () => undefined,
      () => undefined,
    )
    this.#entries.set(id, { kind: job.kind, worker, handlers, resolve, reject, settled, stopped: undefined })
    clearTimeout(this.#retiring.get(worker))
    return promise
  }

  receive(id: string, from: PartyId, round: number, body: Uint8Array): void {
    this.#tell(id, { type: 'receive', id, from, round, body })
  }

  /**
   * Ends a session from outside: its promise rejects with `error` when its worker has let go of it.
   *
   * Not before, because the worker may just be finding out that a peer cheated: whoever could stop a session between its message
   * and our verdict (by a link that drops, by saying that it stopped) would read our secrets bit by bit and never be banned.
   */
  stop(id: string, error: ConclaveError): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.stopped !== undefined) return
    this.#tell(id, { type: 'abort', id })
    entry.stopped = error
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const id of [...this.#entries.keys()]) this.stop(id, new ConclaveError('CLOSED', 'the node is stopping', { retriable: true }))
    const settled = Promise.all([...this.#entries.values()].map((e) => e.settled))
    const { promise: expired, resolve: expire } = Promise.withResolvers<void>()
    const timer = setTimeout(expire, CLOSE_TIMEOUT_MS)
    await Promise.race([settled, expired])
    clearTimeout(timer)
    for (const retiring of this.#retiring.values()) clearTimeout(retiring)
    await Promise.all(this.#workers.map((w) => w?.terminate()))
  }

  #tell(id: string, message: ToWorker, handOver: readonly Uint8Array[] = []): void {
    this.#entries.get(id)?.worker.post(
      message,
      handOver.map((b) => b.buffer as ArrayBuffer),
    )
  }

  /**
   * A worker that is idle; if there is none a new one; if there is no place for it the one with the fewest sessions. Correlations are
   * made ahead of need, so they start no second worker, and while they are made nothing else goes there.
   */
  #slotFor(job: Job): number {
    if (this.#near !== undefined && isShort(job)) return this.#size
    const places = this.#workers.slice(0, this.#size).map((worker, slot) => ({ slot, worker, kinds: this.#kindsOn(worker) }))
    const started = places.filter(({ worker }) => worker !== undefined).sort((a, b) => a.kinds.length - b.kinds.length)
    const free = started.filter(({ kinds }) => job.kind === 'correlate' || !kinds.includes('correlate'))
    const [least] = free
    const isEnough = least !== undefined && (least.kinds.length === 0 || job.kind === 'correlate')
    const empty = isEnough ? undefined : places.find(({ worker }) => worker === undefined)
    return (empty ?? least ?? started[0])?.slot ?? 0
  }

  /** What runs on a worker. */
  #kindsOn(worker: SessionWorker | undefined): readonly Job['kind'][] {
    return [...this.#entries.values()].filter((entry) => entry.worker === worker).map((entry) => entry.kind)
  }

  /** Forgets a session that has ended, and sees to it that its worker does not stay for nothing. */
  #ended(id: string, { worker }: Entry): void {
    this.#entries.delete(id)
    if (this.#closed || worker === this.#workers[this.#size] || this.#kindsOn(worker).length > 0) return
    clearTimeout(this.#retiring.get(worker))
    this.#retiring.set(worker, setTimeout(() => this.#retire(worker), this.#idleMs).unref())
  }

  #retire(worker: SessionWorker): void {
    this.#retiring.delete(worker)
    const slot = this.#workers.indexOf(worker)
    const others = this.#workers.slice(0, this.#size).filter((other) => other !== undefined && other !== worker)
    if (this.#closed || slot < 0 || others.length === 0 || this.#kindsOn(worker).length > 0) return
    this.#workers[slot] = undefined
    void worker.terminate()
  }

  #spawn(slot: number, start: StartWorker): SessionWorker {
    const worker = start({
      heard: (m) => this.#heard(m),
      exited: (cause) => {
        if (this.#closed) return
        if (this.#workers[slot] === worker) this.#workers[slot] = undefined
        clearTimeout(this.#retiring.get(worker))
        this.#retiring.delete(worker)
        for (const [id, entry] of this.#entries) {
          if (entry.worker !== worker) continue
          this.#entries.delete(id)
          entry.reject(new ConclaveError('WORKER_DIED', 'a worker died during the session', { retriable: true, cause }))
        }
      },
    })
    return worker
  }

  #heard(m: FromWorker): void {
    const entry = this.#entries.get(m.id)
    if (entry === undefined) {
      wipeUnclaimed(m)
      return
    }
    if (entry.stopped !== undefined) {
      this.#heardStopped(m, entry, entry.stopped)
      return
    }
    switch (m.type) {
      case 'stopped':
        break
      case 'send':
        entry.handlers.send(m.messages)
        break
      case 'waiting':
        entry.handlers.waiting(m.round, m.peers)
        break
      case 'attest':
        this.#attest(m.id, entry, m.hash, m.share)
        break
      case 'take':
        this.#take(m.id, entry, m.names)
        break
      case 'done':
        this.#ended(m.id, entry)
        entry.resolve(m.result as never)
        break
      case 'failed':
        this.#ended(m.id, entry)
        entry.reject(revive(m.error))
    }
  }

  /** What a session still says after it was stopped: nothing of it goes out, but the verdict on a cheat counts. */
  #heardStopped(m: FromWorker, entry: Entry, stopped: ConclaveError): void {
    wipeUnclaimed(m)
    if (m.type !== 'stopped' && m.type !== 'failed' && m.type !== 'done') return
    this.#ended(m.id, entry)
    entry.reject(m.type === 'failed' && burnsPairs(m.error.code) ? revive(m.error) : stopped)
  }

  #attest(id: string, entry: Entry, hash: Uint8Array, share: OpenedRecord): void {
    const refuse = () => Promise.reject<Uint8Array>(new ConclaveError('ASSERTION', 'this session cannot attest'))
    const done = entry.handlers.attest?.(hash, share) ?? refuse()
    done
      .finally(() => share.secret.fill(0))
      .then(
        (signature) => this.#tell(id, { type: 'attested', id, signature }),
        (error: unknown) =>
          this.stop(
            id,
            error instanceof ConclaveError ? error : new ConclaveError('INTERNAL', 'the new key could not be stored', { cause: error }),
          ),
      )
  }

  /** What a session was given is lost with it: a worker that dies takes it along, and one that ends wipes it. */
  #take(id: string, { handlers }: Entry, names: ReadonlyMap<PartyId, readonly Uint8Array[]>): void {
    const found = handlers.take?.(names) ?? new Map<PartyId, readonly StockEntry[]>()
    this.#tell(id, { type: 'taken', id, found }, secretsIn(found))
  }
}
