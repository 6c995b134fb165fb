import { type PartyId, type Random, tagged, u32, utf8 } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { DKG_ROUNDS, type DkgContext, type DkgResult, dkg } from '../dkg.ts'
import type { EcdsaSignature } from '../ecdsa.ts'
import type { Identities, KeyShare } from '../key.ts'
import { PAIR_ROUNDS, type PairContext, pairSetup } from '../pair-setup.ts'
import type { PairState } from '../pair-state.ts'
import type { Protocol } from '../protocol.ts'
import { Session } from '../session.ts'
import { SIGN_ROUNDS, sign } from '../sign.ts'
import type { SignContext, SignRequest } from '../sign-request.ts'
import { type Outcome, partyRandom, type RunOptions, runSessions } from './run.ts'

export const CLUSTER_CONTEXT = tagged('cluster', utf8('test'))

const identitySecret = (j: PartyId) => tagged('test-identity', u32(j))
export const identities = (parties: readonly PartyId[]): Identities =>
  new Map(parties.map((j) => [j, { type: 'ed25519', publicKey: ed25519.getPublicKey(identitySecret(j)) }]))
export const attestAs = (j: PartyId, hash: Uint8Array): Uint8Array => ed25519.sign(hash, identitySecret(j))

/** What some parties run in place of the real protocol, or of the real protocol's inputs. */
export type Deviants<C, T> = ReadonlyMap<PartyId, (context: C) => Protocol<T>>

export interface DkgRun extends Outcome<DkgResult> {
  /** What each party would have stored before attesting. */
  readonly shares: ReadonlyMap<PartyId, KeyShare>
}

/** The randomness of one dealer in {@link runDkg}: a test may look at its coefficients before the others do. */
export const dealerRandom = (seed: string, j: PartyId): Random => partyRandom(`dkg/${seed}`, j)

export function runDkg(
  parties: readonly PartyId[],
  threshold: number,
  seed: string,
  options: RunOptions & { readonly deviants?: Deviants<DkgContext, DkgResult> } = {},
): DkgRun {
  const shares = new Map<PartyId, KeyShare>()
  const context = {
    parties,
    threshold,
    clusterContext: CLUSTER_CONTEXT,
    keyId: 'test-key',
    nonce: tagged('nonce', utf8(seed)),
    identities: identities(parties),
  }
  const sessions = new Map(
    parties.map((self) => {
      const protocol = (options.deviants?.get(self) ?? dkg)({ ...context, self, random: dealerRandom(seed, self) })
      return [self, new Session({ self, peers: parties.filter((j) => j !== self), rounds: DKG_ROUNDS, protocol })]
    }),
  )
  const attest = (self: PartyId, hash: Uint8Array, pending: unknown): Uint8Array => {
    shares.set(self, pending as KeyShare)
    return attestAs(self, hash)
  }
  return { ...runSessions(sessions, { attest, ...options }), shares }
}

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

export const testRequest = (signers: readonly PartyId[], change: Partial<SignRequest> = {}): SignRequest => ({
  requestId: tagged('test-request'),
  signers,
  digest: tagged('test-digest'),
  path: [],
  purpose: 'evm.tx',
  attempt: 0,
  ...change,
})

/** The randomness of one signer in {@link runSign}. */
export const signerRandom = (seed: string, j: PartyId): Random => partyRandom(`sign/${seed}`, j)

export function runSign(
  cluster: TestCluster,
  request: SignRequest,
  seed: string,
  options: RunOptions & { readonly deviants?: Deviants<SignContext, EcdsaSignature> } = {},
): Outcome<EcdsaSignature> {
  const sessions = new Map(
    request.signers.map((self) => {
      const peers = request.signers.filter((j) => j !== self)
      const protocol = (options.deviants?.get(self) ?? sign)({
        clusterContext: CLUSTER_CONTEXT,
        share: cluster.shares.get(self) as KeyShare,
        request,
        pairs: cluster.pairs.get(self) as ReadonlyMap<PartyId, PairState>,
        random: signerRandom(seed, self),
      })
      return [self, new Session({ self, peers, rounds: SIGN_ROUNDS, protocol })]
    }),
  )
  return runSessions(sessions, options)
}
