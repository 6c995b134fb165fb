import type { PartyId, Random } from '@conclave/core'
import { addScalars, invertScalar, mulPublic, mulScalars, O, type Point, randomScalar, type Scalar, subScalars } from './arithmetic.ts'

/** Coefficients, constant term first. Secret. */
export type Polynomial = readonly Scalar[]

export const randomPolynomial = (threshold: number, random: Random): Polynomial =>
  Array.from({ length: threshold }, () => randomScalar(random))

/** f(x), by Horner. */
export function evaluate(f: Polynomial, x: PartyId): Scalar {
  return f.reduceRight((sum, c) => addScalars(mulScalars(sum, BigInt(x)), c), 0n)
}

/** sum_k x^k A[k]: the commitment to f(x). */
export function evaluateInExponent(commitments: readonly Point[], x: PartyId): Point {
  return commitments.reduceRight((sum, a) => mulPublic(sum, BigInt(x)).add(a), O)
}

/** lambda_i(P): the Lagrange coefficient at 0 of party i among `parties`. Parties are distinct and nonzero mod q. */
export const lagrange = (i: PartyId, parties: readonly PartyId[]): Scalar => lagrangeAt(0, i, parties)

/** The Lagrange coefficient at x of node i among `nodes`, which are distinct mod q and may hold 0. */
export function lagrangeAt(x: number, i: number, nodes: readonly number[]): Scalar {
  let numerator = 1n
  let denominator = 1n
  for (const j of nodes) {
    if (j === i) continue
    numerator = mulScalars(numerator, subScalars(BigInt(j), BigInt(x)))
    denominator = mulScalars(denominator, subScalars(BigInt(j), BigInt(i)))
  }
  return mulScalars(numerator, invertScalar(denominator))
}
