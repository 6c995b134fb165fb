/** A worker thread: runs protocol sessions, so that no signing blocks the event loop of the node. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { ConclaveError, messageOf, type PartyId, ProtocolAbort, type Random, seededRandom } from '@conclave/core'
import {
  DKG_ROUNDS,
  dkg,
  encodeShareSecret,
  type KeyShare,
  type Outgoing,
  PAIR_ROUNDS,
  type PairState,
  pairSetup,
  parseKeyShare,
  parsePairState,
  Session,
  SIGN_ROUNDS,
  sign,
} from '@conclave/mpc'
import { encode, KeyPublic, PairPublic } from '@conclave/wire'
import type { DkgJob, FromWorker, Job, JobResults, OpenedRecord, PairJob, PlainError, SignJob, ToWorker } from './job.ts'

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
    message: ours === undefined ? `a protocol run failed: ${messageOf(error)}` : ours.message,
    retriable: ours?.retriable ?? false,
    check: abort?.check,
    culprits: abort?.culprits ?? [],
  }
}

function startDkg(job: DkgJob, random: Random): Running {
  const session = new Session({
    self: job.self,
    peers: job.parties.filter((j) => j !== job.self),
    rounds: DKG_ROUNDS,
    protocol: dkg({ ...job, random }),
  })
  return {
    session,
    finish: (result) => ({ result: result as JobResults['dkg'], handOver: [] }),
    dispose: () => undefined,
    attesting: false,
  }
}

function startPair(job: PairJob, random: Random): Running {
  const session = new Session({ self: job.self, peers: [job.peer], rounds: PAIR_ROUNDS, protocol: pairSetup({ ...job, random }) })
  const finish = (result: unknown) => {
    const state = result as PairState
    const secret = Uint8Array.from(state.secret.bytes)
    state.secret[Symbol.dispose]()
    return { result: { public: encode(PairPublic, state.public), secret }, handOver: [secret] }
  }
  return { session, finish, dispose: () => undefined, attesting: false }
}

function startSign(job: SignJob, random: Random): Running {
  const wipe = (records: Iterable<OpenedRecord>) => {
    for (const r of records) r.secret.fill(0)
  }
  const given = [job.share, ...job.pairs.values()]
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
    const protocol = sign({ clusterContext: job.clusterContext, share, request: job.request, pairs, random })
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
    wipe(given)
  }
}

function startJob(job: Job, random: Random): Running {
  switch (job.kind) {
    case 'dkg':
      return startDkg(job, random)
    case 'pair':
      return startPair(job, random)
    case 'sign':
      return startSign(job, random)
  }
}

/** Serves sessions on `port` until it closes. */
export function serveSessions(port: MessagePort): void {
  const running = new Map<string, Running>()
  const post = (message: FromWorker, handOver: readonly Uint8Array[] = []): void =>
    port.postMessage(
      message,
      handOver.map((b) => b.buffer as ArrayBuffer),
    )

  const end = (id: string, run: Running): void => {
    running.delete(id)
    run.dispose()
  }

  /** Tells the main thread where the session stands after a step. */
  const report = (id: string, run: Running): void => {
    const { session } = run
    if (session.state === 'done') {
      const { result, handOver } = run.finish(session.result)
      end(id, run)
      post({ type: 'done', id, result }, handOver)
    } else if (session.state === 'aborted') {
      end(id, run)
      post({ type: 'failed', id, error: plain(session.error) })
    } else if (session.state === 'attesting' && session.attest !== undefined) {
      if (run.attesting) return
      run.attesting = true
      const share = session.attest.pending as KeyShare
      using secret = encodeShareSecret(share)
      const copy = Uint8Array.from(secret.bytes)
      share.secret[Symbol.dispose]()
      post({ type: 'attest', id, hash: session.attest.hash, share: { public: encode(KeyPublic, share.public), secret: copy } }, [copy])
    } else {
      post({ type: 'waiting', id, peers: session.waitingFor })
    }
  }

  const step = (id: string, act: (run: Running) => readonly Outgoing[]): void => {
    const run = running.get(id)
    if (run === undefined) return
    try {
      const messages = act(run)
      if (messages.length > 0) post({ type: 'send', id, messages })
      report(id, run)
    } catch (error) {
      // One session's failure on our side must not take the worker's other sessions with it.
      end(id, run)
      post({ type: 'failed', id, error: plain(error) })
    }
  }

  port.on('message', (m: ToWorker) => {
    switch (m.type) {
      case 'start':
        try {
          running.set(m.id, startJob(m.job, seededRandom(m.seed)))
        } catch (error) {
          post({ type: 'failed', id: m.id, error: plain(error) })
          return
        } finally {
          m.seed.fill(0)
        }
        step(m.id, (run) => run.session.start())
        break
      case 'receive':
        step(m.id, (run) => run.session.receive(m.from, m.round, m.body))
        break
      case 'attested':
        step(m.id, (run) => run.session.attested(m.signature))
        break
      case 'abort': {
        const run = running.get(m.id)
        if (run === undefined) return
        run.session.abort(new ConclaveError('SESSION_STOPPED', 'the session was stopped'))
        end(m.id, run)
      }
    }
  })
}

if (parentPort !== null) serveSessions(parentPort)
