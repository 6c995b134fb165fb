import { type PartyId, ProtocolAbort } from '@conclave/core';
/**
 * Every way a run can stop, by code: the number of the check in docs/spec/protocol.md and its consequence (section 6).
 *
 * `burn`: each failure can leak bits of the OT secret, so the pair state is destroyed and the peer banned until an operator acts.
 * `retire`: this pair setup is void. `retry`: a new attempt may succeed.
 */
export declare const ABORTS: {
    readonly DKG_ECHO_COMMIT: {
        readonly check: '1.1';
        readonly consequence: 'retry';
        readonly text: 'parties saw different commitments';
    };
    readonly DKG_WRONG_DEGREE: {
        readonly check: '1.2';
        readonly consequence: 'retry';
        readonly text: 'a commitment vector has not exactly threshold entries';
    };
    readonly DKG_IDENTITY_POINT: {
        readonly check: '1.3';
        readonly consequence: 'retry';
        readonly text: 'a commitment is not a point of the curve other than the identity';
    };
    readonly DKG_BAD_OPENING: {
        readonly check: '1.4';
        readonly consequence: 'retry';
        readonly text: 'an opening does not match its commitment';
    };
    readonly DKG_BAD_PROOF: {
        readonly check: '1.5';
        readonly consequence: 'retry';
        readonly text: 'a proof of knowledge does not verify';
    };
    readonly DKG_ECHO_OPEN: {
        readonly check: '1.6';
        readonly consequence: 'retry';
        readonly text: 'parties saw different openings';
    };
    readonly DKG_BAD_SUBSHARE: {
        readonly check: '1.7';
        readonly consequence: 'retry';
        readonly text: 'a subshare does not match its commitments';
    };
    readonly DKG_BAD_ATTESTATION: {
        readonly check: '1.8';
        readonly consequence: 'retry';
        readonly text: 'an attestation of the new key does not verify';
    };
    readonly DKG_IDENTITY_KEY: {
        readonly check: '1.9';
        readonly consequence: 'retry';
        readonly text: 'the group key is the identity';
    };
    readonly PAIR_BAD_PROOF: {
        readonly check: '2.1';
        readonly consequence: 'retire';
        readonly text: 'the base point of a pair setup is not proved';
    };
    readonly PAIR_BAD_POINT: {
        readonly check: '2.2';
        readonly consequence: 'retire';
        readonly text: 'a choice point of a pair setup is not acceptable';
    };
    readonly PAIR_BAD_ANSWER: {
        readonly check: '2.3';
        readonly consequence: 'retire';
        readonly text: 'an answer of a pair setup is wrong';
    };
    readonly PAIR_BAD_REVEAL: {
        readonly check: '2.4';
        readonly consequence: 'retire';
        readonly text: 'the revealed pads of a pair setup do not fit';
    };
    readonly PAIR_BAD_OPENING: {
        readonly check: '2.z';
        readonly consequence: 'retire';
        readonly text: 'a zero-share seed does not match its commitment';
    };
    readonly PAIR_UNCONFIRMED: {
        readonly check: '2.c';
        readonly consequence: 'retire';
        readonly text: 'the two ends of a pair setup saw different messages';
    };
    readonly OT_CHECK: {
        readonly check: '3.1';
        readonly consequence: 'burn';
        readonly text: 'the OT extension is not consistent';
    };
    readonly VOLE_CHECK: {
        readonly check: '4.1';
        readonly consequence: 'burn';
        readonly text: 'the VOLE message is not consistent';
    };
    readonly SIGN_MALFORMED: {
        readonly check: '0';
        readonly consequence: 'retry';
        readonly text: 'a message holds a value that is not a canonical scalar or point';
    };
    readonly SIGN_ECHO: {
        readonly check: '5.1';
        readonly consequence: 'retry';
        readonly text: 'parties saw different nonce commitments';
    };
    readonly SIGN_BAD_OPENING: {
        readonly check: '5.2';
        readonly consequence: 'retry';
        readonly text: 'an opening does not match its commitment';
    };
    readonly SIGN_NONCE_PRODUCT: {
        readonly check: '5.3';
        readonly consequence: 'burn';
        readonly text: 'a peer used another nonce in the multiplication';
    };
    readonly SIGN_KEY_PRODUCT: {
        readonly check: '5.4';
        readonly consequence: 'burn';
        readonly text: 'a peer used another key share in the multiplication';
    };
    readonly SIGN_KEY_SUM: {
        readonly check: '5.5';
        readonly consequence: 'retry';
        readonly text: 'the key points do not add up to the public key';
    };
    readonly SIGN_ZERO_NONCE: {
        readonly check: '5.6';
        readonly consequence: 'retry';
        readonly text: 'the nonce is degenerate';
    };
    readonly SIGN_INVALID: {
        readonly check: '5.7';
        readonly consequence: 'retry';
        readonly text: 'the signature does not verify';
    };
};
export type AbortCode = keyof typeof ABORTS;
/** The error of a failed check. `culprits` only when the failure proves them (section 6). */
export declare function abortOf(code: AbortCode, culprits?: readonly PartyId[]): ProtocolAbort;
/** Throws `code` naming all of `culprits`, when there are any. */
export declare function blame(code: AbortCode, culprits: readonly PartyId[]): void;
/** Whether the pairs with the culprits must be burned. */
export declare function burnsPairs(code: string): boolean;
