/** The maths of signing, section 5, between the messages; sign.ts is the script. */
import { type PartyId, type Random, type SecretScope } from '@conclave/core';
import type { SignOpen as Opening, SignCommit, SignPartial, SignVole, ValueOf } from '@conclave/wire';
import { type Point, type Scalar } from './arithmetic.ts';
import { type EcdsaSignature } from './ecdsa.ts';
import { type KeyShare } from './key.ts';
import { type BobExtension } from './ot-extension.ts';
import { type PairState } from './pair-state.ts';
import { type AliceVole, type BobVole } from './vole.ts';
/** What is signed and by whom: everything that `sid` binds beside the key. */
export interface SignRequest {
    /** 32 bytes. */
    readonly requestId: Uint8Array;
    /** Increasing; exactly `threshold` of them. */
    readonly signers: readonly PartyId[];
    /** 32 bytes, fixed before any nonce exists. */
    readonly digest: Uint8Array;
    /** BIP32 non-hardened. */
    readonly path: readonly number[];
    /** What the digest is, e.g. `evm.tx`. */
    readonly purpose: string;
    readonly attempt: number;
}
export interface SignContext {
    readonly clusterContext: Uint8Array;
    readonly share: KeyShare;
    readonly request: SignRequest;
    /** By peer of this quorum. */
    readonly pairs: ReadonlyMap<PartyId, PairState>;
    readonly random: Random;
}
/** `sid = T("sign", keyCtx, requestId, signerSet, digest, derivationPath, purpose, attempt)`; also the name of the session. */
export declare function signSid(clusterContext: Uint8Array, key: KeyShare['public'], r: SignRequest): Uint8Array;
export interface Secrets {
    readonly k: Scalar;
    readonly sk: Scalar;
    readonly phi: Scalar;
}
export interface Run {
    readonly ctx: SignContext;
    readonly self: PartyId;
    readonly peers: readonly PartyId[];
    readonly sid: Uint8Array;
    readonly publicKey: Uint8Array;
    readonly secrets: Secrets;
}
export declare function begin(ctx: SignContext): Run;
export declare const commitmentOf: (sid: Uint8Array, j: PartyId, o: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>) => Uint8Array;
/** Both multiplications with one peer: we are Alice in one and Bob in the other. */
export interface Product {
    readonly alice: AliceVole;
    readonly bob: BobVole;
}
/** Check 3.1 for every peer, then our side of the VOLE as Alice. */
export declare function voles(run: Run, commits: ReadonlyMap<PartyId, ValueOf<typeof SignCommit>>, scope: SecretScope): ReadonlyMap<PartyId, AliceVole>;
/** Check 4.1 for every peer. */
export declare function multiply(run: Run, bobs: ReadonlyMap<PartyId, BobExtension>, alices: ReadonlyMap<PartyId, AliceVole>, sent: ReadonlyMap<PartyId, ValueOf<typeof SignVole>>): ReadonlyMap<PartyId, Product>;
/** Round 3 to one peer: the opening, and what turns random products into products of our inputs. */
export declare function openTo({ k, sk, phi }: Secrets, { alice, bob }: Product, opening: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>, echo: Uint8Array): Opening;
export interface Checked {
    readonly nonce: Point;
    /** psi_{j->i} by peer. */
    readonly psi: ReadonlyMap<PartyId, Scalar>;
    /** d_u, d_v by peer. */
    readonly d: ReadonlyMap<PartyId, readonly [Scalar, Scalar]>;
}
/** Checks 5.2 to 5.6. */
export declare function checkOpenings(run: Run, products: ReadonlyMap<PartyId, Product>, messages: ReadonlyMap<PartyId, Opening>, commitments: ReadonlyMap<PartyId, Uint8Array>): Checked;
export interface Partial {
    readonly u: Scalar;
    readonly w: Scalar;
}
/** `u_i` and `w_i = e phi_i + r v_i`. */
export declare function partialOf(run: Run, nonce: Point, products: ReadonlyMap<PartyId, Product>, { psi, d }: Pick<Checked, 'psi' | 'd'>): Partial;
/** Check 5.7: nothing that does not verify leaves here. */
export declare function combine(run: Run, nonce: Point, mine: Partial, partials: ReadonlyMap<PartyId, ValueOf<typeof SignPartial>>): EcdsaSignature;
