/** The maths of signing, section 6, between the messages; sign.ts is the script. */
import { equalBytes, InvalidArgument, type PartyId, SecretScope, tagged, u32 } from '@conclave/core'
import type { Opening, PartialSignature, SignOpen, SignPartial } from '@conclave/wire'
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
} from './arithmetic.ts'
import type { Product } from './correlation.ts'
import { deriveChildOf } from './derivation.ts'
import { assemble, digestScalar, type EcdsaSignature, nonceScalar, verifiesUnder } from './ecdsa.ts'
import { type PairState, pairId, secretsOf } from './pair-state.ts'
import { addPoints, equalPoints, isIdentity, mul, mulBase, type Point, pointFromBytes, pointsToBytes, sumPoints } from './points.ts'
import { lagrange } from './polynomial.ts'
import { of } from './protocol.ts'
import { checkRequest, itemId, type SignContext, signSid } from './sign-request.ts'

/** zeta_i: shares of zero among the quorum, from the pair seeds. */
function zeroShare(self: PartyId, pairs: ReadonlyMap<PartyId, PairState>, peers: readonly PartyId[], id: Uint8Array): Scalar {
  const terms = peers.map((j) => {
    const term = hashToScalar('zero-share', secretsOf(of(pairs, j)).zeroSeed, id)
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

/** One signature of the session. */
export interface Item {
  readonly id: Uint8Array
  readonly digest: Uint8Array
  /** Of the child key. */
  readonly publicKey: Point
  readonly secrets: Secrets
  /** R_i and pk_i of this party. */
  readonly nonce: Point
  readonly key: Point
  readonly opening: Committed
}

export interface Run {
  readonly ctx: SignContext
  readonly self: PartyId
  readonly peers: readonly PartyId[]
  readonly sid: Uint8Array
  readonly items: readonly Item[]
  /**
   * By peer, what must be equal at both ends before the check of the OT extension means anything: with different pair states, or
   * different requests, 3.1 would fail between two honest parties and burn their pair.
   */
  readonly contexts: ReadonlyMap<PartyId, Uint8Array>
}

/** @param scope - wipes every secret of the run. */
export function begin(ctx: SignContext, scope: SecretScope): Run {
  const signers = checkRequest(ctx)
  const { share, request, random } = ctx
  const { self } = share
  const peers = signers.filter((j) => j !== self)
  const sid = signSid(ctx.clusterContext, share.public, request)
  const x = scalarFromBytes(share.secret.bytes)
  if (x === undefined) throw new InvalidArgument('BAD_KEY', 'the key share is not a scalar')
  const part = scope.own(mulScalars(lagrange(self, signers), scope.own(x)))
  const items = request.items.map(({ digest, path }, i) => {
    const id = itemId(sid, i, request.items.length)
    const child = deriveChildOf(share.public.publicKey, share.public.chainCode, path)
    const shares = [part, scope.own(zeroShare(self, ctx.pairs, peers, id))]
    const sk = scope.own(sumScalars(self === signers[0] ? [...shares, child.tweak] : shares))
    const secrets = { k: scope.own(randomScalar(random)), sk, phi: scope.own(randomScalar(random)) }
    const [nonce, key] = [mulBase(secrets.k), mulBase(sk)]
    const [noncePoint, keyPoint] = pointsToBytes([nonce, key]) as [Uint8Array, Uint8Array]
    const opening = { noncePoint, keyPoint, salt: random.bytes(32) }
    return { id, digest, publicKey: child.point, secrets, nonce, key, opening }
  })
  const contexts = new Map(peers.map((j) => [j, tagged('sign-context', sid, pairId(of(ctx.pairs, j).public))]))
  return { ctx, self, peers, sid, items, contexts }
}

/** What a nonce commitment opens to. */
export type Committed = Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>

export const commitmentOf = (id: Uint8Array, j: PartyId, o: Committed): Uint8Array =>
  tagged('nonce', id, u32(j), o.noncePoint, o.keyPoint, o.salt)

/** What round 3 tells one peer of one item: the opening, and what turns random products into products of our inputs. */
export function openTo({ secrets: { k, sk, phi }, opening }: Item, { alpha, beta, checks: [checkU, checkV] }: Product): Opening {
  return {
    ...opening,
    gammaU: subScalars(k, alpha[0]),
    gammaV: subScalars(sk, alpha[1]),
    checkU,
    checkV,
    psi: subScalars(phi, beta),
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

/** One item after its openings were checked. */
export interface Checked {
  readonly nonce: Point
  /** psi_{j->i} by peer. */
  readonly psi: ReadonlyMap<PartyId, Scalar>
  /** d_u, d_v by peer. Secret. */
  readonly d: ReadonlyMap<PartyId, readonly [Scalar, Scalar]>
}

/** The products of one item, by peer. */
export type Products = ReadonlyMap<PartyId, Product>

/** Turns random products into products of the inputs that the peers have opened. */
function derandomise(products: Products, opened: ReadonlyMap<PartyId, Opened>, scope: SecretScope): Checked['d'] {
  const d = (r: Scalar, gamma: Scalar, beta: Scalar) => scope.own(addScalars(r, scope.own(mulScalars(gamma, beta))))
  return new Map(
    [...opened].map(([j, { gammaU, gammaV }]) => {
      const { beta, r } = of(products, j)
      return [j, [d(r[0], gammaU, beta), d(r[1], gammaV, beta)] as const]
    }),
  )
}

/** Checks 5.5 and 5.6: the nonce of one item. */
function sums(item: Item, opened: ReadonlyMap<PartyId, Opened>): Point {
  const all = [...opened.values()]
  const keySum = sumPoints([item.key, ...all.map((o) => o.keyPoint)])
  if (!equalPoints(keySum, item.publicKey)) throw abortOf('SIGN_KEY_SUM')
  const nonce = sumPoints([item.nonce, ...all.map((o) => o.noncePoint)])
  if (isIdentity(nonce) || isZero(nonceScalar(nonce))) throw abortOf('SIGN_ZERO_NONCE')
  return nonce
}

/**
 * Checks 5.2 to 5.6, each over all peers and items before the next.
 *
 * @param products - by item.
 * @param commitments - by peer and item.
 * @param scope - wipes what is secret.
 */
export function checkOpenings(
  { items, peers }: Pick<Run, 'items' | 'peers'>,
  products: readonly Products[],
  messages: ReadonlyMap<PartyId, SignOpen>,
  commitments: ReadonlyMap<PartyId, readonly Uint8Array[]>,
  scope: SecretScope,
): readonly Checked[] {
  const failing = (fails: (j: PartyId, i: number) => boolean) => peers.filter((j) => items.some((_, i) => fails(j, i)))
  blame(
    'SIGN_MALFORMED',
    peers.filter((j) => of(messages, j).openings.length !== items.length),
  )
  const said = (j: PartyId, i: number) => of(messages, j).openings[i] as Opening
  const fits = (j: PartyId, i: number) =>
    equalBytes(commitmentOf((items[i] as Item).id, j, said(j, i)), of(commitments, j)[i] as Uint8Array)
  if (failing((j, i) => !fits(j, i)).length > 0) throw abortOf('SIGN_BAD_OPENING')
  const parsed = items.map((_, i) => new Map(peers.map((j) => [j, parseOpening(said(j, i))])))
  blame(
    'SIGN_MALFORMED',
    failing((j, i) => parsed[i]?.get(j) === undefined),
  )
  const opened = parsed as readonly ReadonlyMap<PartyId, Opened>[]
  const at = <V>(list: readonly ReadonlyMap<PartyId, V>[], i: number, j: PartyId) => of(list[i] as ReadonlyMap<PartyId, V>, j)
  const d = items.map((_, i) => derandomise(products[i] as Products, opened[i] as ReadonlyMap<PartyId, Opened>, scope))
  const holds = (c: 0 | 1, i: number, j: PartyId, check: Point, input: Point) =>
    equalPoints(addPoints(mulBase(at(d, i, j)[c]), check), mul(input, at(products, i, j).beta))
  blame(
    'SIGN_NONCE_PRODUCT',
    failing((j, i) => !holds(0, i, j, at(opened, i, j).checkU, at(opened, i, j).noncePoint)),
  )
  blame(
    'SIGN_KEY_PRODUCT',
    failing((j, i) => !holds(1, i, j, at(opened, i, j).checkV, at(opened, i, j).keyPoint)),
  )
  return items.map((item, i) => ({
    nonce: sums(item, opened[i] as ReadonlyMap<PartyId, Opened>),
    d: d[i] as Checked['d'],
    psi: new Map(peers.map((j) => [j, at(opened, i, j).psi])),
  }))
}

/** `u_i` and `w_i = e phi_i + r v_i` of one item. */
export function partialOf(item: Pick<Item, 'digest' | 'secrets'>, products: Products, { nonce, psi, d }: Checked): PartialSignature {
  using scope = new SecretScope()
  const { k, sk, phi } = item.secrets
  const phiSum = scope.own(sumScalars([phi, ...psi.values()]))
  const share = (input: Scalar, c: 0 | 1) =>
    sumScalars([scope.own(mulScalars(input, phiSum)), ...[...products].flatMap(([j, { t }]) => [t[c], of(d, j)[c]])])
  const v = scope.own(share(sk, 1))
  const ePhi = scope.own(mulScalars(digestScalar(item.digest), phi))
  return { u: share(k, 0), w: addScalars(ePhi, scope.own(mulScalars(nonceScalar(nonce), v))) }
}

/** Check 5.7 for one item: nothing that does not verify leaves here. */
function complete(
  { digest, publicKey }: Item,
  nonce: Point,
  shares: readonly { readonly u: Scalar; readonly w: Scalar }[],
): EcdsaSignature {
  const u = sumScalars(shares.map((s) => s.u))
  const w = sumScalars(shares.map((s) => s.w))
  if (isZero(u) || isZero(w)) throw abortOf('SIGN_INVALID')
  // One inversion for s = w / u and for 1 / s, by which the signature is verified.
  const inverse = invertScalar(mulScalars(u, w))
  const out = assemble(nonce, mulScalars(mulScalars(w, w), inverse))
  if (!verifiesUnder(publicKey, digest, out.signature, mulScalars(mulScalars(u, u), inverse))) throw abortOf('SIGN_INVALID')
  return out
}

/** The signatures, by item; all of them or none. */
export function combine(
  { items, peers }: Pick<Run, 'items' | 'peers'>,
  checked: readonly Checked[],
  mine: readonly PartialSignature[],
  said: ReadonlyMap<PartyId, SignPartial>,
): readonly EcdsaSignature[] {
  const parse = ({ u, w }: PartialSignature) => ({ u: scalarFromBytes(u), w: scalarFromBytes(w) })
  const parsed = new Map(peers.map((j) => [j, of(said, j).partials.map(parse)]))
  blame(
    'SIGN_MALFORMED',
    peers.filter((j) => of(parsed, j).length !== items.length || of(parsed, j).some((s) => s.u === undefined || s.w === undefined)),
  )
  const all = [mine.map(parse), ...parsed.values()] as readonly (readonly { readonly u: Scalar; readonly w: Scalar }[])[]
  return items.map((item, i) =>
    complete(
      item,
      (checked[i] as Checked).nonce,
      all.map((list) => list[i] as { u: Scalar; w: Scalar }),
    ),
  )
}
