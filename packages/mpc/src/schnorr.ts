import type { Random } from '@conclave/core'
import type { SchnorrProof } from '@conclave/wire'
import {
  addScalars,
  hashToScalar,
  mulBase,
  mulPublic,
  mulScalars,
  type Point,
  pointFromBytes,
  pointToBytes,
  randomScalar,
  type Scalar,
  scalarFromBytes,
  scalarToBytes,
} from './arithmetic.ts'

const challenge = (context: readonly Uint8Array[], statement: Uint8Array, nonce: Uint8Array): Scalar =>
  hashToScalar('schnorr', ...context, statement, nonce)

/** Proof of knowledge of `secret` for `secret * G`, bound to `context` (session, party, position). */
export function proveKnowledge(secret: Scalar, statement: Point, context: readonly Uint8Array[], random: Random): SchnorrProof {
  const r = randomScalar(random)
  const nonce = pointToBytes(mulBase(r))
  const e = challenge(context, pointToBytes(statement), nonce)
  return { nonce, response: scalarToBytes(addScalars(r, mulScalars(e, secret))) }
}

/** Whether `proof` shows knowledge of the discrete logarithm of `statement` under exactly this context. */
export function verifyKnowledge(proof: SchnorrProof, statement: Point, context: readonly Uint8Array[]): boolean {
  const nonce = pointFromBytes(proof.nonce)
  const response = scalarFromBytes(proof.response)
  if (nonce === undefined || response === undefined) return false
  const e = challenge(context, pointToBytes(statement), proof.nonce)
  return mulBase(response).equals(nonce.add(mulPublic(statement, e)))
}
