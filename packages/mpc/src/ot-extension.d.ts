/**
 * OT extension, section 3: 128 seeds become 896 correlated rows, the last 128 of which pay for the check.
 *
 * Bob picks the choice vector x and knows rows V; Alice knows Delta and rows W with `W_j = V_j xor x_j Delta`.
 */
import { type Random } from '@conclave/core';
import type { OtExtension } from '@conclave/wire';
/** `nu = T("ote", sid, pairCtx, saltBob)`: names one extension. */
export declare const extensionName: (sid: Uint8Array, pairCtx: Uint8Array, saltBob: Uint8Array) => Uint8Array;
export interface BobExtension {
    readonly nu: Uint8Array;
    readonly message: OtExtension;
    /** N bits: x. Secret. */
    readonly choices: Uint8Array;
    /** N x 16: V. Secret. */
    readonly rows: Uint8Array;
}
/** Bob's side. */
export declare function extendBob(sid: Uint8Array, pairCtx: Uint8Array, seeds: {
    seeds0: Uint8Array;
    seeds1: Uint8Array;
}, random: Random): BobExtension;
export interface AliceExtension {
    readonly nu: Uint8Array;
    /** N x 16: W. Secret. */
    readonly rows: Uint8Array;
}
/**
 * Alice's side; undefined when check 3.1 fails.
 *
 * A failure depends on bits of Delta that Bob may have guessed, so the caller burns the pair.
 */
export declare function extendAlice(sid: Uint8Array, pairCtx: Uint8Array, held: {
    delta: Uint8Array;
    seeds: Uint8Array;
}, message: OtExtension): AliceExtension | undefined;
