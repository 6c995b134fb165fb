import { type PartyId, SecretBytes } from '@conclave/core';
import { PairPublic } from '@conclave/wire';
export type { PairPublic } from '@conclave/wire';
/**
 * What two nodes share after pair setup, as one of them holds it. It belongs to the pair, not to a key.
 *
 * As multiplication sender (Alice) this node has `delta` and one seed per column; as receiver (Bob) it has both seeds.
 */
export interface PairState {
    readonly public: PairPublic;
    /** `delta` 16 | Alice's seeds 128 x 32 | Bob's seeds0 | Bob's seeds1 | zero-share seed 32. */
    readonly secret: SecretBytes;
}
export interface PairSecrets {
    readonly delta: Uint8Array;
    readonly aliceSeeds: Uint8Array;
    readonly bobSeeds0: Uint8Array;
    readonly bobSeeds1: Uint8Array;
    readonly zeroSeed: Uint8Array;
}
/** Joins the parts; the caller wipes its own copies. */
export declare function joinSecrets(s: PairSecrets): SecretBytes;
/** Views into the secret of a pair state: valid until it is disposed. */
export declare function secretsOf(pair: PairState): PairSecrets;
/**
 * The only way from stored bytes to a pair state.
 *
 * @param opened - the opened secret; stays the caller's.
 * @throws {InvalidArgument} BAD_PAIR_STATE; WireError on malformed public bytes.
 */
export declare function parsePairState(publicBytes: Uint8Array, opened: Uint8Array): PairState;
/** `pairCtx(send, recv)`, `send` being the multiplication sender (Alice). */
export declare function pairContext(clusterContext: Uint8Array, pair: PairPublic, sender: PartyId, receiver: PartyId): Uint8Array;
/** Names the pair state; the same at both ends. */
export declare function pairId(clusterContext: Uint8Array, pair: PairPublic): Uint8Array;
