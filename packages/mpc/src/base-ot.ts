/**
 * Verified Simplest OT, the maths of section 2: 128 instances in one direction.
 *
 * The *base sender* ends with both seeds of every instance, the *base receiver* with one of them, chosen by its bits. In the
 * extension the roles swap. `ctx` names pair, epoch, session and direction.
 */
import { concat, equalBytes, type Random, tagged, u32, xor } from '@conclave/core'
import type { SchnorrProof } from '@conclave/wire'
import { randomScalar, type Scalar } from './arithmetic.ts'
import { bitOf, maskOf, select, xorMasked } from './bits.ts'
import { KAPPA, POINT_BYTES } from './constants.ts'
import {
  addPoints,
  equalPoints,
  mul,
  mulBase,
  mulTable,
  type Point,
  pointFromBytes,
  pointsToBytes,
  pointToBytes,
  subPoints,
  tableOf,
} from './points.ts'
import { proveKnowledge, verifyKnowledge } from './schnorr.ts'

const HASH = 32
/** Joins secret parts and wipes them. */
function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = concat(...parts)
  for (const p of parts) p.fill(0)
  return out
}
const slice = (bytes: Uint8Array, j: number, size: number): Uint8Array => bytes.subarray(j * size, (j + 1) * size)
const instances = Array.from({ length: KAPPA }, (_, j) => j)
const pad1 = (ctx: Uint8Array, j: number, x: Uint8Array) => tagged('pad1', ctx, u32(j), x)
const pad2 = (ctx: Uint8Array, j: number, x: Uint8Array) => tagged('pad2', ctx, u32(j), x)
const seedOf = (ctx: Uint8Array, j: number, rho: Uint8Array) => tagged('seed', ctx, u32(j), rho)
const proofContext = (ctx: Uint8Array) => [tagged('ot-base', ctx)]

export interface BaseSender {
  /** b. Secret. */
  readonly secret: Scalar
  readonly base: Point
  readonly baseBytes: Uint8Array
}

/** Step 1. */
export function startSender(ctx: Uint8Array, random: Random): BaseSender & { readonly proof: SchnorrProof } {
  const secret = randomScalar(random)
  const base = mulBase(secret)
  return { secret, base, baseBytes: pointToBytes(base), proof: proveKnowledge(secret, base, proofContext(ctx), random) }
}

export interface BaseChoice {
  /** 16 bytes: the choice bits w. Secret. */
  readonly bits: Uint8Array
  /** 128 x 33. */
  readonly points: Uint8Array
  /** 128 x 32: rho_j. Secret. */
  readonly pads: Uint8Array
}

/** Step 2; undefined when check 2.1 fails. */
export function choose(ctx: Uint8Array, baseBytes: Uint8Array, proof: SchnorrProof, random: Random): BaseChoice | undefined {
  const base = pointFromBytes(baseBytes)
  if (base === undefined || !verifyKnowledge(proof, base, proofContext(ctx))) return undefined
  const table = tableOf(base)
  const bits = random.bytes(KAPPA / 8)
  const secrets = instances.map(() => randomScalar(random))
  const zero = secrets.map(mulBase)
  // Both candidates are computed and one is taken by mask, so time does not depend on the choice.
  const candidates = pointsToBytes([...zero, ...zero.map((p) => addPoints(p, base))])
  const shared = pointsToBytes(secrets.map((a) => mulTable(table, a)))
  const points = instances.map((j) => select(bitOf(bits, j), candidates[j] as Uint8Array, candidates[KAPPA + j] as Uint8Array))
  const pads = instances.map((j) => tagged('ot', ctx, u32(j), baseBytes, points[j] as Uint8Array, shared[j] as Uint8Array))
  for (const secret of [...secrets, ...shared]) secret.fill(0)
  return { bits, points: concat(...points), pads: join(pads) }
}

export interface BaseChallenge {
  /** 128 x 32: rho0_j and rho1_j. Secret. */
  readonly pads0: Uint8Array
  readonly pads1: Uint8Array
  /** 128 x 32: xi_j. */
  readonly challenges: Uint8Array
}

/** Step 3; undefined when check 2.2 fails. */
export function challenge(ctx: Uint8Array, sender: BaseSender, pointBytes: Uint8Array): BaseChallenge | undefined {
  const points = instances.map((j) => pointFromBytes(slice(pointBytes, j, POINT_BYTES)))
  // A_j = B would make rho1_j a hash of the identity, which anybody can compute.
  if (points.some((p) => p === undefined || equalPoints(p, sender.base))) return undefined
  const zero = (points as Point[]).map((p) => mul(p, sender.secret))
  const offset = mul(sender.base, sender.secret)
  const shared = pointsToBytes([...zero, ...zero.map((p) => subPoints(p, offset))])
  const pad = (j: number, of: number) =>
    tagged('ot', ctx, u32(j), sender.baseBytes, slice(pointBytes, j, POINT_BYTES), shared[of] as Uint8Array)
  const pads0 = instances.map((j) => pad(j, j))
  const pads1 = instances.map((j) => pad(j, KAPPA + j))
  const twice = (j: number, rho: Uint8Array) => pad2(ctx, j, pad1(ctx, j, rho))
  const challenges = instances.map((j) => xor(twice(j, pads0[j] as Uint8Array), twice(j, pads1[j] as Uint8Array)))
  for (const p of shared) p.fill(0)
  return { pads0: join(pads0), pads1: join(pads1), challenges: concat(...challenges) }
}

/** Step 4: `h2(h1(rho_j)) xor w_j xi_j`. */
export function answer(ctx: Uint8Array, choice: BaseChoice, challenges: Uint8Array): Uint8Array {
  const answers = instances.map((j) => {
    const out = pad2(ctx, j, pad1(ctx, j, slice(choice.pads, j, HASH)))
    xorMasked(out, slice(challenges, j, HASH), maskOf(bitOf(choice.bits, j)))
    return out
  })
  return concat(...answers)
}

/** Step 5: the pads to open, or undefined when check 2.3 fails. Every answer is evaluated before deciding. */
export function reveal(ctx: Uint8Array, made: BaseChallenge, answers: Uint8Array): Uint8Array | undefined {
  const zero = instances.map((j) => pad1(ctx, j, slice(made.pads0, j, HASH)))
  const one = instances.map((j) => pad1(ctx, j, slice(made.pads1, j, HASH)))
  const expected = concat(...instances.map((j) => pad2(ctx, j, zero[j] as Uint8Array)))
  if (!equalBytes(expected, answers)) return undefined
  return concat(...instances.flatMap((j) => [zero[j] as Uint8Array, one[j] as Uint8Array]))
}

/** Step 6: whether the opened pads fit (check 2.4). Every instance is evaluated before deciding. */
export function revealFits(ctx: Uint8Array, choice: BaseChoice, challenges: Uint8Array, opened: Uint8Array): boolean {
  let good = true
  for (const j of instances) {
    const zero = slice(opened, 2 * j, HASH)
    const one = slice(opened, 2 * j + 1, HASH)
    const own = equalBytes(select(bitOf(choice.bits, j), zero, one), pad1(ctx, j, slice(choice.pads, j, HASH)))
    const whole = equalBytes(xor(pad2(ctx, j, zero), pad2(ctx, j, one)), slice(challenges, j, HASH))
    good = good && own && whole
  }
  return good
}

/** The seeds of the extension: 128 x 32. Secret. */
export function seedsOf(ctx: Uint8Array, pads: Uint8Array): Uint8Array {
  return join(instances.map((j) => seedOf(ctx, j, slice(pads, j, HASH))))
}
