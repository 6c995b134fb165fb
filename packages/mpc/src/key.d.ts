import { type IdentityKey, type PartyId, SecretBytes } from '@conclave/core';
import { type Attestation, type KeyPublic } from '@conclave/wire';
export type { KeyPublic } from '@conclave/wire';
/** One party's part of a key: the public half, and the scalar that never leaves the party unsealed. */
export interface KeyShare {
    readonly public: KeyPublic;
    readonly self: PartyId;
    /** x_i, 32 bytes. */
    readonly secret: SecretBytes;
}
/** Identity keys of the committee, by party. */
export type Identities = ReadonlyMap<PartyId, IdentityKey>;
/** What the DKG session is about; `sid` binds it. */
export declare function dkgConfig(clusterContext: Uint8Array, key: Pick<KeyPublic, 'keyId' | 'epoch' | 'threshold' | 'parties' | 'nonce'>): Uint8Array;
/** Parties as 32-bit indices, in order. */
export declare function partyList(parties: readonly PartyId[]): Uint8Array;
/** `sid = T("dkg", all sid_j, config)`. */
export declare const dkgSid: (sidParts: readonly Uint8Array[], config: Uint8Array) => Uint8Array;
/** What every party of the DKG attests: `T("dkg-cert", sid, PK, all X_j, chainCode, H(transcript))`. */
export declare function certificateHash(clusterContext: Uint8Array, key: KeyPublic): Uint8Array;
/** `keyCtx`: everything that a signature under this key is bound to. */
export declare function keyContext(clusterContext: Uint8Array, key: KeyPublic): Uint8Array;
/** X_j. @throws {InvalidArgument} BAD_PARTY when j is not of the committee. */
export declare function publicShareOf(key: KeyPublic, j: PartyId): Uint8Array;
/**
 * Checks the public half on its own: ids, lengths, points.
 *
 * @throws {InvalidArgument} BAD_KEY and the codes of core's id checks.
 */
export declare function checkKeyPublic(key: KeyPublic): KeyPublic;
/** Whether every party of the committee has validly attested this key. */
export declare function isCertified(clusterContext: Uint8Array, key: KeyPublic, attestations: readonly Attestation[], identities: Identities): boolean;
/** The bytes that are sealed: x_i, and the hash of the public half that it belongs to. Secret. */
export declare function encodeShareSecret(share: KeyShare): SecretBytes;
/**
 * The only way from stored bytes to a key share.
 *
 * Guarantees: the public half is well formed, `x_i G == X_i`, and the two halves were sealed together.
 *
 * @param sealed - 64 opened bytes; stays the caller's.
 * @throws {InvalidArgument} BAD_KEY; WireError on malformed public bytes.
 */
export declare function parseKeyShare(publicBytes: Uint8Array, sealed: Uint8Array, self: PartyId): KeyShare;
