import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ConclaveError, type PartyId, ProtocolAbort } from '@conclave/core'
import type { Outgoing } from '@conclave/mpc'
import type { FromWorker, Job, OpenedRecord, PlainError, ResultOf, ToWorker } from './job.ts'

export interface SessionHandlers {
  /** Protocol messages to be sent to peers. */
  send(messages: readonly Outgoing[]): void
  /** The session stands still until these peers are heard. */
  waiting(peers: readonly PartyId[]): void
  /** Stores `share` durably, then signs `hash` with the node identity. */
  attest?(hash: Uint8Array, share: OpenedRecord): Promise<Uint8Array>
}

interface Entry {
  readonly worker: Worker
  readonly handlers: SessionHandlers
  readonly resolve: (result: never) => void
  readonly reject: (error: ConclaveError) => void
}

const WORKERS_MAX = 4

function revive(e: PlainError): ConclaveError {
  if (e.check !== undefined) return new ProtocolAbort(e.code, e.check, e.culprits, e.message)
  return new ConclaveError(e.code, e.message, { retriable: e.retriable })
}

/** Buffers that must not stay behind in this thread. */
function secretsOf(job: Job): ArrayBuffer[] {
  if (job.kind !== 'sign') return []
  return [job.share.secret, ...[...job.pairs.values()].map((p) => p.secret)].map((b) => b.buffer as ArrayBuffer)
}

/**
 * Worker threads that run protocol sessions. A session stays on one worker; several share a worker.
 *
 * A worker that dies fails its sessions with WORKER_DIED and is replaced.
 */
export class SessionPool {
  readonly #workers: Worker[] = []
  readonly #entries = new Map<string, Entry>()
  readonly #script: URL
  #next = 0
  #closed = false

  constructor(size: number = Math.min(availableParallelism(), WORKERS_MAX), script: URL = new URL('./worker.ts', import.meta.url)) {
    this.#script = script
    for (let i = 0; i < size; i++) this.#workers.push(this.#spawn(i))
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
    const worker = this.#workers[this.#next++ % this.#workers.length] as Worker
    return new Promise((resolve, reject) => {
      this.#entries.set(id, { worker, handlers, resolve, reject })
      const message: ToWorker = { type: 'start', id, job, seed }
      worker.postMessage(message, [...secretsOf(job), seed.buffer as ArrayBuffer])
    })
  }

  receive(id: string, from: PartyId, round: number, body: Uint8Array): void {
    this.#tell(id, { type: 'receive', id, from, round, body })
  }

  /** Ends a session from outside: its promise rejects with `error`. */
  stop(id: string, error: ConclaveError): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#tell(id, { type: 'abort', id })
    this.#entries.delete(id)
    entry.reject(error)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const id of [...this.#entries.keys()]) this.stop(id, new ConclaveError('CLOSED', 'the node is stopping', { retriable: true }))
    await Promise.all(this.#workers.map((w) => w.terminate()))
  }

  #tell(id: string, message: ToWorker): void {
    this.#entries.get(id)?.worker.postMessage(message)
  }

  #spawn(slot: number): Worker {
    const worker = new Worker(this.#script)
    worker.on('message', (m: FromWorker) => this.#heard(m))
    // An 'error' is followed by 'exit'; the listener only keeps it from ending the process.
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      if (this.#closed) return
      this.#workers[slot] = this.#spawn(slot)
      for (const [id, entry] of this.#entries) {
        if (entry.worker !== worker) continue
        this.#entries.delete(id)
        entry.reject(new ConclaveError('WORKER_DIED', 'a worker thread died during the session', { retriable: true, cause }))
      }
    })
    return worker
  }

  #heard(m: FromWorker): void {
    const entry = this.#entries.get(m.id)
    if (entry === undefined) return
    switch (m.type) {
      case 'send':
        entry.handlers.send(m.messages)
        break
      case 'waiting':
        entry.handlers.waiting(m.peers)
        break
      case 'attest':
        this.#attest(m.id, entry, m.hash, m.share)
        break
      case 'done':
        this.#entries.delete(m.id)
        entry.resolve(m.result as never)
        break
      case 'failed':
        this.#entries.delete(m.id)
        entry.reject(revive(m.error))
    }
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
}
