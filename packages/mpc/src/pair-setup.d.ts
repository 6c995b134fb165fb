import { type PartyId, type Random } from '@conclave/core';
import { type PairState } from './pair-state.ts';
import { type Protocol, type Round } from './protocol.ts';
export declare const PAIR_ROUNDS: readonly Round[];
export interface PairContext {
    readonly self: PartyId;
    readonly peer: PartyId;
    readonly clusterContext: Uint8Array;
    /** Grows with every setup of this pair. */
    readonly pairEpoch: number;
    /** 32 bytes, fresh for this run, the same at both ends. */
    readonly nonce: Uint8Array;
    readonly random: Random;
}
/**
 * Pair setup, section 2: base OTs in both directions at once, and a common seed for zero shares. Six messages each way.
 *
 * Both ends finish with equal {@link pairId} or not at all; a failure voids this setup and never a key.
 *
 * @throws {ProtocolAbort} PAIR_*.
 */
export declare function pairSetup(ctx: PairContext): Protocol<PairState>;
