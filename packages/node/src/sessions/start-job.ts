/** What a worker makes of a job: a session, and what belongs to it. */
import { type PartyId, type Random, SecretBytes, wipe } from '@conclave/core'
import {
  CORRELATE_ROUNDS,
  type Correlation,
  correlate,
  DEAL_ROUNDS,
  type Dealing,
  deal,
  encodePairSecret,
  type KeyShare,
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
import type { StockEntry } from '../pool/shelf.ts'
import {
  type CorrelateJob,
  type DealJob,
  type DealSource,
  type Job,
  type JobResults,
  type OpenedRecord,
  type PairJob,
  type SignJob,
  secretsOf,
} from './job.ts'

export interface Running {
  readonly session: Session<unknown>
  /** Turns the session's result into what crosses back, and says which buffers to hand over. */
  readonly finish: (result: unknown) => { readonly result: JobResults[keyof JobResults]; readonly handOver: readonly Uint8Array[] }
  /** Wipes what the run was given. */
  readonly dispose: () => void
  /** The node has been asked for what the session waits for; messages that come meanwhile change nothing. */
  asked: boolean
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
      asked: false,
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
  return { session, finish, dispose: () => undefined, asked: false }
}

/** Entries as a session takes them over. */
export const entriesOf = (found: ReadonlyMap<PartyId, readonly StockEntry[]>): ReadonlyMap<PartyId, readonly Correlation[]> =>
  new Map([...found].map(([j, list]) => [j, list.map(({ name, secret }) => ({ name, secret: new SecretBytes(Uint8Array.from(secret)) }))]))

function startCorrelate(job: CorrelateJob, random: Random): Running {
  try {
    const { self, peer, nonce, count } = job
    const pair = parsePairState(job.pair.public, job.pair.secret)
    const session = new Session({
      ...{ self, peers: [peer], rounds: CORRELATE_ROUNDS },
      protocol: correlate({ self, peer, pair, nonce, count, random }),
    })
    return { session, finish: finishCorrelate, dispose: () => pair.secret[Symbol.dispose](), asked: false }
  } finally {
    for (const secret of secretsOf(job)) wipe(secret)
  }
}

function finishCorrelate(made: unknown): ReturnType<Running['finish']> {
  const result = (made as readonly Correlation[]).map((entry) => {
    using kept = entry.secret
    return { name: entry.name, secret: Uint8Array.from(kept.bytes) }
  })
  return { result, handOver: result.map((entry) => entry.secret) }
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
    const { clusterContext, request, stocked } = job
    const offers = entriesOf(job.offers)
    for (const list of offers.values()) opened.push(...list.map((entry) => entry.secret))
    const protocol = sign({ clusterContext, share, request, pairs, random, offers, stocked })
    const peers = job.request.signers.filter((j) => j !== job.self)
    const session = new Session({ self: job.self, peers, rounds: SIGN_ROUNDS, protocol })
    return {
      session,
      finish: (result) => ({ result: result as JobResults['sign'], handOver: [] }),
      dispose: () => {
        for (const o of opened) o[Symbol.dispose]()
      },
      asked: false,
    }
  } catch (error) {
    for (const o of opened) o[Symbol.dispose]()
    throw error
  } finally {
    for (const secret of secretsOf(job)) wipe(secret)
  }
}

/** @throws what is wrong with the job; its secrets are wiped then. */
export function startJob(job: Job, random: Random): Running {
  switch (job.kind) {
    case 'deal':
      return startDeal(job, random)
    case 'pair':
      return startPair(job, random)
    case 'correlate':
      return startCorrelate(job, random)
    case 'sign':
      return startSign(job, random)
  }
}
