import { ConclaveError, equalBytes, type PartyId, SecretBytes, SecretScope, tagged, verifyIdentity } from '@conclave/core'
import { type Attestation, DealAttest, DealCommit, DealOpen, DealSubshare } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import { addScalars, mulScalars, type Scalar, scalarOf } from './arithmetic.ts'
import {
  CHAIN_CODE_PART_BYTES,
  type Commit,
  checkOpenings,
  checkOwnShare,
  commitmentOf,
  describeKey,
  fullCommitments,
  type Opening,
  openingDigest,
  proofContext,
  sumSubshares,
} from './deal-checks.ts'
import {
  checkDeal,
  coefficientCount,
  type DealContext,
  dealersOf,
  describeDeal,
  lowestPower,
  quorumOf,
  secretScalar,
} from './deal-context.ts'
import { certificateHash, dealConfig, dealSid, type KeyPublic, type KeyShare } from './key.ts'
import { mulBase, pointToBytes } from './points.ts'
import { evaluate, lagrange, type Polynomial, randomPolynomial } from './polynomial.ts'
import { collect, echoHash, of, type Protocol, type Received, type Round, send } from './protocol.ts'
import { proveKnowledge } from './schnorr.ts'

const COMMIT = { number: 1, kind: 'broadcast', message: DealCommit } as const
const OPEN = { number: 2, kind: 'broadcast', message: DealOpen } as const
const SUBSHARE = { number: 3, kind: 'p2p', message: DealSubshare } as const
const ATTEST = { number: 4, kind: 'broadcast', message: DealAttest } as const
export const DEAL_ROUNDS: readonly Round[] = [COMMIT, OPEN, SUBSHARE, ATTEST]

export interface DealResult {
  readonly public: KeyPublic
  /** Of every party of the committee, in its order. */
  readonly attestations: readonly Attestation[]
}

const NOTHING = new Uint8Array(0)

/** f_self, the caller's to wipe: `lambda x` as constant term in a reshare, 0 in a refresh, otherwise random; empty for a party that does not deal. */
function drawPolynomial(ctx: DealContext): Polynomial {
  const { self, dealing, random } = ctx
  const count = coefficientCount(ctx, self)
  if (dealing.kind === 'create') return randomPolynomial(count, random)
  if (dealing.kind === 'refresh') return [scalarOf(0), ...randomPolynomial(count, random)]
  if (dealing.share === undefined) return []
  const x = secretScalar(dealing.share)
  const constant = mulScalars(lagrange(self, dealing.dealers), x)
  x.fill(0)
  return [constant, ...randomPolynomial(count - 1, random)]
}

/**
 * One dealing of shares, sections 3 and 9: makes a key, refreshes its shares, or hands them to another committee. Any `threshold`
 * parties of the committee then hold enough, and fewer learn nothing; unless the key is new, it and its chain code stay what they are.
 *
 * Yields one `attest` at each party of the committee, whose `pending` is its new {@link KeyShare}, before the attestation is sent:
 * whoever drives must store it first, because once every attestation is out the shares count whether or not this party hears of it.
 * A dealer without a seat attests nothing; it ends with the attestations of the others.
 *
 * @throws {ProtocolAbort} DEAL_*. {InvalidArgument} of {@link checkDeal}. {ConclaveError} BAD_SIGNATURE when our own identity signer
 * is broken.
 */
export function* deal(ctx: DealContext): Protocol<DealResult> {
  using scope = new SecretScope()
  checkDeal(ctx)
  const { self, random, dealing } = ctx
  const quorum = quorumOf(ctx)
  const f = drawPolynomial(ctx).map((c) => scope.own(c))
  const first = lowestPower(ctx)
  const sent = f.slice(first).map(mulBase)
  const chainCodePart = dealing.kind === 'create' ? random.bytes(CHAIN_CODE_PART_BYTES) : NOTHING
  const mine = { coefficients: sent.map(pointToBytes), chainCodePart, salt: random.bytes(32) }
  const sidPart = random.bytes(32)
  const ownCommit = { sidPart, commitment: commitmentOf(sidPart, self, mine) }
  yield* send(COMMIT, 'all', ownCommit)
  const commits = new Map((yield* collect(COMMIT)).values).set(self, ownCommit)

  const sid = dealSid(
    quorum.map((j) => of(commits, j).sidPart),
    dealConfig(describeDeal(ctx)),
  )
  const said = (m: ReadonlyMap<PartyId, Commit>) => new Map([...m].map(([j, c]) => [j, tagged('deal-said', c.sidPart, c.commitment)]))
  const echoCommits = echoHash('deal-echo-commit', sid, said(commits))
  const proofs = sent.map((a, i) => proveKnowledge(f[first + i] as Scalar, a, proofContext(sid, self, first + i), random))
  const ownOpening = { ...mine, proofs, echo: echoCommits }
  yield* send(OPEN, 'all', ownOpening)
  const { values: heard } = yield* collect(OPEN)
  if ([...heard.values()].some((o) => !equalBytes(o.echo, echoCommits))) throw abortOf('DEAL_ECHO_COMMIT')
  const commitments = checkOpenings(ctx, sid, commits, heard).set(self, fullCommitments(ctx, sent))

  const openings = new Map<PartyId, Opening>(heard).set(self, ownOpening)
  const echoOpenings = echoHash('deal-echo-open', sid, new Map([...openings].map(([j, o]) => [j, openingDigest(o)])))
  const seats = dealersOf(ctx).includes(self) ? ctx.parties : []
  for (const j of quorum.filter((p) => p !== self)) {
    const subshare = seats.includes(j) ? scope.own(evaluate(f, j)) : NOTHING
    yield* send(SUBSHARE, j, { subshare, echo: echoOpenings })
  }
  const { values: subshares } = yield* collect(SUBSHARE)
  const held = scope.own(dealing.kind === 'refresh' ? secretScalar(dealing.share) : scalarOf(0))
  const start = scope.own(addScalars(held, scope.own(evaluate(f, self))))
  const x = scope.own(sumSubshares(ctx, subshares, commitments, { start, echo: echoOpenings }))
  const transcript = tagged('deal-transcript', echoCommits, echoOpenings)
  const key = describeKey(ctx, { commits, openings, commitments, sid, transcript })
  if (!ctx.parties.includes(self)) return yield* certify(ctx, key)
  checkOwnShare(key, self, x)
  const share: KeyShare = { public: key, self, secret: new SecretBytes(Uint8Array.from(x)) }
  return yield* certify(ctx, key, share)
}

/** Attests the new shares when this party holds one, and waits for the attestation of everybody who does: check 1.8. */
function* certify(ctx: DealContext, key: KeyPublic, share?: KeyShare): Protocol<DealResult> {
  const { self, identities, parties } = ctx
  const hash = certificateHash(key)
  const attested = new Map<PartyId, { readonly signature: Uint8Array }>()
  if (share !== undefined) {
    const signature = of((yield { attest: { hash, pending: share } }) as Received, self)
    if (!verifyIdentity(of(identities, self), hash, signature)) {
      throw new ConclaveError('BAD_SIGNATURE', 'the identity of this node produced a signature that does not verify')
    }
    yield* send(ATTEST, 'all', { signature })
    attested.set(self, { signature })
  }
  // A dealer without a seat has nothing to attest: nobody waits for it here.
  const { values } = yield* collect(
    ATTEST,
    parties.filter((j) => j !== self),
  )
  for (const [j, m] of values) attested.set(j, m)
  blame(
    'DEAL_BAD_ATTESTATION',
    parties.filter((j) => !verifyIdentity(of(identities, j), hash, of(attested, j).signature)),
  )
  return { public: key, attestations: parties.map((party) => ({ party, signature: of(attested, party).signature })) }
}
