import { concat, InvalidArgument, u32 } from '@conclave/core'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { addScalars, mulBase, O, pointFromBytes, pointToBytes, type Scalar, scalarFromBytes } from './arithmetic.ts'

export const PATH_DEPTH_MAX = 8
const HARDENED = 0x80000000

export interface DerivedKey {
  /** 33 bytes. */
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
  /** What the signers add to the root key, in [0, q). */
  readonly tweak: Scalar
}

/**
 * BIP32 non-hardened public derivation from a root key; the empty path is the root itself.
 *
 * @throws {InvalidArgument} BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability 2^-127).
 */
export function derive(publicKey: Uint8Array, chainCode: Uint8Array, path: readonly number[]): DerivedKey {
  if (path.length > PATH_DEPTH_MAX) throw new InvalidArgument('BAD_PATH', `a derivation path has at most ${PATH_DEPTH_MAX} levels`)
  let derived: DerivedKey = { publicKey, chainCode, tweak: 0n }
  for (const index of path) {
    if (!Number.isInteger(index) || index < 0 || index >= HARDENED)
      throw new InvalidArgument('BAD_PATH', 'only non-hardened indices can be derived', { index })
    const out = hmac(sha512, derived.chainCode, concat(derived.publicKey, u32(index)))
    const step = scalarFromBytes(out.subarray(0, 32))
    const parent = pointFromBytes(derived.publicKey)
    const child = step === undefined ? undefined : parent?.add(mulBase(step))
    if (step === undefined || child === undefined || child.equals(O))
      throw new InvalidArgument('BAD_PATH', 'this index has no child key', { index })
    derived = { publicKey: pointToBytes(child), chainCode: out.slice(32), tweak: addScalars(derived.tweak, step) }
  }
  return derived
}
