import { type PartyId, type Random, tagged, u32, utf8 } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { DEAL_ROUNDS, type DealResult, deal } from '../deal.ts'
import { type DealContext, type Dealing, quorumOf } from '../deal-context.ts'
import type { EcdsaSignature } from '../ecdsa.ts'
import type { Identities, KeyShare } from '../key.ts'
import { PAIR_ROUNDS, type PairContext, pairSetup } from '../pair-setup.ts'
import type { PairState } from '../pair-state.ts'
import type { Protocol } from '../protocol.ts'
import { Session } from '../session.ts'
import { SIGN_ROUNDS, sign } from '../sign.ts'
import type { SignContext, SignItem, SignRequest } from '../sign-request.ts'
import { type Outcome, partyRandom, type RunOptions, runSessions } from './run.ts'

export const CLUSTER_CONTEXT = tagged('cluster', utf8('test'))

const identitySecret = (j: PartyId) => tagged('test-identity', u32(j))
export const identities = (parties: readonly PartyId[]): Identities =>
  new Map(parties.map((j) => [j, { type: 'ed25519', publicKey: ed25519.getPublicKey(identitySecret(j)) }]))
export const attestAs = (j: PartyId, hash: Uint8Array): Uint8Array => ed25519.sign(hash, identitySecret(j))

/** What some parties run in place of the real protocol, or of the real protocol's inputs. */
export type Deviants<C, T> = ReadonlyMap<PartyId, (context: C) => Protocol<T>>

export interface DealRun extends Outcome<DealResult> {
  /** What each party would have stored before attesting. */
  readonly shares: ReadonlyMap<PartyId, KeyShare>
}

/** What the whole quorum of a dealing agrees on, and what each of them deals from. */
export interface DealSpec {
  readonly parties: readonly PartyId[]
  readonly threshold: number
  readonly epoch: number
  readonly dealingOf: (self: PartyId) => Dealing
}
export type DealOptions = RunOptions & {
  readonly deviants?: Deviants<DealContext, DealResult>
  /** Changes what the whole quorum is told. */
  readonly change?: Partial<DealContext>
}

/** The randomness of one dealer in {@link runDeal}: a test may look at its coefficients before the others do. */
export const dealerRandom = (seed: string, j: PartyId): Random => partyRandom(`dkg/${seed}`, j)

/** The context of one party of a dealing under test. */
export const dealContext = ({ parties, threshold, epoch, dealingOf }: DealSpec, seed: string, self: PartyId): DealContext => ({
  self,
  parties,
  threshold,
  epoch,
  clusterContext: CLUSTER_CONTEXT,
  keyId: 'test-key',
  nonce: tagged('nonce', utf8(seed)),
  identities: identities(parties),
  random: dealerRandom(seed, self),
  dealing: dealingOf(self),
})

export function runDeal(spec: DealSpec, seed: string, options: DealOptions = {}): DealRun {
  const shares = new Map<PartyId, KeyShare>()
  const quorum = quorumOf({ parties: spec.parties, dealing: spec.dealingOf(spec.parties[0] as PartyId) })
  const sessions = new Map(
    quorum.map((self) => {
      const protocol = (options.deviants?.get(self) ?? deal)({ ...dealContext(spec, seed, self), ...options.change })
      return [self, new Session({ self, peers: quorum.filter((j) => j !== self), rounds: DEAL_ROUNDS, protocol })]
    }),
  )
  const attest = (self: PartyId, hash: Uint8Array, pending: unknown): Uint8Array => {
    shares.set(self, pending as KeyShare)
    return attestAs(self, hash)
  }
  return { ...runSessions(sessions, { attest, ...options }), shares }
}

export const runDkg = (parties: readonly PartyId[], threshold: number, seed: string, options: DealOptions = {}): DealRun =>
  runDeal({ parties, threshold, epoch: 0, dealingOf: () => ({ kind: 'create' }) }, seed, options)

export function runPair(
  a: PartyId,
  b: PartyId,
  seed: string,
  options: RunOptions & { readonly deviants?: Deviants<PairContext, PairState> } = {},
): Outcome<PairState> {
  const context = { clusterContext: CLUSTER_CONTEXT, pairEpoch: 1, nonce: tagged('nonce', utf8(seed)) }
  const sessions = new Map(
    [a, b].map((self) => {
      const peer = a + b - self
      const random = partyRandom(`pair/${seed}/${peer}`, self)
      const protocol = (options.deviants?.get(self) ?? pairSetup)({ ...context, self, peer, random })
      return [self, new Session({ self, peers: [peer], rounds: PAIR_ROUNDS, protocol })]
    }),
  )
  return runSessions(sessions, options)
}

/** Shares of one key and the pair states among `quorum`, each in its party's own hands. */
export interface TestCluster {
  readonly shares: ReadonlyMap<PartyId, KeyShare>
  /** pairs.get(i).get(j): what i holds about j. */
  readonly pairs: ReadonlyMap<PartyId, ReadonlyMap<PartyId, PairState>>
}

export function makeCluster(
  parties: readonly PartyId[],
  threshold: number,
  seed: string,
  paired: readonly PartyId[] = parties,
): TestCluster {
  const { shares } = runDkg(parties, threshold, seed)
  const pairs = new Map(paired.map((j) => [j, new Map<PartyId, PairState>()]))
  for (const a of paired) {
    for (const b of paired.filter((j) => j > a)) {
      const { results } = runPair(a, b, seed)
      pairs.get(a)?.set(b, results.get(a) as PairState)
      pairs.get(b)?.set(a, results.get(b) as PairState)
    }
  }
  return { shares, pairs }
}

/** `digest` and `path` of one item, or all `items`. */
export type RequestChange = Partial<SignRequest & SignItem>

export function testRequest(signers: readonly PartyId[], { digest, path, ...change }: RequestChange = {}): SignRequest {
  const items = [{ digest: digest ?? tagged('test-digest'), path: path ?? [] }]
  const names = { requestId: tagged('test-request'), statement: tagged('test-statement') }
  return { ...names, signers, items, purpose: 'evm.tx', attempt: 0, ...change }
}

/** The randomness of one signer in {@link runSign}. */
export const signerRandom = (seed: string, j: PartyId): Random => partyRandom(`sign/${seed}`, j)

export type SignOptions = RunOptions & {
  readonly deviants?: Deviants<SignContext, readonly EcdsaSignature[]>
  /** What a party brings from its pool. */
  readonly pool?: (self: PartyId) => Pick<SignContext, 'offers' | 'stocked'>
}

export const NO_POOL: Pick<SignContext, 'offers' | 'stocked'> = { offers: new Map(), stocked: new Set() }

export function runSign(
  cluster: TestCluster,
  request: SignRequest,
  seed: string,
  options: SignOptions = {},
): Outcome<readonly EcdsaSignature[]> {
  const sessions = new Map(
    request.signers.map((self) => {
      const peers = request.signers.filter((j) => j !== self)
      const protocol = (options.deviants?.get(self) ?? sign)({
        clusterContext: CLUSTER_CONTEXT,
        share: cluster.shares.get(self) as KeyShare,
        request,
        pairs: cluster.pairs.get(self) as ReadonlyMap<PartyId, PairState>,
        random: signerRandom(seed, self),
        ...(options.pool?.(self) ?? NO_POOL),
      })
      return [self, new Session({ self, peers, rounds: SIGN_ROUNDS, protocol })]
    }),
  )
  return runSessions(sessions, options)
}
