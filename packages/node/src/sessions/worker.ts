/** A worker thread: runs protocol sessions, so that no signing blocks the event loop of the node. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { ConclaveError, type PartyId, ProtocolAbort, type Random, seededRandom, wipe } from '@conclave/core'
import {
  DEAL_ROUNDS,
  type Dealing,
  deal,
  encodePairSecret,
  encodeShareSecret,
  type KeyShare,
  type Outgoing,
  PAIR_ROUNDS,
  type PairState,
  pairSetup,
  parseKeyShare,
  parsePairState,
  quorumOf,
  Session,
  SIGN_ROUNDS,
  sign,
} from '@conclave/mpc'
import { decode, encode, KeyPublic, PairPublic } from '@conclave/wire'
import {
  type DealJob,
  type DealSource,
  type FromWorker,
  type Job,
  type JobResults,
  type OpenedRecord,
  type PairJob,
  type PlainError,
  type SignJob,
  secretsOf,
  type ToWorker,
} from './job.ts'

interface Running {
  readonly session: Session<unknown>
  /** Turns the session's result into what crosses back, and says which buffers to hand over. */
  readonly finish: (result: unknown) => { readonly result: JobResults[keyof JobResults]; readonly handOver: readonly Uint8Array[] }
  /** Wipes what the run was given. */
  readonly dispose: () => void
  /** The share to store has been handed over; messages that come meanwhile change nothing. */
  attesting: boolean
}

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

/** Opens what is dealt from; the session's owner disposes of the share. */
function openDealing(source: DealSource, self: PartyId): Dealing {
  if (source.kind === 'create') return source
  const previous = decode(KeyPublic, source.previous)
  const open = (r: OpenedRecord): KeyShare => parseKeyShare(r.public, r.secret, self)
  if (source.kind === 'refresh') return { kind: 'refresh', previous, share: open(source.share) }
  const { dealers, share } = source
  return { kind: 'reshare', previous, dealers, share: share === undefined ? undefined : open(share) }
}

function startDeal(job: DealJob, random: Random): Running {
  try {
    const dealing = openDealing(job.dealing, job.self)
    const peers = quorumOf(job).filter((j) => j !== job.self)
    const session = new Session({ self: job.self, peers, rounds: DEAL_ROUNDS, protocol: deal({ ...job, dealing, random }) })
    return {
      session,
      finish: (result) => ({ result: result as JobResults['deal'], handOver: [] }),
      dispose: () => {
        if (dealing.kind !== 'create') dealing.share?.secret[Symbol.dispose]()
      },
      attesting: false,
    }
  } finally {
    for (const secret of secretsOf(job)) wipe(secret)
  }
}

function startPair(job: PairJob, random: Random): Running {
  const session = new Session({ self: job.self, peers: [job.peer], rounds: PAIR_ROUNDS, protocol: pairSetup({ ...job, random }) })
  const finish = (result: unknown) => {
    const state = result as PairState
    using sealed = encodePairSecret(state)
    state.secret[Symbol.dispose]()
    const secret = Uint8Array.from(sealed.bytes)
    return { result: { public: encode(PairPublic, state.public), secret }, handOver: [secret] }
  }
  return { session, finish, dispose: () => undefined, attesting: false }
}

function startSign(job: SignJob, random: Random): Running {
  const opened: Disposable[] = []
  try {
    const share = parseKeyShare(job.share.public, job.share.secret, job.self)
    opened.push(share.secret)
    const pairs = new Map<PartyId, PairState>()
    for (const [j, record] of job.pairs) {
      const pair = parsePairState(record.public, record.secret)
      opened.push(pair.secret)
      pairs.set(j, pair)
    }
    const protocol = sign({
      clusterContext: job.clusterContext,
      share,
      request: job.request,
      pairs,
      random,
      offers: new Map(),
      stocked: new Set(),
    })
    const peers = job.request.signers.filter((j) => j !== job.self)
    const session = new Session({ self: job.self, peers, rounds: SIGN_ROUNDS, protocol })
    return {
      session,
      finish: (result) => ({ result: result as JobResults['sign'], handOver: [] }),
      dispose: () => {
        for (const o of opened) o[Symbol.dispose]()
      },
      attesting: false,
    }
  } catch (error) {
    for (const o of opened) o[Symbol.dispose]()
    throw error
  } finally {
    for (const secret of secretsOf(job)) wipe(secret)
  }
}

function startJob(job: Job, random: Random): Running {
  switch (job.kind) {
    case 'deal':
      return startDeal(job, random)
    case 'pair':
      return startPair(job, random)
    case 'sign':
      return startSign(job, random)
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
        this.#step(m.id, (run) => run.session.attested(m.signature))
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

  #step(id: string, act: (run: Running) => readonly Outgoing[]): void {
    const run = this.#running.get(id)
    if (run === undefined) return
    try {
      const messages = [...act(run)]
      // No pool here yet: what a peer offers is not held.
      if (run.session.state === 'taking') messages.push(...run.session.taken(new Map()))
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
      if (run.attesting) return
      run.attesting = true
      const share = session.attest.pending as KeyShare
      using secret = encodeShareSecret(share)
      const copy = Uint8Array.from(secret.bytes)
      share.secret[Symbol.dispose]()
      const record = { public: encode(KeyPublic, share.public), secret: copy }
      this.#post({ type: 'attest', id, hash: session.attest.hash, share: record }, [copy])
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
