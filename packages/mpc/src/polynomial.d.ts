import type { PartyId, Random } from '@conclave/core';
import { type Point, type Scalar } from './arithmetic.ts';
/** Coefficients, constant term first. Secret. */
export type Polynomial = readonly Scalar[];
export declare const randomPolynomial: (threshold: number, random: Random) => Polynomial;
/** f(x), by Horner. */
export declare function evaluate(f: Polynomial, x: PartyId): Scalar;
/** sum_k x^k A[k]: the commitment to f(x). */
export declare function evaluateInExponent(commitments: readonly Point[], x: PartyId): Point;
/** lambda_i(P): the Lagrange coefficient at 0 of party i among `parties`. Parties are distinct and nonzero mod q. */
export declare function lagrange(i: PartyId, parties: readonly PartyId[]): Scalar;
