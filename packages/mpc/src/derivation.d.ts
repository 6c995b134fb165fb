import { type Scalar } from './arithmetic.ts';
export declare const PATH_DEPTH_MAX = 8;
export interface DerivedKey {
    /** 33 bytes. */
    readonly publicKey: Uint8Array;
    readonly chainCode: Uint8Array;
    /** What the signers add to the root key, in [0, q). */
    readonly tweak: Scalar;
}
/**
 * BIP32 non-hardened public derivation from a root key; the empty path is the root itself.
 *
 * @throws {InvalidArgument} BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability 2^-127).
 */
export declare function derive(publicKey: Uint8Array, chainCode: Uint8Array, path: readonly number[]): DerivedKey;
