import { type ChildKey, checkPath, childStep, type DerivationPath, InvalidArgument, noChild, PATH_DEPTH_MAX, toHex } from '@conclave/core'
import { addScalars, areCanonical, type Scalar, scalarOf } from './arithmetic.ts'
import { addPoints, isIdentity, mulBase, type Point, pointFromBytes, pointToBytes } from './points.ts'
import { Recent } from './recent.ts'

export { PATH_DEPTH_MAX }

/** A child, with the tweak as the signers need it: a scalar to add to the root key. */
export type DerivedKey = ChildKey

/** A child whose key is a point. */
export interface Child {
  readonly point: Point
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
  readonly tweak: Scalar
}

/** Children whose keys sign again and again are derived once. */
const KEPT_MAX = 1024
const kept = new Recent<Child>(KEPT_MAX)

function childOf(parent: Child, index: number): Child {
  const { step, chainCode } = childStep(parent, index)
  if (!areCanonical(step)) throw noChild(index)
  const point = addPoints(parent.point, mulBase(step))
  if (isIdentity(point)) throw noChild(index)
  return { point, publicKey: pointToBytes(point), chainCode, tweak: addScalars(parent.tweak, step) }
}

function derived(publicKey: Uint8Array, chainCode: Uint8Array, path: DerivationPath): Child {
  const point = pointFromBytes(publicKey)
  if (point === undefined) throw new InvalidArgument('BAD_KEY', 'the public key is not a point of the curve')
  return path.reduce(childOf, { point, publicKey, chainCode, tweak: scalarOf(0) })
}

/**
 * BIP32 non-hardened public derivation from a root key: what core's `deriveChild` gives, by the kernel. Everybody who has the key's
 * public half can do it, so nothing of it is secret.
 *
 * @returns what others get as well: not to be written to.
 * @throws {InvalidArgument} BAD_KEY; BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability
 * 2^-127).
 */
export function deriveChildOf(publicKey: Uint8Array, chainCode: Uint8Array, path: DerivationPath): Child {
  checkPath(path)
  const name = [toHex(publicKey), toHex(chainCode), ...path].join('/')
  return kept.get(name, () => derived(Uint8Array.from(publicKey), Uint8Array.from(chainCode), path))
}

/** The same, as bytes of the caller's own. */
export function derive(publicKey: Uint8Array, chainCode: Uint8Array, path: DerivationPath): DerivedKey {
  const child = deriveChildOf(publicKey, chainCode, path)
  return { publicKey: Uint8Array.from(child.publicKey), chainCode: Uint8Array.from(child.chainCode), tweak: Uint8Array.from(child.tweak) }
}
