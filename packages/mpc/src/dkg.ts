import {
  ConclaveError,
  checkThreshold,
  equalBytes,
  InvalidArgument,
  type PartyId,
  parseKeyId,
  parsePartySet,
  type Random,
  SecretBytes,
  SecretScope,
  tagged,
  u32,
  verifyIdentity,
  wipe,
} from '@conclave/core'
import { type Attestation, DkgAttest, DkgCommit, DkgOpen, DkgSubshare, type ValueOf } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import {
  addScalars,
  mulBase,
  O,
  type Point,
  pointFromBytes,
  pointToBytes,
  type Scalar,
  scalarFromBytes,
  scalarToBytes,
  sumPoints,
} from './arithmetic.ts'
import { certificateHash, dkgConfig, dkgSid, type Identities, type KeyPublic, type KeyShare } from './key.ts'
import { evaluate, evaluateInExponent, randomPolynomial } from './polynomial.ts'
import { collect, echoHash, of, type Protocol, type Round, send } from './protocol.ts'
import { proveKnowledge, verifyKnowledge } from './schnorr.ts'

const COMMIT = { number: 1, kind: 'broadcast', message: DkgCommit } as const
const OPEN = { number: 2, kind: 'broadcast', message: DkgOpen } as const
const SUBSHARE = { number: 3, kind: 'p2p', message: DkgSubshare } as const
const ATTEST = { number: 4, kind: 'broadcast', message: DkgAttest } as const
export const DKG_ROUNDS: readonly Round[] = [COMMIT, OPEN, SUBSHARE, ATTEST]

export interface DkgContext {
  readonly self: PartyId
  /** The committee, increasing; self is in it. */
  readonly parties: readonly PartyId[]
  readonly threshold: number
  readonly clusterContext: Uint8Array
  readonly keyId: string
  /** 32 bytes, fresh for this run, the same at all parties. */
  readonly nonce: Uint8Array
  readonly identities: Identities
  readonly random: Random
}

export interface DkgResult {
  readonly public: KeyPublic
  readonly attestations: readonly Attestation[]
}

type Opening = ValueOf<typeof DkgOpen>

/** A party 0 would be dealt the constant terms, and two parties with one index would hold one share. */
function checkCommittee({ self, parties, threshold, keyId, nonce, identities }: DkgContext): void {
  parseKeyId(keyId)
  checkThreshold(threshold, parties.length)
  const sorted = parsePartySet(parties)
  if (!sorted.every((j, i) => parties[i] === j) || !sorted.includes(self))
    throw new InvalidArgument('BAD_PARTY_SET', 'a committee is an increasing list that names this party')
  // Found out after attesting, it would leave a share pending for ever at every party.
  if (nonce.length !== 32 || !parties.every((j) => identities.has(j))) {
    throw new InvalidArgument('BAD_COMMITTEE', 'a key needs a nonce of 32 bytes and the identity of every party')
  }
}

const commitmentOf = (sidPart: Uint8Array, j: PartyId, o: Pick<Opening, 'coefficients' | 'chainCodePart' | 'salt'>): Uint8Array =>
  tagged('dkg-commit', sidPart, u32(j), ...o.coefficients, o.chainCodePart, o.salt)

/** Checks 1.2 to 1.5 on every peer's opening; returns the coefficient commitments by peer. */
function checkOpenings(
  ctx: DkgContext,
  sid: Uint8Array,
  commits: ReadonlyMap<PartyId, ValueOf<typeof DkgCommit>>,
  openings: ReadonlyMap<PartyId, Opening>,
): Map<PartyId, Point[]> {
  const wrong = (test: (o: Opening, j: PartyId) => boolean): PartyId[] => [...openings].filter(([j, o]) => test(o, j)).map(([j]) => j)
  const t = ctx.threshold
  // 1.2: a longer vector would raise the threshold of the joint key without anybody noticing.
  blame(
    'DKG_WRONG_DEGREE',
    wrong((o) => o.coefficients.length !== t || o.proofs.length !== t),
  )
  const points = new Map([...openings].map(([j, o]) => [j, o.coefficients.map(pointFromBytes)]))
  blame(
    'DKG_IDENTITY_POINT',
    wrong((_, j) => of(points, j).includes(undefined)),
  )
  const parsed = points as Map<PartyId, Point[]>
  if (wrong((o, j) => !equalBytes(commitmentOf(of(commits, j).sidPart, j, o), of(commits, j).commitment)).length > 0)
    throw abortOf('DKG_BAD_OPENING')
  blame(
    'DKG_BAD_PROOF',
    wrong((o, j) => !o.proofs.every((p, k) => verifyKnowledge(p, of(parsed, j)[k] as Point, [sid, u32(j), u32(k)]))),
  )
  return parsed
}

/**
 * Distributed key generation, section 1: n parties make a key of which any `threshold` hold enough and fewer learn nothing.
 *
 * Yields one `attest` whose `pending` is this party's {@link KeyShare}, before the attestation is sent: whoever drives must store
 * it first, because once every attestation is out the key exists whether or not this party hears of it.
 *
 * @throws {ProtocolAbort} DKG_*. {InvalidArgument} BAD_THRESHOLD, BAD_PARTY, BAD_PARTY_SET, BAD_COMMITTEE, BAD_KEY_ID.
 * {ConclaveError} BAD_SIGNATURE when our own identity signer is broken.
 */
export function* dkg(ctx: DkgContext): Protocol<DkgResult> {
  using scope = new SecretScope()
  checkCommittee(ctx)
  const { self, threshold, random } = ctx
  const f = randomPolynomial(threshold, random)
  const commitments = f.map(mulBase)
  const mine = { coefficients: commitments.map(pointToBytes), chainCodePart: random.bytes(32), salt: random.bytes(32) }
  const sidPart = random.bytes(32)
  const ownCommit = { sidPart, commitment: commitmentOf(sidPart, self, mine) }
  yield* send(COMMIT, 'all', ownCommit)
  const commits = new Map((yield* collect(COMMIT)).values).set(self, ownCommit)

  const config = dkgConfig(ctx.clusterContext, { ...ctx, epoch: 0 })
  const sid = dkgSid(
    ctx.parties.map((j) => of(commits, j).sidPart),
    config,
  )
  const said = (m: ReadonlyMap<PartyId, ValueOf<typeof DkgCommit>>) =>
    new Map([...m].map(([j, c]) => [j, tagged('dkg-said', c.sidPart, c.commitment)]))
  const echoCommits = echoHash('dkg-echo-commit', sid, said(commits))
  const proofs = f.map((a, k) => proveKnowledge(a, commitments[k] as Point, [sid, u32(self), u32(k)], random))
  const ownOpening = { ...mine, proofs, echo: echoCommits }
  yield* send(OPEN, 'all', ownOpening)
  const { values: openings } = yield* collect(OPEN)
  if ([...openings.values()].some((o) => !equalBytes(o.echo, echoCommits))) throw abortOf('DKG_ECHO_COMMIT')
  const points = checkOpenings(ctx, sid, commits, openings).set(self, commitments)

  const echoOpenings = echoHash(
    'dkg-echo-open',
    sid,
    new Map([...openings, [self, ownOpening] as const].map(([j, o]) => [j, openingDigest(o)])),
  )
  for (const j of ctx.parties) {
    if (j !== self) yield* send(SUBSHARE, j, { subshare: scope.own(scalarToBytes(evaluate(f, j))), echo: echoOpenings })
  }
  const { values: subshares } = yield* collect(SUBSHARE)
  const x = sumSubshares(ctx, subshares, points, evaluate(f, self), echoOpenings)

  const key = describeKey(ctx, points, {
    commits,
    chainParts: [...openings, [self, ownOpening] as const],
    sid,
    transcript: tagged('dkg-transcript', echoCommits, echoOpenings),
  })
  const hash = certificateHash(ctx.clusterContext, key)
  const share: KeyShare = { public: key, self, secret: new SecretBytes(scalarToBytes(x)) }
  const signature = of(yield { attest: { hash, pending: share } }, self)
  if (!verifyIdentity(of(ctx.identities, self), hash, signature)) {
    throw new ConclaveError('BAD_SIGNATURE', 'the identity of this node produced a signature that does not verify')
  }
  yield* send(ATTEST, 'all', { signature })
  const attested = new Map((yield* collect(ATTEST)).values).set(self, { signature })
  blame(
    'DKG_BAD_ATTESTATION',
    ctx.parties.filter((j) => !verifyIdentity(of(ctx.identities, j), hash, of(attested, j).signature)),
  )
  return { public: key, attestations: ctx.parties.map((party) => ({ party, signature: of(attested, party).signature })) }
}

/** Everything that a party said in round 2, the echo included. */
function openingDigest(o: Opening): Uint8Array {
  const proofs = o.proofs.flatMap((p) => [p.nonce, p.response])
  return tagged('dkg-opening', u32(o.coefficients.length), ...o.coefficients, o.chainCodePart, o.salt, ...proofs, o.echo)
}

/** Checks 1.6 and 1.7; returns this party's share. */
function sumSubshares(
  ctx: DkgContext,
  subshares: ReadonlyMap<PartyId, ValueOf<typeof DkgSubshare>>,
  points: ReadonlyMap<PartyId, Point[]>,
  own: Scalar,
  echo: Uint8Array,
): Scalar {
  if ([...subshares.values()].some((m) => !equalBytes(m.echo, echo))) throw abortOf('DKG_ECHO_OPEN')
  let x = own
  const culprits: PartyId[] = []
  for (const [j, m] of subshares) {
    const y = scalarFromBytes(m.subshare)
    wipe(m.subshare)
    if (y === undefined || !mulBase(y).equals(evaluateInExponent(of(points, j), ctx.self))) culprits.push(j)
    else x = addScalars(x, y)
  }
  blame('DKG_BAD_SUBSHARE', culprits)
  return x
}

interface Transcript {
  readonly commits: ReadonlyMap<PartyId, ValueOf<typeof DkgCommit>>
  readonly chainParts: readonly (readonly [PartyId, Opening])[]
  readonly sid: Uint8Array
  readonly transcript: Uint8Array
}

/** PK, all X_j and the chain code, from what was committed. */
function describeKey(ctx: DkgContext, points: ReadonlyMap<PartyId, Point[]>, said: Transcript): KeyPublic {
  const publicKey = sumPoints([...points.values()].map((a) => a[0] as Point))
  if (publicKey.equals(O)) throw abortOf('DKG_IDENTITY_KEY')
  const publicShares = ctx.parties.map((j) => sumPoints([...points.values()].map((a) => evaluateInExponent(a, j))))
  // A zero share is as good as no share; it happens with probability 2^-256 or by malice.
  if (publicShares.some((p) => p.equals(O))) throw abortOf('DKG_IDENTITY_KEY')
  const parts = new Map(said.chainParts)
  return {
    keyId: ctx.keyId,
    epoch: 0,
    threshold: ctx.threshold,
    parties: [...ctx.parties],
    publicKey: pointToBytes(publicKey),
    chainCode: tagged('cc', said.sid, ...ctx.parties.map((j) => of(parts, j).chainCodePart)),
    publicShares: publicShares.map(pointToBytes),
    nonce: ctx.nonce,
    sidParts: ctx.parties.map((j) => of(said.commits, j).sidPart),
    transcript: said.transcript,
  }
}
