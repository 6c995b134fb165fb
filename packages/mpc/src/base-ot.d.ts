/**
 * Verified Simplest OT, the maths of section 2: 128 instances in one direction.
 *
 * The *base sender* ends with both seeds of every instance, the *base receiver* with one of them, chosen by its bits. In the
 * extension the roles swap. `ctx` names pair, epoch, session and direction.
 */
import { type Random } from '@conclave/core';
import type { SchnorrProof } from '@conclave/wire';
import { type Point, type Scalar } from './arithmetic.ts';
export interface BaseSender {
    readonly secret: Scalar;
    readonly base: Point;
    readonly baseBytes: Uint8Array;
}
/** Step 1. */
export declare function startSender(ctx: Uint8Array, random: Random): BaseSender & {
    readonly proof: SchnorrProof;
};
export interface BaseChoice {
    /** 16 bytes: the choice bits w. Secret. */
    readonly bits: Uint8Array;
    /** 128 x 33. */
    readonly points: Uint8Array;
    /** 128 x 32: rho_j. Secret. */
    readonly pads: Uint8Array;
}
/** Step 2; undefined when check 2.1 fails. */
export declare function choose(ctx: Uint8Array, baseBytes: Uint8Array, proof: SchnorrProof, random: Random): BaseChoice | undefined;
export interface BaseChallenge {
    /** 128 x 32: rho0_j and rho1_j. Secret. */
    readonly pads0: Uint8Array;
    readonly pads1: Uint8Array;
    /** 128 x 32: xi_j. */
    readonly challenges: Uint8Array;
}
/** Step 3; undefined when check 2.2 fails. */
export declare function challenge(ctx: Uint8Array, sender: BaseSender, pointBytes: Uint8Array): BaseChallenge | undefined;
/** Step 4: `h2(h1(rho_j)) xor w_j xi_j`. */
export declare function answer(ctx: Uint8Array, choice: BaseChoice, challenges: Uint8Array): Uint8Array;
/** Step 5: the pads to open, or undefined when check 2.3 fails. Every answer is evaluated before deciding. */
export declare function reveal(ctx: Uint8Array, made: BaseChallenge, answers: Uint8Array): Uint8Array | undefined;
/** Step 6: whether the opened pads fit (check 2.4). Every instance is evaluated before deciding. */
export declare function revealFits(ctx: Uint8Array, choice: BaseChoice, challenges: Uint8Array, opened: Uint8Array): boolean;
/** The seeds of the extension: 128 x 32. Secret. */
export declare function seedsOf(ctx: Uint8Array, pads: Uint8Array): Uint8Array;
