/**
 * Random VOLE, Variant II, section 4: from correlated rows to `t_c + r_c = alpha_c * beta`.
 *
 * The gadget vector comes from a hash over Alice's last message, so she cannot fit her input to it (Asharov's first departure).
 */
import { type Random } from '@conclave/core';
import { OtExtension, Vole } from '@conclave/wire';
import { type Scalar } from './arithmetic.ts';
export interface AliceVole {
    readonly message: Vole;
    /** alpha_1, alpha_2. Secret. */
    readonly alpha: readonly [Scalar, Scalar];
    /** t_1, t_2. Secret. */
    readonly t: readonly [Scalar, Scalar];
}
/** Alice's side: random inputs, one message. */
export declare function voleAlice(nu: Uint8Array, ot: OtExtension, rows: Uint8Array, delta: Uint8Array, random: Random): AliceVole;
export interface BobVole {
    /** Secret. */
    readonly beta: Scalar;
    /** r_1, r_2. Secret. */
    readonly r: readonly [Scalar, Scalar];
}
/** What a VOLE message can be: fine, not canonical (no secret involved), or inconsistent (check 4.1: burn). */
export type VoleOutcome = BobVole | 'malformed' | 'inconsistent';
/** Bob's side. */
export declare function voleBob(nu: Uint8Array, ot: OtExtension, held: {
    choices: Uint8Array;
    rows: Uint8Array;
}, message: Vole): VoleOutcome;
