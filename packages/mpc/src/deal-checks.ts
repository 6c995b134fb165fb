/** What a dealer's words must satisfy, sections 3 and 9, and what follows from them; deal.ts is the script. */
import { equalBytes, type PartyId, SecretScope, tagged, u32, wipe } from '@conclave/core'
import type { DealCommit, DealOpen, DealSubshare, ValueOf } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import { type Scalar, scalarFromBytes, sumScalars } from './arithmetic.ts'
import { coefficientCount, type DealContext, dealersOf, describeDeal, lowestPower, quorumOf } from './deal-context.ts'
import { interpolates, type KeyPublic, publicShareOf } from './key.ts'
import {
  addPoints,
  equalPoints,
  isIdentity,
  mulBase,
  mulPublic,
  O,
  type Point,
  pointFromBytes,
  pointsToBytes,
  pointToBytes,
  sumPoints,
} from './points.ts'
import { evaluateInExponent, lagrange } from './polynomial.ts'
import { of } from './protocol.ts'
import { verifyKnowledge } from './schnorr.ts'

export type Commit = ValueOf<typeof DealCommit>
export type Opening = ValueOf<typeof DealOpen>
export type Subshare = ValueOf<typeof DealSubshare>
type ByParty<V> = ReadonlyMap<PartyId, V>

export const CHAIN_CODE_PART_BYTES = 32

/** Fixes everything that round 2 opens except the proofs. */
export const commitmentOf = (sidPart: Uint8Array, j: PartyId, o: Pick<Opening, 'coefficients' | 'chainCodePart' | 'salt'>): Uint8Array =>
  tagged('deal-commit', sidPart, u32(j), ...o.coefficients, o.chainCodePart, o.salt)

/** Everything that a party said in round 2, the echo included. */
export function openingDigest(o: Opening): Uint8Array {
  const proofs = o.proofs.flatMap((p) => [p.nonce, p.response])
  return tagged('deal-opening', u32(o.coefficients.length), ...o.coefficients, o.chainCodePart, o.salt, ...proofs, o.echo)
}

/** What the proof of a dealer's k-th coefficient is bound to; k is the power of x that it belongs to. */
export const proofContext = (sid: Uint8Array, j: PartyId, k: number): readonly Uint8Array[] => [sid, u32(j), u32(k)]

/** The commitment to the whole polynomial: the constant term of a refresh does not travel, because it can only be O. */
export const fullCommitments = (ctx: DealContext, sent: readonly Point[]): readonly Point[] =>
  lowestPower(ctx) === 1 ? [O, ...sent] : sent

/**
 * Checks 1.2 to 1.5, 7.1 and 7.2 on every peer's opening, each over all peers before the next.
 *
 * @returns the commitments to the whole polynomials, by peer; none of a peer that does not deal.
 * @throws {ProtocolAbort} of the first check that fails.
 */
export function checkOpenings(
  ctx: DealContext,
  sid: Uint8Array,
  commits: ByParty<Commit>,
  openings: ByParty<Opening>,
): Map<PartyId, readonly Point[]> {
  const wrong = (test: (o: Opening, j: PartyId) => boolean): PartyId[] => [...openings].filter(([j, o]) => test(o, j)).map(([j]) => j)
  const chainPartBytes = ctx.dealing.kind === 'create' ? CHAIN_CODE_PART_BYTES : 0
  // 1.2, 7.1: a longer vector would raise the threshold of the key without anybody noticing, a shorter one lower it.
  blame(
    ctx.dealing.kind === 'create' ? 'DEAL_WRONG_DEGREE' : 'DEAL_WRONG_ROLE',
    wrong((o, j) => {
      const count = coefficientCount(ctx, j)
      return o.coefficients.length !== count || o.proofs.length !== count || o.chainCodePart.length !== chainPartBytes
    }),
  )
  const points = new Map([...openings].map(([j, o]) => [j, o.coefficients.map(pointFromBytes)]))
  blame(
    'DEAL_IDENTITY_POINT',
    wrong((_, j) => of(points, j).includes(undefined)),
  )
  const parsed = points as Map<PartyId, Point[]>
  if (wrong((o, j) => !equalBytes(commitmentOf(of(commits, j).sidPart, j, o), of(commits, j).commitment)).length > 0)
    throw abortOf('DEAL_BAD_OPENING')
  const first = lowestPower(ctx)
  blame(
    'DEAL_BAD_PROOF',
    wrong((o, j) => !o.proofs.every((p, i) => verifyKnowledge(p, of(parsed, j)[i] as Point, proofContext(sid, j, first + i)))),
  )
  blame(
    'DEAL_WRONG_CONSTANT',
    wrong((_, j) => !dealsItsShare(ctx, j, of(parsed, j))),
  )
  return new Map([...parsed].map(([j, sent]) => [j, fullCommitments(ctx, sent)]))
}

/** 7.2: without it a dealer moves the key by what it likes, and nobody could say who did. */
function dealsItsShare({ dealing }: DealContext, j: PartyId, commitments: readonly Point[]): boolean {
  if (dealing.kind !== 'reshare' || !dealing.dealers.includes(j)) return true
  const expected = mulPublic(pointFromBytes(publicShareOf(dealing.previous, j)) as Point, lagrange(j, dealing.dealers))
  return commitments[0] !== undefined && equalPoints(commitments[0], expected)
}

/** What party `self` has to show for its own part before it hears the others'. */
export interface OwnPart {
  /** The sum starts here: f_self(self), and in a refresh the present share. Secret. */
  readonly start: Scalar
  readonly echo: Uint8Array
}

/**
 * Checks 1.6 and 1.7. Wipes the subshares.
 *
 * @returns this party's new share; without a seat in the committee a copy of `own.start`, which then belongs to no key.
 */
export function sumSubshares(ctx: DealContext, subshares: ByParty<Subshare>, commitments: ByParty<readonly Point[]>, own: OwnPart): Scalar {
  if ([...subshares.values()].some((m) => !equalBytes(m.echo, own.echo))) throw abortOf('DEAL_ECHO_OPEN')
  const seated = ctx.parties.includes(ctx.self)
  const dealers = dealersOf(ctx)
  using scope = new SecretScope()
  const parts: Scalar[] = [own.start]
  const culprits: PartyId[] = []
  for (const [j, m] of subshares) {
    if (!seated || !dealers.includes(j)) {
      if (m.subshare.length > 0) culprits.push(j)
      wipe(m.subshare)
      continue
    }
    const y = scalarFromBytes(m.subshare)
    wipe(m.subshare)
    if (y === undefined || !equalPoints(mulBase(y), evaluateInExponent(of(commitments, j), ctx.self))) culprits.push(j)
    else parts.push(scope.own(y))
  }
  blame('DEAL_BAD_SUBSHARE', culprits)
  return sumScalars(parts)
}

/** What the whole quorum has said, the own words included. */
export interface Said {
  readonly commits: ByParty<Commit>
  readonly openings: ByParty<Opening>
  readonly commitments: ByParty<readonly Point[]>
  readonly sid: Uint8Array
  readonly transcript: Uint8Array
}

/** PK, all X_j and the chain code, from what was committed and, unless the key is new, from the previous certificate. */
export function describeKey(ctx: DealContext, said: Said): KeyPublic {
  const { dealing, parties } = ctx
  const dealt = [...said.commitments.values()].filter((a) => a.length > 0)
  const before = (j: PartyId): Point => (dealing.kind === 'refresh' ? (pointFromBytes(publicShareOf(dealing.previous, j)) as Point) : O)
  // All vectors have as many entries (1.2, 7.1): the sum of the polynomials is evaluated once for each party.
  const sum = Array.from({ length: ctx.threshold }, (_, k) => sumPoints(dealt.map((a) => a[k] as Point)))
  const shares = parties.map((j) => addPoints(before(j), evaluateInExponent(sum, j)))
  const constant = sum[0] as Point
  const publicKey = dealing.kind === 'refresh' ? addPoints(constant, pointFromBytes(dealing.previous.publicKey) as Point) : constant
  checkNewKey(ctx, publicKey, shares)
  return {
    ...describeDeal(ctx),
    publicKey: pointToBytes(publicKey),
    chainCode: dealing.kind === 'create' ? newChainCode(ctx, said) : dealing.previous.chainCode,
    publicShares: pointsToBytes(shares),
    sidParts: quorumOf(ctx).map((j) => of(said.commits, j).sidPart),
    transcript: said.transcript,
  }
}

const newChainCode = (ctx: DealContext, { sid, openings }: Said): Uint8Array =>
  tagged('cc', sid, ...ctx.parties.map((j) => of(openings, j).chainCodePart))

/**
 * Checks 1.9, 7.3 and 7.4 on what the dealings add up to. Nobody is named: each dealing was right by itself.
 *
 * @throws {ProtocolAbort} DEAL_IDENTITY_KEY, DEAL_WRONG_KEY, DEAL_IDENTITY_SHARE.
 */
export function checkNewKey(ctx: DealContext, publicKey: Point, shares: readonly Point[]): void {
  const { dealing, parties, threshold } = ctx
  // A zero share is as good as no share; it happens with probability 2^-256 or by malice.
  const identity = shares.some(isIdentity)
  if (dealing.kind === 'create') {
    if (isIdentity(publicKey) || identity) throw abortOf('DEAL_IDENTITY_KEY')
    return
  }
  // 7.3: the addresses of this key hold money; whatever else went wrong, no other key may take its place.
  const kept = equalPoints(publicKey, pointFromBytes(dealing.previous.publicKey) as Point)
  if (!kept || !interpolates({ parties, threshold, publicKey, publicShares: shares })) throw abortOf('DEAL_WRONG_KEY')
  if (identity) throw abortOf('DEAL_IDENTITY_SHARE')
}

/** Check 7.5: the share that is about to be stored is the one that the others know by its public share. */
export function checkOwnShare(key: KeyPublic, self: PartyId, x: Scalar): void {
  if (!equalPoints(mulBase(x), pointFromBytes(publicShareOf(key, self)) as Point)) throw abortOf('DEAL_WRONG_SHARE')
}
