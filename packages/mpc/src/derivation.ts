import { type ChildKey, checkPath, childStep, type DerivationPath, InvalidArgument, noChild, PATH_DEPTH_MAX } from '@conclave/core'
import { addScalars, areCanonical, scalarOf } from './arithmetic.ts'
import { addPoints, isIdentity, mulBase, pointFromBytes, pointToBytes } from './points.ts'

export { PATH_DEPTH_MAX }

/** A child, with the tweak as the signers need it: a scalar to add to the root key. */
export type DerivedKey = ChildKey

function childOf(parent: ChildKey, index: number): ChildKey {
  const from = pointFromBytes(parent.publicKey)
  if (from === undefined) throw new InvalidArgument('BAD_KEY', 'the public key is not a point of the curve')
  const { step, chainCode } = childStep(parent, index)
  if (!areCanonical(step)) throw noChild(index)
  const child = addPoints(from, mulBase(step))
  if (isIdentity(child)) throw noChild(index)
  return { publicKey: pointToBytes(child), chainCode, tweak: addScalars(parent.tweak, step) }
}

/**
 * BIP32 non-hardened public derivation from a root key: what core's `deriveChild` gives, by the kernel.
 *
 * @throws {InvalidArgument} BAD_KEY; BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability
 * 2^-127).
 */
export function derive(publicKey: Uint8Array, chainCode: Uint8Array, path: DerivationPath): DerivedKey {
  checkPath(path)
  return path.reduce(childOf, { publicKey, chainCode, tweak: scalarOf(0) })
}
