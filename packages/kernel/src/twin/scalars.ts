import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Scalar, ScalarKernel, Scalars } from '../kernel.ts'

const { Fn } = secp256k1.Point
export const SCALAR_BYTES = 32

/** Big-endian, of any length. */
export const toBigint = (bytes: Uint8Array): bigint => bytes.reduce((value, b) => (value << 8n) | BigInt(b), 0n)
/** Reduces any integer. */
export const toScalar = (value: bigint): Scalar => Fn.toBytes(Fn.create(value))

export const unpack = (packed: Scalars): readonly bigint[] =>
  Array.from({ length: packed.length / SCALAR_BYTES }, (_, i) => toBigint(packed.subarray(SCALAR_BYTES * i, SCALAR_BYTES * (i + 1))))

export function pack(values: readonly bigint[]): Scalars {
  const out = new Uint8Array(SCALAR_BYTES * values.length)
  for (const [i, v] of values.entries()) out.set(toScalar(v), SCALAR_BYTES * i)
  return out
}

/** Scalars as BigInt. */
export const scalars: ScalarKernel = {
  addScalars: (a, b) => toScalar(toBigint(a) + toBigint(b)),
  subScalars: (a, b) => toScalar(toBigint(a) - toBigint(b)),
  mulScalars: (a, b) => toScalar(toBigint(a) * toBigint(b)),
  invertScalar(a) {
    const value = toBigint(a)
    if (value === 0n) throw new RangeError('0 has no inverse')
    return toScalar(Fn.inv(value))
  },
  reduceWide: (bytes) => toScalar(toBigint(bytes)),
  areCanonical: (packed) => unpack(packed).every((v) => v < Fn.ORDER),
}
