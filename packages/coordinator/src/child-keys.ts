import { type DerivationPath, deriveChild, type ExtendedKey, fromHex, PATH_DEPTH_MAX, toHex } from '@conclave/core'
import { evmAddress } from '@conclave/policy'
import { Recent } from './recent.ts'

/** About 8 MB in all. */
const KEYS_MAX = 16_384

const children = new Recent<ExtendedKey>(KEYS_MAX)
const addresses = new Recent<string>(KEYS_MAX)

/**
 * The public half of {@link deriveChild}, remembered level by level: each costs a multiplication on the curve. A child depends on nothing
 * but its root and its path, so nothing here grows old.
 *
 * @throws {InvalidArgument} BAD_PATH.
 */
export function childKey(root: ExtendedKey, path: DerivationPath): ExtendedKey {
  if (path.length === 0) return root
  return children.of([toHex(root.publicKey), toHex(root.chainCode), ...path].join('/'), () => {
    const parent = path.length > PATH_DEPTH_MAX ? root : childKey(root, path.slice(0, -1))
    return deriveChild(parent, parent === root ? path : path.slice(-1))
  })
}

/** {@link evmAddress} of a compressed point in hex, remembered. */
export function addressOf(publicKey: string): string {
  return addresses.of(publicKey, () => evmAddress(fromHex(publicKey, 33)))
}
