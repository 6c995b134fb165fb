import { type PartyId } from '@conclave/core';
import { type DkgResult } from '../dkg.ts';
import type { EcdsaSignature } from '../ecdsa.ts';
import type { Identities, KeyShare } from '../key.ts';
import type { PairState } from '../pair-state.ts';
import type { SignRequest } from '../sign-maths.ts';
import { type Outcome, type RunOptions } from './run.ts';
export declare const CLUSTER_CONTEXT: Uint8Array<ArrayBufferLike>;
export declare const identities: (parties: readonly PartyId[]) => Identities;
export declare const attestAs: (j: PartyId, hash: Uint8Array) => Uint8Array;
export interface DkgRun extends Outcome<DkgResult> {
    /** What each party would have stored before attesting. */
    readonly shares: ReadonlyMap<PartyId, KeyShare>;
}
export declare function runDkg(parties: readonly PartyId[], threshold: number, seed: string, options?: RunOptions): DkgRun;
export declare function runPair(a: PartyId, b: PartyId, seed: string, options?: RunOptions): Outcome<PairState>;
/** Shares of one key and the pair states among `quorum`, each in its party's own hands. */
export interface TestCluster {
    readonly shares: ReadonlyMap<PartyId, KeyShare>;
    /** pairs.get(i).get(j): what i holds about j. */
    readonly pairs: ReadonlyMap<PartyId, ReadonlyMap<PartyId, PairState>>;
}
export declare function makeCluster(parties: readonly PartyId[], threshold: number, seed: string, paired?: readonly PartyId[]): TestCluster;
export declare const testRequest: (signers: readonly PartyId[], change?: Partial<SignRequest>) => SignRequest;
export declare function runSign(cluster: TestCluster, request: SignRequest, seed: string, options?: RunOptions & {
    readonly requests?: ReadonlyMap<PartyId, SignRequest>;
}): Outcome<EcdsaSignature>;
