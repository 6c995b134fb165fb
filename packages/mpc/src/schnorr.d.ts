import type { Random } from '@conclave/core';
import type { SchnorrProof } from '@conclave/wire';
import { type Point, type Scalar } from './arithmetic.ts';
/** Proof of knowledge of `secret` for `secret * G`, bound to `context` (session, party, position). */
export declare function proveKnowledge(secret: Scalar, statement: Point, context: readonly Uint8Array[], random: Random): SchnorrProof;
/** Whether `proof` shows knowledge of the discrete logarithm of `statement` under exactly this context. */
export declare function verifyKnowledge(proof: SchnorrProof, statement: Point, context: readonly Uint8Array[]): boolean;
