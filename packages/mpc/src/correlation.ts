/** Entries of the correlation pool: multiplications of random inputs that were made ahead of need (section 5). */
import { ConclaveError, concat, type SecretBytes, tagged, u32 } from '@conclave/core'
import { type Scalar, scalarFromBytes, scalarToBytes } from './arithmetic.ts'
import { SCALAR_BYTES } from './constants.ts'
import { type PairPublic, pairId } from './pair-state.ts'

const SCALARS = 7
/** alpha_1, alpha_2, t_1, t_2, beta, r_1, r_2: 32 bytes each. */
export const CORRELATION_BYTES: number = SCALARS * SCALAR_BYTES

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
}

/** The bytes of an entry's secret. */
export function productBytes({ alpha, t, beta, r }: Product): Uint8Array {
  const parts = [...alpha, ...t, beta, ...r].map(scalarToBytes)
  return concat(...parts)
}

/** The product in an entry; valid until the entry is disposed. */
export function productOf({ secret }: Correlation): Product {
  const { bytes } = secret
  const parts = Array.from({ length: SCALARS }, (_, i) => scalarFromBytes(bytes.subarray(i * SCALAR_BYTES, (i + 1) * SCALAR_BYTES)))
  if (bytes.length !== CORRELATION_BYTES || parts.includes(undefined)) throw new ConclaveError('ASSERTION', 'no entry of the pool')
  const [a0, a1, t0, t1, beta, r0, r1] = parts as [Scalar, Scalar, Scalar, Scalar, Scalar, Scalar, Scalar]
  return { alpha: [a0, a1], t: [t0, t1], beta, r: [r0, r1] }
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
