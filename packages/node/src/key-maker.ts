import {
  type Clock,
  type ClusterLock,
  ConclaveError,
  checkThreshold,
  codeOf,
  epochsByNow,
  equalBytes,
  type IdentitySigner,
  InvalidArgument,
  type Journal,
  nodeOf,
  type PartyId,
  ProtocolAbort,
  parseKeyId,
  parsePartySet,
  tagged,
  toHex,
  u32,
  utf8,
  wipe,
} from '@conclave/core'
import { certificateHash, partyList } from '@conclave/mpc'
import type { Logger } from '@conclave/transport'
import { type CreateKey, encode, type KeyCreated, KeyPublic, type RenewKey } from '@conclave/wire'
import { noteEvent } from './audit/note-event.ts'
import type { Certificates, Shown } from './certificates.ts'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { PairKeeper } from './pair-keeper.ts'
import { checkEpoch, checkRenewal, quorumIn } from './renewal-check.ts'
import type { DealJob, OpenedRecord } from './sessions/job.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'

const PAIRS_TIMEOUT_MS = 120_000
/** As many as a status frame has room for. */
const KEYS_MAX = 4096

export interface KeyMakerOptions {
  readonly self: PartyId
  readonly lock: ClusterLock
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly journal: Journal
  readonly epochs: EpochKeeper
  readonly certificates: Certificates
  readonly pairs: PairKeeper
  readonly hub: SessionHub
  readonly identity: IdentitySigner
  readonly clock: Clock
  readonly log: Logger
}

/** A creation or renewal under way. */
interface Making {
  readonly nonce: Uint8Array
  /** Who began it, and alone may begin it anew. */
  readonly coordinator: string
  /** From here on it cannot be given up: the share may be on the disk. */
  storing: boolean
  readonly giveUp: (reason: ConclaveError) => void
  readonly givenUp: Promise<never>
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
}

type Asked = Pick<RenewKey, 'keyId' | 'nonce'> & { readonly coordinator: string }
type Deal = Pick<DealJob, 'keyId' | 'nonce' | 'threshold' | 'parties' | 'epoch' | 'dealing'>

/** Key creation and renewal at this node: pair setup where it is missing or due, then the dealing, and what has to be stored for it. */
export class KeyMaker {
  readonly #o: KeyMakerOptions
  readonly #making = new Map<string, Making>()

  constructor(options: KeyMakerOptions) {
    this.#o = options
  }

  /** @throws {InvalidArgument} on a bad request. {ConclaveError} KEY_EXISTS, KEY_PENDING, KEY_BUSY, KEY_SUPERSEDED, KEYS_FULL, PAIR_*; what a session throws. */
  create(request: CreateKey, coordinator: string): Promise<KeyCreated> {
    return this.#alone(
      { ...request, coordinator },
      () => this.#checkCreation(request),
      async (making) => {
        const parties = this.#checkCreation(request)
        const peers = parties.filter((j) => j !== this.#o.self)
        await Promise.race([this.#o.pairs.ready(peers, PAIRS_TIMEOUT_MS), making.givenUp])
        return this.#deal({ ...request, parties, epoch: 0, dealing: { kind: 'create' } }, parties, making)
      },
    )
  }

  /**
   * Takes part in a refresh or a reshare. It goes by the certificate of the epoch that is dealt from and by the cluster lock; of the
   * coordinator's word only what these two allow.
   *
   * @throws {InvalidArgument} BAD_RENEWAL, BAD_REFRESH, BAD_RESHARE, BAD_THRESHOLD, BAD_PARTY_SET. {ConclaveError} EPOCH_SPENT,
   * EPOCH_MISMATCH, EPOCHS_FULL, KEY_STALE, NO_SHARE, KEY_PENDING, KEY_BUSY, KEY_SUPERSEDED, PAIR_*; what a session throws.
   */
  async renew(request: RenewKey, coordinator: string): Promise<KeyCreated> {
    parseKeyId(request.keyId)
    const quorum = quorumIn(request, this.#o.self)
    const { keys } = this.#o
    const active = keys.has(request.keyId) === 'active' ? keys.get(request.keyId) : undefined
    // Asked again because our answer was lost.
    if (active !== undefined && active.epoch === request.epoch && equalBytes(active.nonce, request.nonce)) return created(active)
    this.#requireShares(request, quorum)
    return this.#alone(
      { ...request, coordinator },
      () => this.#checkRenewal(request),
      (making) => this.#renew(request, quorum, making),
    )
  }

  /** One creation or renewal of a key at a time; `check` holds when `make` begins. */
  async #alone(request: Asked, check: () => unknown, make: (making: Making) => Promise<KeyCreated>): Promise<KeyCreated> {
    check()
    // Several may wait for one to end; whoever comes first is then the earlier one of the others. Nothing is awaited after the loop.
    for (let earlier = this.#making.get(request.keyId); earlier !== undefined; earlier = this.#making.get(request.keyId)) {
      this.#supersede(earlier, request)
      await earlier.ended
      check()
    }
    const given = Promise.withResolvers<never>()
    const ended = Promise.withResolvers<void>()
    // Whoever does not wait for it must not be blamed for that.
    given.promise.catch(() => undefined)
    const { nonce, coordinator } = request
    const making: Making = {
      ...{ nonce, coordinator, storing: false },
      ...{ giveUp: given.reject, givenUp: given.promise, ended: ended.promise },
    }
    this.#making.set(request.keyId, making)
    try {
      return await make(making)
    } finally {
      this.#making.delete(request.keyId)
      ended.resolve()
      // Whether it went well here or not: somebody may lack what we have.
      this.#o.epochs.tellAll(request.keyId)
    }
  }

  /**
   * A coordinator that asks again under another nonce has given up on the earlier run, which some nodes may never have heard of:
   * waiting for them to time out, each at its own moment, would keep the nodes from ever meeting in one run.
   */
  #supersede(earlier: Making, { keyId, nonce, coordinator }: Asked): void {
    if (earlier.storing || earlier.coordinator !== coordinator || equalBytes(earlier.nonce, nonce)) {
      throw new ConclaveError('KEY_BUSY', `key "${keyId}" is being made or renewed`, { retriable: true })
    }
    earlier.giveUp(new ConclaveError('KEY_SUPERSEDED', `the run for key "${keyId}" was begun anew`, { retriable: true }))
  }

  async #renew(request: RenewKey, quorum: readonly PartyId[], making: Making): Promise<KeyCreated> {
    const { self, keys, hub, pairs, scope, lock } = this.#o
    const peers = quorum.filter((j) => j !== self)
    let share: OpenedRecord | undefined
    try {
      const { key: previous, lock: made } = await Promise.race([this.#previous(request), making.givenUp])
      checkRenewal(request, { self, lock, previous, made })
      await Promise.race([pairs.renew(peers, tagged('pair-renewal', request.nonce), PAIRS_TIMEOUT_MS), making.givenUp])
      if (request.dealers.includes(self)) share = await keys.openShare(request.keyId, request.fromEpoch)
      const dealing = sourceOf(request, encode(KeyPublic, previous), share)
      const { keyId, nonce, threshold, parties, epoch } = request
      return await this.#deal({ keyId, nonce, threshold, parties, epoch, dealing }, quorum, making)
    } catch (error) {
      // If it was never begun here: the others need not wait for silence.
      hub.decline(sessionId(scope.clusterContext, request, quorum), peers, codeOf(error))
      throw error
    } finally {
      // What reached a worker was transferred and is empty here; this is for what did not.
      if (share !== undefined) wipe(share.secret)
    }
  }

  /** The certificate of the epoch that is dealt from: our own, or for a party without a share the one that a dealer shows: if it is not that of the others, their echoes differ. */
  async #previous({ keyId, fromEpoch, dealers }: RenewKey): Promise<Pick<Shown, 'key' | 'lock'>> {
    const { self, scope, keys, certificates } = this.#o
    const own = keys.certified(keyId, fromEpoch)
    const made = own === undefined ? undefined : scope.lockOf(own.certificate.key.clusterContext)
    if (own !== undefined && made !== undefined) return { key: own.certificate.key, lock: made }
    if (dealers.includes(self))
      throw new ConclaveError('NO_SHARE', `this node has no share of key "${keyId}" in epoch ${fromEpoch} to deal from`)
    return certificates.fetch(dealers[0] as PartyId, keyId, fromEpoch)
  }

  async #deal(deal: Deal, quorum: readonly PartyId[], making: Making): Promise<KeyCreated> {
    const { self, keys, epochs, hub, scope, log, journal } = this.#o
    const peers = quorum.filter((j) => j !== self)
    const { kind } = deal.dealing
    const dealers = deal.dealing.kind === 'reshare' ? deal.dealing.dealers : deal.parties
    const id = sessionId(scope.clusterContext, { ...deal, kind, dealers }, quorum)
    const job: DealJob = { kind: 'deal', ...deal, self, clusterContext: scope.clusterContext, identities: scope.identities }
    const attest = (hash: Uint8Array, share: OpenedRecord) => {
      making.storing = true
      return this.#store(deal, hash, share)
    }
    const about = { keyId: deal.keyId, epoch: deal.epoch, kind, sid: toHex(id) }
    const { threshold, parties } = deal
    await Promise.race([journal.record({ kind: 'dealing.started', details: { ...about, threshold, parties, dealers } }), making.givenUp])
    making.givenUp.catch((reason: ConclaveError) => hub.stop(id, peers[0] as PartyId, reason))
    const { result } = await hub.run(id, peers, job, { attest }).catch((error: unknown) => {
      const culprits = error instanceof ProtocolAbort ? error.culprits : []
      void noteEvent(journal, log, { kind: 'dealing.failed', details: { ...about, code: codeOf(error), culprits } })
      throw error
    })
    const publicKey = toHex(result.public.publicKey)
    void noteEvent(journal, log, {
      kind: 'dealing.done',
      details: { ...about, publicKey, certificate: toHex(certificateHash(result.public)) },
    })
    const outcome = await keys.attest(deal.keyId, certificateHash(result.public), result.attestations)
    if (outcome === 'pending' || outcome === 'unknown')
      throw new ConclaveError('KEY_PENDING', 'the share is stored but not certified yet', { retriable: true })
    if (outcome === 'activated') epochs.activated(deal.keyId, deal.epoch)
    log.info({ keyId: deal.keyId, epoch: deal.epoch, kind: deal.dealing.kind }, 'dealing done')
    return created(result.public)
  }

  #checkCreation(request: CreateKey): readonly PartyId[] {
    const { lock, keys } = this.#o
    parseKeyId(request.keyId)
    const parties = parsePartySet(request.parties)
    if (!parties.every((j) => nodeOf(lock, j) !== undefined)) throw new InvalidArgument('BAD_PARTY', 'a party is not in the cluster lock')
    checkThreshold(request.threshold, parties.length)
    // Two halves of the cluster with a key of one name each could neither be told apart nor be brought together by a reshare.
    if (parties.length !== lock.nodes.length)
      throw new InvalidArgument('BAD_PARTY_SET', `a key is held by all ${lock.nodes.length} nodes of the cluster lock`)
    // A lower threshold than the cluster agreed on would weaken every promise of the lock.
    if (request.threshold < lock.quorum.required) {
      throw new InvalidArgument('BAD_THRESHOLD', `the cluster lock requires at least ${lock.quorum.required} signers`)
    }
    this.#requireShares({ ...request, parties, kind: 'create', epoch: 0, dealers: parties }, parties)
    const state = keys.has(request.keyId)
    if (state === 'active') throw new ConclaveError('KEY_EXISTS', `key "${request.keyId}" exists already`)
    if (state === 'pending')
      throw new ConclaveError('KEY_PENDING', `an earlier creation of key "${request.keyId}" is not settled; choose another id`)
    this.#checkRoom()
    return parties
  }

  #checkRenewal(request: RenewKey): void {
    const { keys, epochs, clock } = this.#o
    const active = keys.has(request.keyId) === 'active' ? keys.get(request.keyId) : undefined
    if (keys.has(request.keyId) === undefined) this.#checkRoom()
    const isStale = epochs.isStale(request.keyId)
    const byNow = epochsByNow(clock.nowMs())
    if (active !== undefined) checkEpoch(request, { active: active.epoch, known: epochs.highestKnown(request.keyId), byNow, isStale })
    keys.checkFree(request.keyId, request.epoch)
  }

  /** @throws {ConclaveError} KEY_ARCHIVED, KEY_DESTROYED; the others, who may have begun, need not wait for silence then. */
  #requireShares(asked: Omit<RenewKey, 'fromEpoch'>, quorum: readonly PartyId[]): void {
    const { self, scope, lives, hub } = this.#o
    try {
      lives.requireShares(asked.keyId)
    } catch (error) {
      const peers = quorum.filter((j) => j !== self)
      hub.decline(sessionId(scope.clusterContext, asked, quorum), peers, codeOf(error))
      throw error
    }
  }

  #checkRoom(): void {
    if (this.#o.keys.ids().length >= KEYS_MAX) throw new ConclaveError('KEYS_FULL', `this node holds ${KEYS_MAX} keys: it makes no more`)
  }

  /** The share is on the disk before our attestation exists: from then on the epoch can come true without us hearing of it. */
  async #store({ keyId, epoch }: Deal, hash: Uint8Array, share: OpenedRecord): Promise<Uint8Array> {
    const { keys, epochs, identity, self, journal } = this.#o
    const kind = keys.has(keyId) === undefined ? 'key.provisioned' : 'key.rotating'
    await journal.record({ kind, details: { keyId, epoch, certificate: toHex(hash) } })
    await keys.savePending(share)
    const signature = await identity.sign(hash)
    // While the HSM signed, the others' attestations may have come as gossip.
    if ((await keys.attest(keyId, hash, [{ party: self, signature }])) === 'activated') epochs.activated(keyId, epoch)
    return signature
  }
}

const created = ({ keyId, publicKey, chainCode, epoch }: KeyPublic): KeyCreated => ({ keyId, publicKey, chainCode, epoch })

function sourceOf({ kind, dealers }: RenewKey, previous: Uint8Array, share: OpenedRecord | undefined): DealJob['dealing'] {
  if (share === undefined) return { kind: 'reshare', previous, dealers }
  return kind === 'refresh' ? { kind, previous, share } : { kind: 'reshare', previous, dealers, share }
}

function sessionId(clusterContext: Uint8Array, asked: Omit<RenewKey, 'fromEpoch'>, quorum: readonly PartyId[]): Uint8Array {
  const { keyId, kind, epoch, threshold, parties, dealers, nonce } = asked
  const lists = [partyList(parties), partyList(dealers), partyList(quorum)]
  return tagged('deal-session', clusterContext, utf8(keyId), utf8(kind), u32(epoch), u32(threshold), ...lists, nonce)
}
