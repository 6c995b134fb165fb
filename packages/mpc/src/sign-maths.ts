/** The maths of signing, section 5, between the messages; sign.ts is the script. */
import { equalBytes, InvalidArgument, type PartyId, type SecretScope, tagged, u32 } from '@conclave/core'
import type { SignOpen as Opening, SignCommit, SignPartial, SignVole, ValueOf } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import {
  addScalars,
  hashToScalar,
  invertScalar,
  mul,
  mulBase,
  mulScalars,
  O,
  type Point,
  pointFromBytes,
  pointToBytes,
  randomScalar,
  type Scalar,
  scalarFromBytes,
  scalarToBytes,
  subScalars,
  sumPoints,
  sumScalars,
} from './arithmetic.ts'
import { derive } from './derivation.ts'
import { assemble, digestScalar, type EcdsaSignature, nonceScalar, verifies } from './ecdsa.ts'
import { type AliceExtension, type BobExtension, extendAlice } from './ot-extension.ts'
import { type PairState, pairContext, pairId, secretsOf } from './pair-state.ts'
import { lagrange } from './polynomial.ts'
import { of } from './protocol.ts'
import { checkRequest, type SignContext, signSid } from './sign-request.ts'
import { type AliceVole, type BobVole, voleAlice, voleBob } from './vole.ts'

/** zeta_i: shares of zero among the quorum, from the pair seeds. */
function zeroShare(self: PartyId, pairs: ReadonlyMap<PartyId, PairState>, peers: readonly PartyId[], sid: Uint8Array): Scalar {
  return peers.reduce((sum, j) => {
    const term = hashToScalar('zero-share', secretsOf(of(pairs, j)).zeroSeed, sid)
    return j > self ? addScalars(sum, term) : subScalars(sum, term)
  }, 0n)
}

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

export function begin(ctx: SignContext): Run {
  const signers = checkRequest(ctx)
  const { share, request, random } = ctx
  const { self } = share
  const peers = signers.filter((j) => j !== self)
  const sid = signSid(ctx.clusterContext, share.public, request)
  const child = derive(share.public.publicKey, share.public.chainCode, request.path)
  const x = scalarFromBytes(share.secret.bytes)
  if (x === undefined) throw new InvalidArgument('BAD_KEY', 'the key share is not a scalar')
  const tweak = self === signers[0] ? child.tweak : 0n
  const sk = sumScalars([mulScalars(lagrange(self, signers), x), zeroShare(self, ctx.pairs, peers, sid), tweak])
  return { ctx, self, peers, sid, publicKey: child.publicKey, secrets: { k: randomScalar(random), sk, phi: randomScalar(random) } }
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
      return [j, voleAlice(nu, of(commits, j).ot, rows, secretsOf(of(ctx.pairs, j)).delta, ctx.random)]
    }),
  )
}

/** Check 4.1 for every peer. */
export function multiply(
  run: Run,
  bobs: ReadonlyMap<PartyId, BobExtension>,
  alices: ReadonlyMap<PartyId, AliceVole>,
  sent: ReadonlyMap<PartyId, ValueOf<typeof SignVole>>,
): ReadonlyMap<PartyId, Product> {
  const outcomes = run.peers.map((j) => {
    const bob = of(bobs, j)
    return [j, voleBob(bob.nu, bob.message, bob, of(sent, j).vole)] as const
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
  return {
    ...opening,
    gammaU: scalarToBytes(subScalars(k, alice.alpha[0])),
    gammaV: scalarToBytes(subScalars(sk, alice.alpha[1])),
    checkU: pointToBytes(mulBase(alice.t[0])),
    checkV: pointToBytes(mulBase(alice.t[1])),
    psi: scalarToBytes(subScalars(phi, bob.beta)),
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
  /** d_u, d_v by peer. */
  readonly d: ReadonlyMap<PartyId, readonly [Scalar, Scalar]>
}

/** Checks 5.2 to 5.6. */
export function checkOpenings(
  run: Run,
  products: ReadonlyMap<PartyId, Product>,
  messages: ReadonlyMap<PartyId, Opening>,
  commitments: ReadonlyMap<PartyId, Uint8Array>,
): Checked {
  const { peers, sid } = run
  if (peers.some((j) => !equalBytes(commitmentOf(sid, j, of(messages, j)), of(commitments, j)))) throw abortOf('SIGN_BAD_OPENING')
  const opened = new Map(peers.map((j) => [j, parseOpening(of(messages, j))]))
  blame(
    'SIGN_MALFORMED',
    peers.filter((j) => opened.get(j) === undefined),
  )
  const all = opened as ReadonlyMap<PartyId, Opened>
  const d = new Map(
    peers.map((j) => {
      const { bob } = of(products, j)
      const o = of(all, j)
      return [j, [addScalars(bob.r[0], mulScalars(o.gammaU, bob.beta)), addScalars(bob.r[1], mulScalars(o.gammaV, bob.beta))] as const]
    }),
  )
  const holds = (j: PartyId, c: 0 | 1, check: Point, input: Point) =>
    mulBase(of(d, j)[c])
      .add(check)
      .equals(mul(input, of(products, j).bob.beta))
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
  if (publicKey === undefined || !keySum.equals(publicKey)) throw abortOf('SIGN_KEY_SUM')
  const nonce = sumPoints([mulBase(run.secrets.k), ...peers.map((j) => of(all, j).noncePoint)])
  if (nonce.equals(O) || nonceScalar(nonce) === 0n) throw abortOf('SIGN_ZERO_NONCE')
  return { nonce, d, psi: new Map(peers.map((j) => [j, of(all, j).psi])) }
}

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
  const { k, sk, phi } = run.secrets
  const phiSum = sumScalars([phi, ...psi.values()])
  const cross = (c: 0 | 1) => sumScalars(run.peers.flatMap((j) => [of(products, j).alice.t[c], of(d, j)[c]]))
  const u = addScalars(mulScalars(k, phiSum), cross(0))
  const v = addScalars(mulScalars(sk, phiSum), cross(1))
  return { u, w: addScalars(mulScalars(digestScalar(run.ctx.request.digest), phi), mulScalars(nonceScalar(nonce), v)) }
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
  if (u === 0n || w === 0n) throw abortOf('SIGN_INVALID')
  const out = assemble(nonce, mulScalars(w, invertScalar(u)))
  if (!verifies(run.publicKey, run.ctx.request.digest, out.signature)) throw abortOf('SIGN_INVALID')
  return out
}
