/** Entries of the correlation pool: multiplications of random inputs that were made ahead of need (section 5). */
import { ConclaveError, concat, type SecretBytes, tagged, u32 } from '@conclave/core'
import { areCanonical, pack, type Scalar, scalarAt } from './arithmetic.ts'
import { POINT_BYTES, SCALAR_BYTES } from './constants.ts'
import { type PairPublic, pairId } from './pair-state.ts'
import { mulBase, pointsToBytes } from './points.ts'

const SCALARS = 7
const POINTS = 2
/** alpha_1, alpha_2, t_1, t_2, beta, r_1, r_2 of 32 bytes each, then t_1 G and t_2 G of 33. */
export const CORRELATION_BYTES: number = SCALARS * SCALAR_BYTES + POINTS * POINT_BYTES

/**
 * One entry as one end of the pair holds it: a multiplication in each direction. For one signature, and then never again.
 */
export interface Correlation {
  /** 32 bytes, the same at both ends. */
  readonly name: Uint8Array
  /** {@link CORRELATION_BYTES}; whoever has the entry wipes it. */
  readonly secret: SecretBytes
}

/**
 * What one end of a pair keeps of two multiplications: as Alice `alpha` and `t`, as Bob `beta` and `r`. With the peer's half,
 * `t + r = alpha beta` in each direction and for each of the two columns.
 */
export interface Product {
  readonly alpha: readonly [Scalar, Scalar]
  readonly t: readonly [Scalar, Scalar]
  readonly beta: Scalar
  readonly r: readonly [Scalar, Scalar]
  /** `t_1 G` and `t_2 G`, which round 3 shows the peer. */
  readonly checks: readonly [Uint8Array, Uint8Array]
}

/** What follows from `t` is made with it, so that the pool has it ahead of need. */
export const checksOf = (t: readonly [Scalar, Scalar]): Product['checks'] => pointsToBytes(t.map(mulBase)) as [Uint8Array, Uint8Array]

/** The bytes of an entry's secret. */
export const productBytes = ({ alpha, t, beta, r, checks }: Product): Uint8Array => concat(pack([...alpha, ...t, beta, ...r]), ...checks)

/** The product in an entry: views, valid until the entry is disposed. */
export function productOf({ secret: { bytes } }: Correlation): Product {
  const end = SCALARS * SCALAR_BYTES
  if (bytes.length !== CORRELATION_BYTES || !areCanonical(bytes.subarray(0, end)))
    throw new ConclaveError('ASSERTION', 'no entry of the pool')
  const at = (i: number) => scalarAt(bytes, i)
  return {
    alpha: [at(0), at(1)],
    t: [at(2), at(3)],
    beta: at(4),
    r: [at(5), at(6)],
    checks: [bytes.subarray(end, end + POINT_BYTES), bytes.subarray(end + POINT_BYTES)],
  }
}

/** Salts of the two messages that one end sent for one entry. */
export interface Salts {
  readonly ot: Uint8Array
  readonly vole: Uint8Array
}

/**
 * The name of entry `k` of one run.
 *
 * Two honest ends that hold an entry under one name hold the two halves of one multiplication: each put two fresh salts of 32 bytes
 * into every name that it made, so equal names come from the one k of the one run in which both drew these salts, and in that run each got
 * the other's messages over their authenticated link. Who names an entry and uses another, or names one that it offered before, is the
 * one whom 5.3 and 5.4 find.
 */
export function correlationName(pair: PairPublic, nonce: Uint8Array, k: number, low: Salts, high: Salts): Uint8Array {
  return tagged('correlation', pairId(pair), nonce, u32(k), low.ot, low.vole, high.ot, high.vole)
}
