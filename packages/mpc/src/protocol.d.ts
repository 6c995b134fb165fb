import { type PartyId } from '@conclave/core';
import { type MessageField, type ValueOf } from '@conclave/wire';
/** One round of a protocol. `broadcast`: the same bytes to every peer. */
export interface Round<M extends MessageField = MessageField> {
    readonly number: number;
    readonly kind: 'broadcast' | 'p2p';
    readonly message: M;
}
export interface Outgoing {
    readonly round: number;
    readonly to: PartyId | 'all';
    readonly body: Uint8Array;
}
/** What must be stored durably before `hash` is signed with the node identity and anything else is sent. */
export interface Attest {
    readonly hash: Uint8Array;
    readonly pending: unknown;
}
/** What a protocol asks of whoever drives it. */
export type Effect = {
    readonly send: Outgoing;
} | {
    readonly collect: number;
} | {
    readonly attest: Attest;
};
/** Bodies by peer; after `attest`, the own signature under the own index. */
export type Received = ReadonlyMap<PartyId, Uint8Array>;
/** A pure function of its inputs, its seed and the order of delivery; it cannot await. */
export type Protocol<T> = Generator<Effect, T, Received>;
/** Sends one message. */
export declare function send<M extends MessageField>(round: Round<M>, to: PartyId | 'all', value: ValueOf<M>): Protocol<void>;
export interface Messages<M extends MessageField> {
    /** Decoded, by peer. */
    readonly values: ReadonlyMap<PartyId, ValueOf<M>>;
    /** The exact bytes, by peer. */
    readonly bodies: Received;
}
/** Waits for the round's message of every peer. The session has refused malformed bodies before they get here. */
export declare function collect<M extends MessageField>(round: Round<M>): Protocol<Messages<M>>;
/** Digest of what each party said in a round, own message included: equal at all parties exactly when all saw the same. */
export declare function echoHash(label: string, sid: Uint8Array, said: ReadonlyMap<PartyId, Uint8Array>): Uint8Array;
/** `map.get(j)` where the session guarantees an entry. */
export declare function of<V>(map: ReadonlyMap<PartyId, V>, j: PartyId): V;
