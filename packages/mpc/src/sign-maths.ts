/** The maths of signing, section 5, between the messages; sign.ts is the script. */
import { equalBytes, InvalidArgument, type PartyId, SecretScope, tagged, u32 } from '@conclave/core'
import type { SignOpen as Opening, SignCommit, SignPartial, SignVole, ValueOf } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import {
  addScalars,
  hashToScalar,
  invertScalar,
  isZero,
  mulScalars,
  negate,
  randomScalar,
  type Scalar,
  scalarFromBytes,
  subScalars,
  sumScalars,
  ZERO,
} from './arithmetic.ts'
import { derive } from './derivation.ts'
import { assemble, digestScalar, type EcdsaSignature, nonceScalar, verifies } from './ecdsa.ts'
import { type AliceExtension, type BobExtension, extendAlice } from './ot-extension.ts'
import { type PairState, pairContext, pairId, secretsOf } from './pair-state.ts'
import { addPoints, equalPoints, isIdentity, mul, mulBase, type Point, pointFromBytes, pointsToBytes, sumPoints } from './points.ts'
import { lagrange } from './polynomial.ts'
import { of } from './protocol.ts'
import { checkRequest, type SignContext, signSid } from './sign-request.ts'
import { type AliceVole, type BobVole, voleAlice, voleBob } from './vole.ts'

/** zeta_i: shares of zero among the quorum, from the pair seeds. */
function zeroShare(self: PartyId, pairs: ReadonlyMap<PartyId, PairState>, peers: readonly PartyId[], sid: Uint8Array): Scalar {
  const terms = peers.map((j) => {
    const term = hashToScalar('zero-share', secretsOf(of(pairs, j)).zeroSeed, sid)
    return j > self ? term : negate(term)
  })
  return sumScalars(terms)
}

/** Wiped with the scope of the run. */
export interface Secrets {
  readonly k: Scalar
  readonly sk: Scalar
  readonly phi: Scalar
}

export interface Run {
  readonly ctx: SignContext
  readonly self: PartyId
  readonly peers: readonly PartyId[]
  readonly sid: Uint8Array
  readonly publicKey: Uint8Array
  readonly secrets: Secrets
}

/** @param scope - wipes every secret of the run. */
export function begin(ctx: SignContext, scope: SecretScope): Run {
  const signers = checkRequest(ctx)
  const { share, request, random } = ctx
  const { self } = share
  const peers = signers.filter((j) => j !== self)
  const sid = signSid(ctx.clusterContext, share.public, request)
  const child = derive(share.public.publicKey, share.public.chainCode, request.path)
  const x = scalarFromBytes(share.secret.bytes)
  if (x === undefined) throw new InvalidArgument('BAD_KEY', 'the key share is not a scalar')
  const part = scope.own(mulScalars(lagrange(self, signers), scope.own(x)))
  const zero = scope.own(zeroShare(self, ctx.pairs, peers, sid))
  const sk = scope.own(sumScalars([part, zero, self === signers[0] ? child.tweak : ZERO]))
  const secrets = { k: scope.own(randomScalar(random)), sk, phi: scope.own(randomScalar(random)) }
  return { ctx, self, peers, sid, publicKey: child.publicKey, secrets }
}

/**
 * What must be equal at both ends before the check of the OT extension means anything: with different pair states, or different
 * requests, 3.1 would fail between two honest parties and burn their pair.
 */
export const signContext = ({ ctx, sid }: Run, j: PartyId): Uint8Array => tagged('sign-context', sid, pairId(of(ctx.pairs, j).public))

export const commitmentOf = (sid: Uint8Array, j: PartyId, o: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>): Uint8Array =>
  tagged('nonce', sid, u32(j), o.noncePoint, o.keyPoint, o.salt)

/** Both multiplications with one peer: we are Alice in one and Bob in the other. */
export interface Product {
  readonly alice: AliceVole
  readonly bob: BobVole
}

/** Check 3.1 for every peer, then our side of the VOLE as Alice. */
export function voles(
  run: Run,
  commits: ReadonlyMap<PartyId, ValueOf<typeof SignCommit>>,
  scope: SecretScope,
): ReadonlyMap<PartyId, AliceVole> {
  const { ctx, self, peers, sid } = run
  const extended = new Map<PartyId, AliceExtension>()
  for (const j of peers) {
    const { delta, aliceSeeds } = secretsOf(of(ctx.pairs, j))
    const alice = extendAlice(sid, pairContext(of(ctx.pairs, j).public, self, j), { delta, seeds: aliceSeeds }, of(commits, j).ot)
    if (alice === undefined) continue
    scope.own(alice.rows)
    extended.set(j, alice)
  }
  blame(
    'OT_CHECK',
    peers.filter((j) => !extended.has(j)),
  )
  return new Map(
    peers.map((j) => {
      const { nu, rows } = of(extended, j)
      const alice = voleAlice(nu, of(commits, j).ot, rows, secretsOf(of(ctx.pairs, j)).delta, ctx.random)
      for (const secret of [...alice.alpha, ...alice.t]) scope.own(secret)
      return [j, alice]
    }),
  )
}

/** Check 4.1 for every peer. */
export function multiply(
  run: Run,
  bobs: ReadonlyMap<PartyId, BobExtension>,
  alices: ReadonlyMap<PartyId, AliceVole>,
  sent: ReadonlyMap<PartyId, ValueOf<typeof SignVole>>,
  scope: SecretScope,
): ReadonlyMap<PartyId, Product> {
  const outcomes = run.peers.map((j) => {
    const bob = of(bobs, j)
    const outcome = voleBob(bob.nu, bob.message, bob, of(sent, j).vole)
    if (typeof outcome === 'object') for (const secret of [outcome.beta, ...outcome.r]) scope.own(secret)
    return [j, outcome] as const
  })
  blame(
    'SIGN_MALFORMED',
    outcomes.filter(([, o]) => o === 'malformed').map(([j]) => j),
  )
  blame(
    'VOLE_CHECK',
    outcomes.filter(([, o]) => o === 'inconsistent').map(([j]) => j),
  )
  return new Map(outcomes.map(([j, bob]) => [j, { alice: of(alices, j), bob: bob as BobVole }]))
}

/** Round 3 to one peer: the opening, and what turns random products into products of our inputs. */
export function openTo(
  { k, sk, phi }: Secrets,
  { alice, bob }: Product,
  opening: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>,
  echo: Uint8Array,
): Opening {
  const [checkU, checkV] = pointsToBytes(alice.t.map(mulBase)) as [Uint8Array, Uint8Array]
  return {
    ...opening,
    gammaU: subScalars(k, alice.alpha[0]),
    gammaV: subScalars(sk, alice.alpha[1]),
    checkU,
    checkV,
    psi: subScalars(phi, bob.beta),
    echo,
  }
}

interface Opened {
  readonly noncePoint: Point
  readonly keyPoint: Point
  readonly gammaU: Scalar
  readonly gammaV: Scalar
  readonly checkU: Point
  readonly checkV: Point
  readonly psi: Scalar
}

function parseOpening(o: Opening): Opened | undefined {
  const points = [o.noncePoint, o.keyPoint, o.checkU, o.checkV].map(pointFromBytes)
  const scalars = [o.gammaU, o.gammaV, o.psi].map(scalarFromBytes)
  if (points.includes(undefined) || scalars.includes(undefined)) return undefined
  const [noncePoint, keyPoint, checkU, checkV] = points as [Point, Point, Point, Point]
  const [gammaU, gammaV, psi] = scalars as [Scalar, Scalar, Scalar]
  return { noncePoint, keyPoint, checkU, checkV, gammaU, gammaV, psi }
}

export interface Checked {
  readonly nonce: Point
  /** psi_{j->i} by peer. */
  readonly psi: ReadonlyMap<PartyId, Scalar>
  /** d_u, d_v by peer. Secret. */
  readonly d: ReadonlyMap<PartyId, readonly [Scalar, Scalar]>
}

/** Checks 5.2 to 5.6. */
export function checkOpenings(
  run: Run,
  products: ReadonlyMap<PartyId, Product>,
  messages: ReadonlyMap<PartyId, Opening>,
  commitments: ReadonlyMap<PartyId, Uint8Array>,
  scope: SecretScope,
): Checked {
  const { peers, sid } = run
  if (peers.some((j) => !equalBytes(commitmentOf(sid, j, of(messages, j)), of(commitments, j)))) throw abortOf('SIGN_BAD_OPENING')
  const opened = new Map(peers.map((j) => [j, parseOpening(of(messages, j))]))
  blame(
    'SIGN_MALFORMED',
    peers.filter((j) => opened.get(j) === undefined),
  )
  const all = opened as ReadonlyMap<PartyId, Opened>
  const derandomised = (r: Scalar, gamma: Scalar, beta: Scalar) => scope.own(addScalars(r, scope.own(mulScalars(gamma, beta))))
  const d = new Map(
    peers.map((j) => {
      const { beta, r } = of(products, j).bob
      const { gammaU, gammaV } = of(all, j)
      return [j, [derandomised(r[0], gammaU, beta), derandomised(r[1], gammaV, beta)] as const]
    }),
  )
  const holds = (j: PartyId, c: 0 | 1, check: Point, input: Point) =>
    equalPoints(addPoints(mulBase(of(d, j)[c]), check), mul(input, of(products, j).bob.beta))
  blame(
    'SIGN_NONCE_PRODUCT',
    peers.filter((j) => !holds(j, 0, of(all, j).checkU, of(all, j).noncePoint)),
  )
  blame(
    'SIGN_KEY_PRODUCT',
    peers.filter((j) => !holds(j, 1, of(all, j).checkV, of(all, j).keyPoint)),
  )
  const keySum = sumPoints([mulBase(run.secrets.sk), ...peers.map((j) => of(all, j).keyPoint)])
  const publicKey = pointFromBytes(run.publicKey)
  if (publicKey === undefined || !equalPoints(keySum, publicKey)) throw abortOf('SIGN_KEY_SUM')
  const nonce = sumPoints([mulBase(run.secrets.k), ...peers.map((j) => of(all, j).noncePoint)])
  if (isIdentity(nonce) || isZero(nonceScalar(nonce))) throw abortOf('SIGN_ZERO_NONCE')
  return { nonce, d, psi: new Map(peers.map((j) => [j, of(all, j).psi])) }
}

/** What a party shows of its shares. */
export interface Partial {
  readonly u: Scalar
  readonly w: Scalar
}

/** `u_i` and `w_i = e phi_i + r v_i`. */
export function partialOf(
  run: Run,
  nonce: Point,
  products: ReadonlyMap<PartyId, Product>,
  { psi, d }: Pick<Checked, 'psi' | 'd'>,
): Partial {
  using scope = new SecretScope()
  const { k, sk, phi } = run.secrets
  const phiSum = scope.own(sumScalars([phi, ...psi.values()]))
  const share = (input: Scalar, c: 0 | 1) =>
    sumScalars([scope.own(mulScalars(input, phiSum)), ...run.peers.flatMap((j) => [of(products, j).alice.t[c], of(d, j)[c]])])
  const v = scope.own(share(sk, 1))
  const ePhi = scope.own(mulScalars(digestScalar(run.ctx.request.digest), phi))
  return { u: share(k, 0), w: addScalars(ePhi, scope.own(mulScalars(nonceScalar(nonce), v))) }
}

/** Check 5.7: nothing that does not verify leaves here. */
export function combine(
  run: Run,
  nonce: Point,
  mine: Partial,
  partials: ReadonlyMap<PartyId, ValueOf<typeof SignPartial>>,
): EcdsaSignature {
  const parsed = run.peers.map((j) => ({ j, u: scalarFromBytes(of(partials, j).u), w: scalarFromBytes(of(partials, j).w) }))
  blame(
    'SIGN_MALFORMED',
    parsed.filter((p) => p.u === undefined || p.w === undefined).map((p) => p.j),
  )
  const u = sumScalars([mine.u, ...parsed.map((p) => p.u as Scalar)])
  const w = sumScalars([mine.w, ...parsed.map((p) => p.w as Scalar)])
  if (isZero(u) || isZero(w)) throw abortOf('SIGN_INVALID')
  const out = assemble(nonce, mulScalars(w, invertScalar(u)))
  if (!verifies(run.publicKey, run.ctx.request.digest, out.signature)) throw abortOf('SIGN_INVALID')
  return out
}
