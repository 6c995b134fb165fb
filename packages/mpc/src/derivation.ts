import { type DerivationPath, deriveChild, PATH_DEPTH_MAX } from '@conclave/core'
import type { Scalar } from './arithmetic.ts'

export { PATH_DEPTH_MAX }

export interface DerivedKey {
  /** 33 bytes. */
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
  /** What the signers add to the root key. */
  readonly tweak: Scalar
}

/**
 * BIP32 non-hardened public derivation from a root key, with the tweak as the signers need it.
 *
 * @throws {InvalidArgument} BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability 2^-127).
 */
export const derive = (publicKey: Uint8Array, chainCode: Uint8Array, path: DerivationPath): DerivedKey =>
  deriveChild({ publicKey, chainCode }, path)
