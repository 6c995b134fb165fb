/** Runs protocol sessions; as the script of a worker thread, so that none that is long blocks the event loop of the node. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { ConclaveError, type PartyId, ProtocolAbort, seededRandom } from '@conclave/core'
import { encodeShareSecret, type KeyShare, type Outgoing } from '@conclave/mpc'
import { encode, KeyPublic } from '@conclave/wire'
import type { StockEntry } from '../pool/shelf.ts'
import type { FromWorker, Job, PlainError, ToWorker } from './job.ts'
import { entriesOf, type Running, startJob } from './start-job.ts'

function plain(error: unknown): PlainError {
  const ours = error instanceof ConclaveError ? error : undefined
  const abort = error instanceof ProtocolAbort ? error : undefined
  return {
    code: ours?.code ?? 'INTERNAL',
    // A foreign error may quote what it choked on, which may be secret.
    message: ours?.message ?? 'a protocol run failed on our side',
    retriable: ours?.retriable ?? false,
    check: abort?.check,
    culprits: abort?.culprits ?? [],
  }
}

/** What sessions say, and the buffers that leave with it. */
export type SessionsPort = (message: FromWorker, handOver: readonly ArrayBuffer[]) => void

/** The sessions of one worker, each on its own: whatever one of them throws, the others go on. */
export class Sessions {
  readonly #running = new Map<string, Running>()
  readonly #port: SessionsPort

  constructor(port: SessionsPort) {
    this.#port = port
  }

  heard(m: ToWorker): void {
    switch (m.type) {
      case 'start':
        this.#start(m.id, m.job, m.seed)
        break
      case 'receive':
        this.#step(m.id, (run) => run.session.receive(m.from, m.round, m.body))
        break
      case 'attested':
        this.#step(m.id, (run) => {
          run.asked = false
          return run.session.attested(m.signature)
        })
        break
      case 'taken':
        this.#taken(m.id, m.found)
        break
      case 'abort':
        if (!this.#running.has(m.id)) return
        this.#end(m.id, new ConclaveError('SESSION_STOPPED', 'the session was stopped'))
        this.#post({ type: 'stopped', id: m.id })
    }
  }

  #start(id: string, job: Job, seed: Uint8Array): void {
    try {
      this.#running.set(id, startJob(job, seededRandom(seed)))
    } catch (error) {
      this.#post({ type: 'failed', id, error: plain(error) })
      return
    } finally {
      seed.fill(0)
    }
    this.#step(id, (run) => run.session.start())
  }

  /** The entries are nobody else's any more: they are the session's, or wiped when it has ended. */
  #taken(id: string, found: ReadonlyMap<PartyId, readonly StockEntry[]>): void {
    const entries = entriesOf(found)
    for (const { secret } of [...found.values()].flat()) secret.fill(0)
    const run = this.#running.get(id)
    if (run === undefined) {
      for (const { secret } of [...entries.values()].flat()) secret[Symbol.dispose]()
      return
    }
    run.asked = false
    this.#step(id, () => run.session.taken(entries))
  }

  #step(id: string, act: (run: Running) => readonly Outgoing[]): void {
    const run = this.#running.get(id)
    if (run === undefined) return
    try {
      const messages = act(run)
      if (messages.length > 0) this.#post({ type: 'send', id, messages })
      this.#report(id, run)
    } catch (error) {
      this.#end(id, new ConclaveError('INTERNAL', 'a protocol run failed on our side', { cause: error }))
      this.#post({ type: 'failed', id, error: plain(error) })
    }
  }

  /** Tells the main thread where the session stands after a step. */
  #report(id: string, run: Running): void {
    const { session } = run
    if (session.state === 'done') {
      const { result, handOver } = run.finish(session.result)
      this.#end(id)
      this.#post({ type: 'done', id, result }, handOver)
    } else if (session.state === 'aborted') {
      this.#end(id)
      this.#post({ type: 'failed', id, error: plain(session.error) })
    } else if (session.state === 'attesting' && session.attest !== undefined) {
      if (run.asked) return
      run.asked = true
      const share = session.attest.pending as KeyShare
      using secret = encodeShareSecret(share)
      const copy = Uint8Array.from(secret.bytes)
      share.secret[Symbol.dispose]()
      const record = { public: encode(KeyPublic, share.public), secret: copy }
      this.#post({ type: 'attest', id, hash: session.attest.hash, share: record }, [copy])
    } else if (session.state === 'taking' && session.take !== undefined) {
      if (run.asked) return
      run.asked = true
      this.#post({ type: 'take', id, names: session.take })
    } else {
      this.#post({ type: 'waiting', id, round: session.round ?? 0, peers: session.waitingFor })
    }
  }

  /** Ends a session here; with `error`, one that has not ended itself. */
  #end(id: string, error?: ConclaveError): void {
    const run = this.#running.get(id)
    if (run === undefined) return
    this.#running.delete(id)
    if (error !== undefined) run.session.abort(error)
    run.dispose()
  }

  #post(message: FromWorker, handOver: readonly Uint8Array[] = []): void {
    this.#port(
      message,
      handOver.map((b) => b.buffer as ArrayBuffer),
    )
  }
}

/** Serves sessions on `port` until it closes. */
export function serveSessions(port: MessagePort): void {
  const sessions = new Sessions((message, handOver) => port.postMessage(message, [...handOver]))
  port.on('message', (m: ToWorker) => sessions.heard(m))
}

if (parentPort !== null) serveSessions(parentPort)
