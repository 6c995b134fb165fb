import { type ConclaveError, type PartyId, type Random } from '@conclave/core';
import { type MessageField, type ValueOf } from '@conclave/wire';
import type { Round } from '../protocol.ts';
import type { Session } from '../session.ts';
/** A message under way in a test, decoded on demand. */
export interface InFlight {
    readonly from: PartyId;
    readonly to: PartyId;
    readonly round: number;
    readonly body: Uint8Array;
}
/** Changes what is delivered: other bytes, or undefined to withhold. */
export type Tamper = (m: InFlight) => Uint8Array | undefined;
/** Rewrites the decoded value of one round's messages that `when` picks. */
export declare function edit<M extends MessageField>(round: Round<M> | {
    readonly number: number;
    readonly message: M;
}, when: (m: InFlight) => boolean, change: (value: ValueOf<M>) => ValueOf<M>): Tamper;
/** A copy with bit `bit` flipped. */
export declare function flip(bytes: Uint8Array, bit?: number): Uint8Array;
export interface RunOptions {
    readonly tamper?: Tamper;
    /** Shuffles delivery; without it, first in first out. */
    readonly order?: Random;
    /** Signs an attestation; a run that attests without it stops there. */
    readonly attest?: (self: PartyId, hash: Uint8Array, pending: unknown) => Uint8Array;
    /** Sees every message as sent. */
    readonly watch?: (m: InFlight) => void;
}
export interface Outcome<T> {
    readonly sessions: ReadonlyMap<PartyId, Session<T>>;
    /** Errors by party. */
    readonly errors: ReadonlyMap<PartyId, ConclaveError>;
    readonly results: ReadonlyMap<PartyId, T>;
}
/** Drives one session per party in this process until nothing is left to deliver. Each party's secrets stay in its own session. */
export declare function runSessions<T>(sessions: ReadonlyMap<PartyId, Session<T>>, options?: RunOptions): Outcome<T>;
/** Deterministic randomness of one party in one test. */
export declare const partyRandom: (seed: string, j: PartyId) => Random;
