import type { Scalar, ScalarKernel } from './kernel.ts'
import { countOf, requireLengths, SCALAR_BYTES } from './lengths.ts'
import { arena, type Exports, wasm } from './load.ts'

const WIDE_BYTES = 64

const { addScalars, subScalars, mulScalars, invertScalar, reduceWide, areCanonical } = wasm as Exports<keyof ScalarKernel>

type Binary = typeof addScalars

const binary =
  (call: Binary) =>
  (a: Scalar, b: Scalar): Scalar => {
    requireLengths(a.length === SCALAR_BYTES && b.length === SCALAR_BYTES, 'scalars')
    return arena.run(() => {
      const out = arena.reserve(SCALAR_BYTES)
      call(out, arena.put(a), arena.put(b))
      return arena.take(out, SCALAR_BYTES)
    })
  }

/** Scalars in WebAssembly. */
export const scalars: ScalarKernel = {
  addScalars: binary(addScalars),
  subScalars: binary(subScalars),
  mulScalars: binary(mulScalars),
  invertScalar(a) {
    requireLengths(a.length === SCALAR_BYTES, 'invertScalar')
    const inverse = arena.run(() => {
      const out = arena.reserve(SCALAR_BYTES)
      invertScalar(out, arena.put(a))
      return arena.take(out, SCALAR_BYTES)
    })
    // Only 0 is its own power like that: a product of others is not 0 modulo a prime.
    if (inverse.every((byte) => byte === 0)) throw new RangeError('0 has no inverse')
    return inverse
  },
  reduceWide(bytes) {
    requireLengths(bytes.length <= WIDE_BYTES, 'reduceWide')
    return arena.run(() => {
      const [out, at] = [arena.reserve(SCALAR_BYTES), arena.reserve(WIDE_BYTES)]
      arena.write(at + WIDE_BYTES - bytes.length, bytes)
      reduceWide(out, at)
      return arena.take(out, SCALAR_BYTES)
    })
  },
  areCanonical: (packed) => arena.run(() => areCanonical(arena.put(packed), countOf(packed, SCALAR_BYTES, 'areCanonical')) === 1),
}
