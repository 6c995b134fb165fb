import {
  type Clock,
  ConclaveError,
  codeOf,
  InvalidArgument,
  type Journal,
  type PartyId,
  PolicyDenied,
  parsePartySet,
  Timeout,
  toHex,
  wipe,
} from '@conclave/core'
import { type SignRequest, signSid } from '@conclave/mpc'
import type { StatementDigest } from '@conclave/policy'
import { traced } from '@conclave/telemetry'
import type { Logger } from '@conclave/transport'
import type { KeyPublic, Propose, Sign, Signed, Verdict } from '@conclave/wire'
import { type Attempted, attemptId, type Prepared } from './attempt.ts'
import { noteEvent } from './audit/note-event.ts'
import { sessionFailed, sessionSigned, sessionStarted } from './audit/signing-events.ts'
import type { SigningGate } from './audit/signing-gate.ts'
import type { DrillSignature } from './drill/hsm-drill.ts'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { Proposal } from './judge.ts'
import { burnCulprits } from './pair-burn.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { CorrelationPool } from './pool/correlation-pool.ts'
import type { Proposals } from './proposals.ts'
import type { RequestScope } from './request-scope.ts'
import type { OpenedRecord } from './sessions/job.ts'
import type { SessionHooks, SessionHub } from './sessions/session-hub.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'
import type { RequestStore } from './store/request-store.ts'
import { together } from './together.ts'

export interface SignerOptions {
  readonly self: PartyId
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly epochs: EpochKeeper
  readonly pairs: PairStore
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly requests: RequestStore
  readonly hub: SessionHub
  readonly proposals: Proposals
  readonly clock: Clock
  readonly log: Logger
  readonly maxConcurrent: number
  readonly journal: Journal
  readonly gate: SigningGate
  /** Why this node begins nothing any more. */
  leaving(): ConclaveError | undefined
  /** Told of every signature. */
  readonly signed?: (signature: DrillSignature) => void
  /** 32 bytes of HSM and operating-system randomness mixed. */
  seed(): Promise<Uint8Array>
}

/** A signing from the moment on at which nothing speaks against it. */
interface Signing {
  readonly sid: Uint8Array
  /** What signers under another policy call it. */
  readonly attempt: Uint8Array
  /** The other signers. */
  readonly peers: readonly PartyId[]
  readonly proposal: Proposal
  stopped: ConclaveError | undefined
}

/**
 * Signing at this node. It decodes every payload itself and asks its own policy; nobody else's word counts.
 */
export class Signer {
  readonly #o: SignerOptions
  readonly #proposals: Proposals
  /** Signatures, not sessions. */
  #running = 0
  /** Sessions, with what they sign. */
  readonly #sessions = new Map<string, Signing>()

  constructor(options: SignerOptions) {
    this.#o = options
    this.#proposals = options.proposals
  }

  /** Whether a signing is under way, in a session or before one. */
  get isSigning(): boolean {
    return this.#running > 0
  }

  /** Ends every session that signs what is frozen by now. */
  stopFrozen(): void {
    for (const signing of this.#sessions.values()) {
      const { code, reason } = this.#proposals.judged(signing.proposal).verdict
      if (code !== 'FROZEN') continue
      this.#stop(signing, new PolicyDenied(code, reason))
    }
  }

  /** Ends every session: a newer policy is known than the one that its statement names. */
  stopStale(): void {
    for (const signing of this.#sessions.values()) {
      this.#stop(signing, new ConclaveError('POLICY_STALE', 'a newer policy is known by now', { retriable: true }))
      // Those who have taken it up already sign in another session of the same attempt, and would wait.
      this.#o.hub.disown(signing.attempt, signing.peers, 'POLICY_STALE')
    }
  }

  #stop(signing: Signing, why: ConclaveError): void {
    signing.stopped = why
    this.#o.hub.stop(signing.sid, signing.peers[0] as PartyId, why)
  }

  /** @throws what {@link Proposals.propose} throws. */
  propose(p: Propose, scope: RequestScope): Promise<Verdict> {
    return this.#proposals.propose(p, scope)
  }

  /**
   * Takes part in one attempt.
   *
   * @throws {PolicyDenied}; {InvalidArgument} BAD_QUORUM, BAD_ATTEMPT; {ConclaveError} KEY_SUSPENDED, KEY_ARCHIVED, UNKNOWN_REQUEST,
   * ATTEMPT_SPENT, BUSY, DRAINING, PAIR_*, AUDIT_*; what a session throws.
   */
  async sign(s: Sign, scope: RequestScope): Promise<Signed> {
    this.#refuseWhenLeaving(s)
    const known = await this.#proposals.get(s.requestId)
    if (known === undefined) throw new ConclaveError('UNKNOWN_REQUEST', 'this request was not proposed to this node')
    // A request of many signatures must find room too, so what runs may exceed the limit by one request.
    if (this.#running >= this.#o.maxConcurrent) throw new ConclaveError('BUSY', 'too many signings at once', { retriable: true })
    const refusal = this.#o.lives.refusal(known.keyId)
    if (refusal?.code === 'KEY_DESTROYED') throw refusal
    // The policy may have changed since the proposal, so it is asked again.
    const judged = this.#proposals.judged(known)
    const count = judged.digests.length
    this.#running += count
    try {
      return await this.#sign(s, { known, judged, scope })
    } finally {
      this.#running -= count
      this.#o.correlations.stir()
    }
  }

  /** The others of the attempt need not wait for this node. */
  #refuseWhenLeaving({ requestId, attempt, signers }: Sign): void {
    const refusal = this.#o.leaving()
    if (refusal === undefined) return
    const parties = parsePartySet(signers)
    const peers = parties.filter((j) => j !== this.#o.self)
    this.#o.hub.decline(attemptId({ requestId, attempt, signers: parties }), peers, refusal.code)
    throw refusal
  }

  async #sign(s: Sign, { known, judged, scope: { log, span } }: Attempted): Promise<Signed> {
    const { verdict, digests: items, hash } = judged
    const { self, scope } = this.#o
    const refusal = this.#proposals.refusal(known)
    const key = this.#keyIn(known.keyId, s.epoch)
    const signers = parsePartySet(s.signers)
    if (signers.length !== key.threshold || !signers.includes(self) || !signers.every((j) => key.parties.includes(j))) {
      throw new InvalidArgument('BAD_QUORUM', `a quorum is exactly ${key.threshold} parties of the key, this node among them`)
    }
    const names = { requestId: s.requestId, statement: hash, attempt: s.attempt }
    const request: SignRequest = { ...names, signers, items, purpose: known.payloadType }
    const sid = signSid(scope.clusterContext, key, request)
    const { code, reason, rule } = verdict
    const denied =
      refusal ?? (verdict.allowed ? undefined : new PolicyDenied(code, reason, { details: { rule }, retriable: code === 'CLOCK_NOT_SURE' }))
    if (denied !== undefined) {
      const peers = signers.filter((j) => j !== self)
      // The others may have begun.
      this.#o.hub.decline(attemptId(request), peers, denied.code)
      const said = { allowed: false, code: denied.code, reason: denied.message, rule: refusal === undefined ? rule : '' }
      await this.#proposals.noteVerdict(known, said, judged)
      throw denied
    }
    // In the same turn as the verdict: no other request gets the room that this one takes.
    const reserved = this.#proposals.reserve(known, judged)
    const name = toHex(sid)
    const peers = signers.filter((j) => j !== self)
    this.#sessions.set(name, { sid, attempt: attemptId(request), peers, proposal: known, stopped: undefined })
    // It may not be: an attempt can come without a proposal behind the last approval.
    const noted = () => this.#proposals.noteVerdict(known, verdict, judged)
    const { result, bytesSent } = await this.#run(sid, { key, request, reserved, span, noted }).finally(() => {
      this.#sessions.delete(name)
      return reserved.end()
    })
    if (result.length !== items.length) throw new ConclaveError('ASSERTION', 'a session without a signature for each digest')
    await this.#o.epochs.proved(key.keyId, key.epoch).catch((error: unknown) => {
      // The signature stands; only the erasure of older epochs waits for another one.
      log.error({ keyId: key.keyId, epoch: key.epoch, err: error }, 'proof of an epoch not stored')
    })
    const signed = result.map(({ signature, recovery }, i) => ({ digest: (items[i] as StatementDigest).digest, signature, recovery }))
    log.info({ statement: toHex(hash), attempt: s.attempt, signers, signatures: signed.length }, 'signed')
    this.#o.signed?.({ requestId: s.requestId, key, signers, items: signed })
    return { requestId: s.requestId, items: signed, bytesSent }
  }

  /**
   * The epoch to sign under: the active one, or shortly after the switch the one before, because quorums are chosen while nodes
   * reach a new epoch one after the other.
   *
   * @throws {ConclaveError} UNKNOWN_KEY, KEY_STALE, STALE_EPOCH, EPOCH_MISMATCH.
   */
  #keyIn(keyId: string, epoch: number): KeyPublic {
    const { keys, epochs } = this.#o
    const active = keys.get(keyId)
    if (epochs.isStale(keyId)) throw new ConclaveError('KEY_STALE', `this node's share of key "${keyId}" was replaced while it was away`)
    if (epoch === active.epoch) return active
    const details = { active: active.epoch }
    if (epoch > active.epoch)
      throw new ConclaveError('EPOCH_MISMATCH', `this node is in epoch ${active.epoch} of key "${keyId}"`, { retriable: true, details })
    const before = epochs.isFresh(keyId) ? keys.before(keyId) : undefined
    if (before?.epoch !== epoch)
      throw new ConclaveError('STALE_EPOCH', `key "${keyId}" is in epoch ${active.epoch} by now`, { retriable: true, details })
    return before
  }

  async #run(sid: Uint8Array, { key, request, reserved, span, noted }: Prepared) {
    const { self, pairKeeper, correlations, requests, scope, hub, journal, gate, log } = this.#o
    const peers = request.signers.filter((j) => j !== self)
    const opened: Uint8Array[] = []
    try {
      await traced(span, 'witnesses', () => gate.confirmed())
      const names = pairKeeper.check(peers)
      const [, { share, states, seed }] = await together([
        traced(span, 'store', () => together([requests.spend(request.requestId, request.attempt), reserved.write()])),
        traced(span, 'hsm', () => this.#open(key, peers, opened)),
        traced(span, 'journal', () => together([noted(), journal.record(sessionStarted(sid, key, request))])),
      ])
      // While records were opened a link may have gone down, or a pair may have been burned or set up again: with a state that the peer
      // does not hold, two honest nodes would take each other for cheats. From `run` on, the hub ends the session when that happens.
      if (pairKeeper.check(peers) !== names) throw new Timeout('PAIR_MISSING', 'a pair was set up again meanwhile', peers)
      const stopped = this.#sessions.get(toHex(sid))?.stopped
      if (stopped !== undefined) throw stopped
      using draw = correlations.draw(peers, request.items.length)
      const { offers, stocked } = draw
      const job = { kind: 'sign', self, clusterContext: scope.clusterContext, share, pairs: states, request, offers, stocked } as const
      const alsoNamed = attemptId(request)
      const failed = (error: unknown) => burnCulprits(this.#o, error)
      const hooks: SessionHooks = { seed, alsoNamed, failed, take: (wanted) => draw.take(wanted) }
      reserved.begin()
      const done = await traced(span, 'session', (part) =>
        hub.run(sid, peers, job, { ...hooks, round: (round) => part.note(`round ${round}`) }),
      )
      const signatures = done.result.map((r) => r.signature)
      void noteEvent(journal, log, sessionSigned(sid, request.requestId, signatures))
      return done
    } catch (error) {
      void noteEvent(journal, log, sessionFailed(sid, request.requestId, error))
      // A spent attempt may be the name of a session that runs.
      if (codeOf(error) !== 'ATTEMPT_SPENT') hub.decline(sid, peers, codeOf(error))
      throw error
    } finally {
      // What reached a worker was transferred and is empty here; this is for what did not.
      for (const secret of opened) wipe(secret)
    }
  }

  /** Everything secret that a session takes, asked of the HSM at once. @param opened - gets each, whatever becomes of the others. */
  async #open(key: KeyPublic, peers: readonly PartyId[], opened: Uint8Array[]) {
    const { keys, pairs, seed: draw } = this.#o
    const kept = async (record: Promise<OpenedRecord>): Promise<OpenedRecord> => {
      opened.push((await record).secret)
      return record
    }
    const drawn = async (): Promise<Uint8Array> => {
      const seed = await draw()
      opened.push(seed)
      return seed
    }
    const [share, seed, ...states] = await together([
      kept(keys.openShare(key.keyId, key.epoch)),
      drawn(),
      ...peers.map((j) => kept(pairs.open(j))),
    ])
    return { share, seed, states: new Map(peers.map((j, i) => [j, states[i] as OpenedRecord])) }
  }
}
