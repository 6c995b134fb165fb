/** Scalars of secp256k1: the door to the kernel's, and what hashes and random bytes become of them. */
import { ConclaveError, concat, equalBytes, type Random, taggedExpand } from '@conclave/core'
import { kernel, type Scalar } from '@conclave/kernel'
import { SCALAR_BYTES } from './constants.ts'

export type { Scalar, Scalars } from '@conclave/kernel'

export const { addScalars, subScalars, mulScalars, invertScalar, areCanonical } = kernel

/** So many bytes, reduced mod q, are uniform up to a bias below 2^-127. */
const WIDE_BYTES = 48

/** The scalar of a small number that is no secret: an index, a position. */
export function scalarOf(value: number): Scalar {
  const out = new Uint8Array(SCALAR_BYTES)
  new DataView(out.buffer).setUint32(SCALAR_BYTES - 4, value)
  return out
}

export const ZERO: Scalar = scalarOf(0)
export const ONE: Scalar = scalarOf(1)

/** In constant time, as everything here unless it says otherwise. */
export const isZero = (a: Scalar): boolean => equalBytes(a, ZERO)
export const equalScalars: (a: Scalar, b: Scalar) => boolean = equalBytes
export const negate = (a: Scalar): Scalar => subScalars(ZERO, a)

export function sumScalars(terms: Iterable<Scalar>): Scalar {
  let sum = scalarOf(0)
  for (const t of terms) {
    const next = addScalars(sum, t)
    sum.fill(0)
    sum = next
  }
  return sum
}

/** Any number of at most 64 bytes, big-endian, mod q. */
export const reduce = (bytes: Uint8Array): Scalar => kernel.reduceWide(bytes)

/** A copy of a canonical scalar, or undefined: never reduced silently. */
export function scalarFromBytes(bytes: Uint8Array): Scalar | undefined {
  return bytes.length === SCALAR_BYTES && areCanonical(bytes) ? new Uint8Array(bytes) : undefined
}

/**
 * Uniform in [1, q), from 48 random bytes.
 *
 * @throws {ConclaveError} BAD_RANDOM when they are 0 mod q, which a generator that works does once in 2^256 times.
 */
export function randomScalar(random: Random): Scalar {
  const bytes = random.bytes(WIDE_BYTES)
  const a = reduce(bytes)
  bytes.fill(0)
  if (isZero(a)) throw new ConclaveError('BAD_RANDOM', 'the random generator gave a scalar of 0')
  return a
}

/** The specification's `Hs`: 48 bytes of `T` in counter mode, reduced mod q. */
export function hashToScalar(label: string, ...parts: readonly Uint8Array[]): Scalar {
  const bytes = taggedExpand(label, WIDE_BYTES, ...parts)
  const a = reduce(bytes)
  bytes.fill(0)
  return a
}

/** Scalars one after the other, as the kernel's vector functions take them. */
export const pack = (scalars: readonly Scalar[]): Uint8Array => concat(...scalars)
/** Scalar i of such a vector: a view. */
export const scalarAt = (packed: Uint8Array, i: number): Scalar => packed.subarray(SCALAR_BYTES * i, SCALAR_BYTES * (i + 1))
