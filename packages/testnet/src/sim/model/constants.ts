/**
 * Stands in for packages/mpc/src/constants.ts in simulations: so few OTs that a multiplication costs a millisecond. Every equation
 * of the protocol holds with these numbers as with the real ones; only the bounds of the proofs do not.
 */
export const KAPPA = 8
export const STATISTICAL = 85
export const M = 8
export const N = 256
export const PAYLOAD = 2
export const COLUMNS = 3
export const SCALAR_BYTES = 32
export const POINT_BYTES = 33
export const COLUMN_BYTES = N / 8
/** One element of GF(2^128), whatever KAPPA is. */
export const ROW_BYTES = 16
export const SEED_BYTES = 32
