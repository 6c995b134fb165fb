import type { PartyId, Random } from '@conclave/core'
import { addScalars, invertScalar, mulScalars, ONE, randomScalar, type Scalar, scalarOf, subScalars } from './arithmetic.ts'
import { addPoints, O, type Point, timesSmall } from './points.ts'
import { Recent } from './recent.ts'

/** Coefficients, constant term first. Secret. */
export type Polynomial = readonly Scalar[]

export const randomPolynomial = (threshold: number, random: Random): Polynomial =>
  Array.from({ length: threshold }, () => randomScalar(random))

/** f(x), by Horner. */
export function evaluate(f: Polynomial, x: PartyId): Scalar {
  const at = scalarOf(x)
  let sum = scalarOf(0)
  for (const c of f.toReversed()) {
    const product = mulScalars(sum, at)
    sum.fill(0)
    sum = addScalars(product, c)
    product.fill(0)
  }
  return sum
}

/** sum_k x^k A[k]: the commitment to f(x). */
export function evaluateInExponent(commitments: readonly Point[], x: PartyId): Point {
  return commitments.reduceRight((sum, a) => addPoints(timesSmall(sum, x), a), O)
}

/** lambda_i(P): the Lagrange coefficient at 0 of party i among `parties`. Parties are distinct and nonzero mod q. */
export const lagrange = (i: PartyId, parties: readonly PartyId[]): Scalar => lagrangeAt(0, i, parties)

const COEFFICIENTS_MAX = 1024
const coefficients = new Recent<Scalar>(COEFFICIENTS_MAX)

/** The Lagrange coefficient at x of node i among `nodes`, which are distinct mod q and may hold 0. */
export function lagrangeAt(x: number, i: number, nodes: readonly number[]): Scalar {
  return Uint8Array.from(coefficients.get(`${x} ${i} ${nodes.join()}`, () => coefficientAt(x, i, nodes)))
}

function coefficientAt(x: number, i: number, nodes: readonly number[]): Scalar {
  let numerator = ONE
  let denominator = ONE
  for (const j of nodes) {
    if (j === i) continue
    numerator = mulScalars(numerator, subScalars(scalarOf(j), scalarOf(x)))
    denominator = mulScalars(denominator, subScalars(scalarOf(j), scalarOf(i)))
  }
  return mulScalars(numerator, invertScalar(denominator))
}
