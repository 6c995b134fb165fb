/** Conclave's protocols, all parties in this process. */
import { type PartyId, systemRandom, tagged } from '@conclave/core'
import {
  CORRELATE_ROUNDS,
  type Correlation,
  correlate,
  DEAL_ROUNDS,
  type DealContext,
  type Dealing,
  deal,
  type Entries,
  type KeyShare,
  type Names,
  PAIR_ROUNDS,
  type PairState,
  pairSetup,
  Session,
  SIGN_ROUNDS,
  type SignRequest,
  sign,
} from '@conclave/mpc'
import type { Costs, Subject } from './figures.ts'
import { type Cost, collectGarbage, Meter, scaleCost, sumCosts } from './meter.ts'
import { drive, Seats } from './parties.ts'
import { mustVerify } from './verify.ts'

const NAME = 'conclave'
const CLUSTER = tagged('cluster', new TextEncoder().encode('bench'))
const DIGEST = new Uint8Array(32).fill(9)
/** The root key, as the peers' signatures are. */
const PATH: readonly number[] = []

/** Made in one session, as a node does when it refills a stock. */
const ENTRIES = 8
/** Signatures of one sample, so that it is about as long as one of a peer. */
const FULL_BATCH = 5
const POOLED_BATCH = 20
const DEAL_BATCH = 3
/** Signatures of one session where several are made at once. */
const ITEMS = 10

/** What each signer has in stock, by peer. */
type Pools = ReadonlyMap<PartyId, ReadonlyMap<PartyId, readonly Correlation[]>>

const partiesOf = (n: number): readonly PartyId[] => Array.from({ length: n }, (_, i) => i + 1)

/** A quorum with gaps, from the first party to the last. */
export function quorumOf(threshold: number, parties: number): readonly PartyId[] {
  return Array.from({ length: threshold }, (_, i) => 1 + Math.floor((i * (parties - 1)) / Math.max(1, threshold - 1)))
}

/** t of n parties in one process, and what they hold. */
export class Committee {
  readonly threshold: number
  readonly parties: readonly PartyId[]
  readonly signers: readonly PartyId[]
  readonly #seats: Seats
  readonly #shares: ReadonlyMap<PartyId, KeyShare>
  readonly #pairs = new Map<PartyId, Map<PartyId, PairState>>()
  /** Bytes of the largest message of each round of the signature made last. */
  roundBytes: readonly number[] = []

  constructor(threshold: number, parties: number) {
    this.threshold = threshold
    this.parties = partiesOf(parties)
    this.signers = quorumOf(threshold, parties)
    this.#seats = new Seats(this.parties)
    this.#shares = this.#deal(new Meter(1), () => ({ kind: 'create' }))
    for (const self of this.signers) this.#pairs.set(self, new Map())
    for (const [low, high] of this.#signerPairs()) {
      const ends = this.#setUp(new Meter(1), low, high)
      this.#pairs.get(low)?.set(high, ends.get(low) as PairState)
      this.#pairs.get(high)?.set(low, ends.get(high) as PairState)
    }
  }

  /** A key beside the others: the pairs are there already. */
  dealKey(): Cost {
    const meter = new Meter(this.parties.length)
    this.#deal(meter, () => ({ kind: 'create' }))
    return meter.cost
  }

  /** What one end of one pair does. */
  setUpPair(): Cost {
    const meter = new Meter(2)
    this.#setUp(meter, 1, 2)
    return meter.cost
  }

  /** Every pair once: what a party does with all of the others. */
  #setUpAll(): Cost {
    const meter = new Meter(this.parties.length)
    for (const low of this.parties) for (const high of this.parties.filter((j) => j > low)) this.#setUp(meter, low, high)
    return meter.cost
  }

  dealWithPairs(): Cost {
    return sumCosts([this.dealKey(), this.#setUpAll()])
  }

  /** New shares of the same key, and new secrets of every pair. */
  refresh(): Cost {
    const meter = new Meter(this.parties.length)
    const { public: previous } = this.#shares.get(1) as KeyShare
    this.#deal(meter, (self) => ({ kind: 'refresh', previous, share: this.#shares.get(self) as KeyShare }))
    return sumCosts([meter.cost, this.#setUpAll()])
  }

  /** A signature for which nothing was made ahead. */
  signFull(): Cost {
    return this.#sign(new Map())
  }

  /** The mean of `count` signatures for which every pair of the quorum has an entry; making the entries is not counted, see {@link makeEntries}. */
  signPooled(count = 1): Cost {
    const pools = this.#pools(count, 1)
    return scaleCost(sumCosts(pools.map((p) => this.#sign(p))), 1 / count)
  }

  /** One signature of `count` that are made in one session. */
  signBatch(count: number, { pooled }: { readonly pooled: boolean }): Cost {
    const [pools] = pooled ? this.#pools(1, count) : [new Map()]
    return scaleCost(this.#sign(pools as Pools, count), 1 / count)
  }

  /** Stocks for `sessions` of `count` signatures each; making them is not counted. */
  #pools(sessions: number, count: number): readonly Pools[] {
    const made = this.#signerPairs().map(([low, high]) => ({ low, high, ends: this.#correlate(new Meter(2), low, high, sessions * count) }))
    const poolsOf = (from: number): Pools =>
      new Map(
        this.signers.map((self) => {
          const own = made.filter(({ low, high }) => low === self || high === self)
          return [self, new Map(own.map(({ low, high, ends }) => [low + high - self, ends.get(self)?.slice(from, from + count) ?? []]))]
        }),
      )
    const pools = Array.from({ length: sessions }, (_, i) => poolsOf(i * count))
    // What making them has left behind is not the signatures' to clear away.
    collectGarbage()
    return pools
  }

  /** What one end of a pair does for one entry, made several at a time as nodes do. */
  makeEntries(): Cost {
    const meter = new Meter(2)
    const [low, high] = [this.signers[0] as PartyId, this.signers[1] as PartyId]
    for (const entries of this.#correlate(meter, low, high, ENTRIES).values()) for (const { secret } of entries) secret[Symbol.dispose]()
    return scaleCost(meter.cost, 1 / ENTRIES)
  }

  #signerPairs(): readonly (readonly [PartyId, PartyId])[] {
    return this.signers.flatMap((low) => this.signers.filter((j) => j > low).map((high) => [low, high] as const))
  }

  #sign(pools: Pools, count = 1): Cost {
    const meter = new Meter(this.signers.length)
    const request: SignRequest = {
      requestId: systemRandom.bytes(32),
      statement: systemRandom.bytes(32),
      signers: this.signers,
      items: Array.from({ length: count }, () => ({ digest: DIGEST, path: PATH })),
      purpose: 'evm.tx',
      attempt: 1,
    }
    const sessions = new Map(
      this.signers.map((self) => {
        const pool = [...(pools.get(self) ?? [])]
        const protocol = sign({
          clusterContext: CLUSTER,
          share: this.#shares.get(self) as KeyShare,
          request,
          pairs: this.#pairs.get(self) as ReadonlyMap<PartyId, PairState>,
          random: systemRandom,
          offers: new Map(pool.filter(([peer]) => peer > self)),
          stocked: new Set(pool.filter(([peer]) => peer < self).map(([peer]) => peer)),
        })
        return [self, new Session({ self, peers: this.signers.filter((j) => j !== self), rounds: SIGN_ROUNDS, protocol })]
      }),
    )
    const { publicKey } = (this.#shares.get(1) as KeyShare).public
    const largest = new Map<number, number>()
    const said = (round: number, bytes: number) => void largest.set(round, Math.max(bytes, largest.get(round) ?? 0))
    // Entries that a lower party offers are the whole stock of the pair.
    const take = (self: PartyId, names: Names): Entries => new Map([...names.keys()].map((j) => [j, pools.get(self)?.get(j) ?? []]))
    for (const signatures of drive(sessions, { meter, said, take }).values()) {
      for (const { signature } of signatures) mustVerify(NAME, publicKey, DIGEST, signature)
    }
    this.roundBytes = [...largest].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    return meter.cost
  }

  #correlate(meter: Meter, low: PartyId, high: PartyId, count: number): ReadonlyMap<PartyId, readonly Correlation[]> {
    const nonce = systemRandom.bytes(32)
    const sessions = new Map(
      [low, high].map((self) => {
        const peer = low + high - self
        const pair = this.#pairs.get(self)?.get(peer) as PairState
        const protocol = correlate({ self, peer, pair, nonce, count, random: systemRandom })
        return [self, new Session({ self, peers: [peer], rounds: CORRELATE_ROUNDS, protocol })]
      }),
    )
    return drive(sessions, { meter })
  }

  #deal(meter: Meter, dealingOf: (self: PartyId) => Dealing): ReadonlyMap<PartyId, KeyShare> {
    const [shares, nonce] = [new Map<PartyId, KeyShare>(), systemRandom.bytes(32)]
    const context = (self: PartyId): DealContext => ({
      self,
      parties: this.parties,
      threshold: this.threshold,
      epoch: dealingOf(self).kind === 'create' ? 0 : 1,
      clusterContext: CLUSTER,
      keyId: 'bench',
      nonce,
      identities: this.#seats.identities,
      random: systemRandom,
      dealing: dealingOf(self),
    })
    const session = (self: PartyId) =>
      new Session({ self, peers: this.parties.filter((j) => j !== self), rounds: DEAL_ROUNDS, protocol: deal(context(self)) })
    const sessions = new Map(this.parties.map((self) => [self, session(self)]))
    drive(sessions, { meter, seats: this.#seats, store: (self, pending) => shares.set(self, pending as KeyShare) })
    return shares
  }

  #setUp(meter: Meter, low: PartyId, high: PartyId): ReadonlyMap<PartyId, PairState> {
    const nonce = systemRandom.bytes(32)
    const sessions = new Map(
      [low, high].map((self) => {
        const peer = low + high - self
        const protocol = pairSetup({ self, peer, clusterContext: CLUSTER, pairEpoch: 1, nonce, random: systemRandom })
        return [self, new Session({ self, peers: [peer], rounds: PAIR_ROUNDS, protocol })]
      }),
    )
    return drive(sessions, { meter })
  }
}

/** What is compared with the peers: `threshold` of `parties`. */
export function ours(version: string, threshold: number, parties: number): Subject {
  const committee = new Committee(threshold, parties)
  const single = (figure: keyof Costs, batch: number, run: () => Cost) => ({ figures: [figure], batch, run: () => ({ [figure]: run() }) })
  return {
    name: NAME,
    version,
    notes: ['Encoding and decoding of every message is in its time, and so are the identity signatures of a key generation.'],
    operations: [
      single('signFull', FULL_BATCH, () => committee.signFull()),
      single('signPooled', 1, () => committee.signPooled(POOLED_BATCH)),
      single('signBatch', 1, () => committee.signBatch(ITEMS, { pooled: false })),
      single('signBatchPooled', 1, () => committee.signBatch(ITEMS, { pooled: true })),
      single('correlate', 1, () => committee.makeEntries()),
      single('dkg', DEAL_BATCH, () => committee.dealKey()),
      single('pairSetup', 1, () => committee.setUpPair()),
      single('dkgWithPairSetup', 1, () => committee.dealWithPairs()),
      single('refresh', 1, () => committee.refresh()),
    ],
  }
}
