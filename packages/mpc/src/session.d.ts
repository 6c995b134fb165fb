import { ConclaveError, type PartyId } from '@conclave/core';
import type { Attest, Outgoing, Protocol, Round } from './protocol.ts';
export interface SessionOptions<T> {
    readonly self: PartyId;
    readonly peers: readonly PartyId[];
    readonly rounds: readonly Round[];
    readonly protocol: Protocol<T>;
}
export type SessionState = 'idle' | 'running' | 'attesting' | 'done' | 'aborted';
/** Why a message was not taken. None of these aborts a run or blames anybody (section 6). */
export type DropReason = 'unknown-party' | 'unknown-round' | 'duplicate' | 'malformed' | 'not-running';
/**
 * One run of a protocol at one party, as a state machine without I/O.
 *
 * The inbox has one slot per peer and declared round, so it is bounded; the first well-formed message wins. `receive` never throws
 * on input: a failed check shows as `state === 'aborted'` and `error`.
 */
export declare class Session<T> {
    #private;
    readonly self: PartyId;
    readonly peers: readonly PartyId[];
    readonly dropped: Record<DropReason, number>;
    constructor({ self, peers, rounds, protocol }: SessionOptions<T>);
    get state(): SessionState;
    /** Peers whose message of the current round is missing. */
    get waitingFor(): readonly PartyId[];
    get round(): number | undefined;
    /** What to store and sign, while `state` is `attesting`. */
    get attest(): Attest | undefined;
    /** @throws the error of the run, or SESSION_UNFINISHED. */
    get result(): T;
    get error(): ConclaveError | undefined;
    start(): readonly Outgoing[];
    /** Takes one message of an authenticated peer; returns what is to be sent because of it. */
    receive(from: PartyId, round: number, body: Uint8Array): readonly Outgoing[];
    /** The node identity has signed `attest.hash` and `attest.pending` is on disk. */
    attested(signature: Uint8Array): readonly Outgoing[];
    /** Ends the run from outside; every `using` and `finally` of the protocol has run when this returns. */
    abort(error: ConclaveError): void;
}
