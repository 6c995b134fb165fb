import {
  type ClusterLock,
  ConclaveError,
  checkThreshold,
  equalBytes,
  type IdentitySigner,
  InvalidArgument,
  nodeOf,
  type PartyId,
  parseKeyId,
  parsePartySet,
  tagged,
  u32,
  utf8,
} from '@conclave/core'
import { partyList } from '@conclave/mpc'
import type { Logger } from '@conclave/transport'
import type { CreateKey, KeyAttestations, KeyCreated, KeyGossip } from '@conclave/wire'
import type { PairKeeper } from './pair-keeper.ts'
import type { OpenedRecord } from './sessions/job.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import { type KeyStore, type NodeScope, partiesOf } from './store/key-store.ts'

const PAIRS_TIMEOUT_MS = 120_000
/** As many as a status and a gossip frame have room for. */
const KEYS_MAX = 4096
const GOSSIP_KEYS_MAX = 256

export interface KeyMakerOptions {
  readonly self: PartyId
  readonly lock: ClusterLock
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly pairs: PairKeeper
  readonly hub: SessionHub
  readonly identity: IdentitySigner
  readonly log: Logger
  gossip(peer: PartyId, gossip: KeyGossip): void
  peersUp(): readonly PartyId[]
}

/** A creation under way. */
interface Making {
  readonly nonce: Uint8Array
  /** From here on it cannot be given up: the share may be on the disk. */
  storing: boolean
  readonly giveUp: (reason: ConclaveError) => void
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
}

/**
 * Key creation at this node: pair setup where it is missing, the DKG, and the finish of keys that a crash left pending.
 */
export class KeyMaker {
  readonly #o: KeyMakerOptions
  readonly #making = new Map<string, Making>()

  constructor(options: KeyMakerOptions) {
    this.#o = options
  }

  /** @throws {InvalidArgument} on a bad request. {ConclaveError} KEY_EXISTS, KEY_PENDING, KEY_BUSY, KEY_SUPERSEDED, KEYS_FULL, PAIR_*; what a session throws. */
  async create(request: CreateKey): Promise<KeyCreated> {
    let parties = this.#check(request)
    // Several may wait for one to end; whoever comes first is then the earlier one of the others. Nothing is awaited after the loop.
    for (let earlier = this.#making.get(request.keyId); earlier !== undefined; earlier = this.#making.get(request.keyId)) {
      this.#supersede(earlier, request)
      await earlier.ended
      parties = this.#check(request)
    }
    const given = Promise.withResolvers<never>()
    const ended = Promise.withResolvers<void>()
    const making: Making = { nonce: request.nonce, storing: false, giveUp: given.reject, ended: ended.promise }
    this.#making.set(request.keyId, making)
    try {
      return await this.#make(request, parties, making, given.promise)
    } finally {
      this.#making.delete(request.keyId)
      ended.resolve()
      // Whether it went well here or not: somebody may lack what we have.
      this.#tellAll(request.keyId)
    }
  }

  /**
   * A coordinator that asks again under another nonce has given up on the earlier run, which some nodes may never have heard of:
   * waiting for them to time out, each at its own moment, would keep the nodes from ever meeting in one run.
   */
  #supersede(earlier: Making, { keyId, nonce }: CreateKey): void {
    if (earlier.storing || equalBytes(earlier.nonce, nonce)) {
      throw new ConclaveError('KEY_BUSY', `key "${keyId}" is being created`, { retriable: true })
    }
    earlier.giveUp(new ConclaveError('KEY_SUPERSEDED', `the creation of key "${keyId}" was begun anew`, { retriable: true }))
  }

  async #make(request: CreateKey, parties: readonly PartyId[], making: Making, givenUp: Promise<never>): Promise<KeyCreated> {
    const { self, keys, pairs, hub, scope, log } = this.#o
    const peers = parties.filter((j) => j !== self)
    await Promise.race([pairs.ready(peers, PAIRS_TIMEOUT_MS), givenUp])
    const config = [u32(request.threshold), partyList(parties), request.nonce]
    const id = tagged('dkg-session', scope.clusterContext, utf8(request.keyId), ...config)
    const job = { kind: 'dkg', ...request, self, parties, clusterContext: scope.clusterContext, identities: scope.identities } as const
    const attest = (hash: Uint8Array, share: OpenedRecord) => {
      making.storing = true
      return this.#store(request.keyId, hash, share)
    }
    givenUp.catch((reason: ConclaveError) => hub.stop(id, peers[0] as PartyId, reason))
    const { result } = await hub.run(id, peers, job, { attest })
    const outcome = await keys.attest(request.keyId, keys.hashOf(result.public), result.attestations)
    if (outcome === 'pending' || outcome === 'unknown')
      throw new ConclaveError('KEY_PENDING', 'the key is stored but not certified yet', { retriable: true })
    log.info({ keyId: request.keyId }, 'key created')
    const { keyId, publicKey, chainCode, epoch } = keys.get(request.keyId)
    return { keyId, publicKey, chainCode, epoch }
  }

  /**
   * Attests the pending keys that a crash kept this node from attesting: their shares are on the disk, so nothing speaks against it,
   * and without it the key could never come true.
   */
  async resume(): Promise<void> {
    const { keys, identity, self, log } = this.#o
    for (const { key, attestations } of keys.pending()) {
      if (attestations.some((a) => a.party === self)) continue
      const hash = keys.hashOf(key)
      try {
        await keys.attest(key.keyId, hash, [{ party: self, signature: await identity.sign(hash) }])
        log.info({ keyId: key.keyId }, 'pending key attested after a restart')
      } catch (error) {
        // The node serves its other keys; the next start tries again.
        log.error({ keyId: key.keyId, err: error }, 'pending key not attested')
      }
    }
  }

  /** What a peer needs to finish its pending keys, and what we need of it. */
  greet(peer: PartyId): void {
    const pending = this.#o.keys.pending().filter((p) => p.key.parties.includes(peer))
    this.#say(
      peer,
      pending.map((p) => p.key.keyId),
    )
  }

  /** Learns attestations of a peer; answers with those that the peer does not name, and passes a completed certificate on. */
  async heard(peer: PartyId, gossip: KeyGossip): Promise<void> {
    const { keys, log } = this.#o
    const answer: string[] = []
    const seen = new Set<string>()
    for (const { keyId, certificateHash, attestations } of gossip.keys) {
      // Verifying is expensive: a frame has one say per key.
      if (seen.has(keyId)) continue
      seen.add(keyId)
      if ((await keys.attest(keyId, certificateHash, attestations)) === 'activated') {
        log.info({ keyId }, 'pending key certified')
        this.#tellAll(keyId)
      }
      const known = keys.attestationsOf(keyId)
      if (known === undefined || !equalBytes(known.hash, certificateHash)) continue
      const named = partiesOf(attestations)
      if (known.attestations.some((a) => !named.has(a.party))) answer.push(keyId)
    }
    this.#say(peer, answer)
  }

  #check(request: CreateKey): readonly PartyId[] {
    const { self, lock, keys } = this.#o
    parseKeyId(request.keyId)
    const parties = parsePartySet(request.parties)
    if (!parties.every((j) => nodeOf(lock, j) !== undefined)) throw new InvalidArgument('BAD_PARTY', 'a party is not in the cluster lock')
    checkThreshold(request.threshold, parties.length)
    if (!parties.includes(self)) throw new InvalidArgument('BAD_PARTY_SET', 'this node is not in the committee')
    // A lower threshold than the cluster agreed on would weaken every promise of the lock.
    if (request.threshold < lock.quorum.required) {
      throw new InvalidArgument('BAD_THRESHOLD', `the cluster lock requires at least ${lock.quorum.required} signers`)
    }
    const state = keys.has(request.keyId)
    if (state === 'active') throw new ConclaveError('KEY_EXISTS', `key "${request.keyId}" exists already`)
    if (state === 'pending')
      throw new ConclaveError('KEY_PENDING', `an earlier creation of key "${request.keyId}" is not settled; choose another id`)
    if (keys.active().length + keys.pending().length >= KEYS_MAX)
      throw new ConclaveError('KEYS_FULL', `this node holds ${KEYS_MAX} keys: it makes no more`)
    return parties
  }

  /** The share is on the disk before our attestation exists: from then on the key can come true without us hearing of it. */
  async #store(keyId: string, hash: Uint8Array, share: OpenedRecord): Promise<Uint8Array> {
    const { keys, identity, self } = this.#o
    await keys.savePending(share)
    const signature = await identity.sign(hash)
    await keys.attest(keyId, hash, [{ party: self, signature }])
    return signature
  }

  /** What the other parties of a key need to finish it, if we have anything. */
  #tellAll(keyId: string): void {
    const parties = this.#o.keys.partiesOf(keyId)
    for (const peer of this.#o.peersUp()) if (parties.includes(peer)) this.#say(peer, [keyId])
  }

  #say(peer: PartyId, keyIds: readonly string[]): void {
    const keys: KeyAttestations[] = keyIds.flatMap((keyId) => {
      const known = this.#o.keys.attestationsOf(keyId)
      return known === undefined ? [] : [{ keyId, certificateHash: known.hash, attestations: known.attestations }]
    })
    for (let at = 0; at < keys.length; at += GOSSIP_KEYS_MAX) this.#o.gossip(peer, { keys: keys.slice(at, at + GOSSIP_KEYS_MAX) })
  }
}
