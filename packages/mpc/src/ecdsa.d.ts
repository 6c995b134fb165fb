import { type Point, type Scalar } from './arithmetic.ts';
export interface EcdsaSignature {
    /** r || s, 64 bytes, s at most (q - 1) / 2. */
    readonly signature: Uint8Array;
    /** 0..3; bit 1 is set when the nonce point's x was at least q. */
    readonly recovery: number;
}
/** `e`: the digest as a scalar. */
export declare const digestScalar: (digest: Uint8Array) => Scalar;
/** `r` of a nonce point other than O. */
export declare const nonceScalar: (nonce: Point) => Scalar;
/** Low-s form of (r, s) with its recovery id. */
export declare function assemble(nonce: Point, s: Scalar): EcdsaSignature;
/** Standard verification, low-s required. */
export declare function verifies(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean;
