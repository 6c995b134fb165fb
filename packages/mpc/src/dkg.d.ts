import { type PartyId, type Random } from '@conclave/core';
import { type Attestation } from '@conclave/wire';
import { type Identities, type KeyPublic } from './key.ts';
import { type Protocol, type Round } from './protocol.ts';
export declare const DKG_ROUNDS: readonly Round[];
export interface DkgContext {
    readonly self: PartyId;
    /** The committee, increasing; self is in it. */
    readonly parties: readonly PartyId[];
    readonly threshold: number;
    readonly clusterContext: Uint8Array;
    readonly keyId: string;
    /** 32 bytes, fresh for this run, the same at all parties. */
    readonly nonce: Uint8Array;
    readonly identities: Identities;
    readonly random: Random;
}
export interface DkgResult {
    readonly public: KeyPublic;
    readonly attestations: readonly Attestation[];
}
/**
 * Distributed key generation, section 1: n parties make a key of which any `threshold` hold enough and fewer learn nothing.
 *
 * Yields one `attest` whose `pending` is this party's {@link KeyShare}, before the attestation is sent: whoever drives must store
 * it first, because once every attestation is out the key exists whether or not this party hears of it.
 *
 * @throws {ProtocolAbort} DKG_*.
 */
export declare function dkg(ctx: DkgContext): Protocol<DkgResult>;
