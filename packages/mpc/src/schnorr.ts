import { type Random, SecretScope } from '@conclave/core'
import type { SchnorrProof } from '@conclave/wire'
import { addScalars, hashToScalar, mulScalars, negate, randomScalar, type Scalar, scalarFromBytes } from './arithmetic.ts'
import { combinePublic, equalPoints, mulBase, type Point, pointFromBytes, pointToBytes } from './points.ts'

const challenge = (context: readonly Uint8Array[], statement: Uint8Array, nonce: Uint8Array): Scalar =>
  hashToScalar('schnorr', ...context, statement, nonce)

/** Proof of knowledge of `secret` for `secret * G`, bound to `context` (session, party, position). */
export function proveKnowledge(secret: Scalar, statement: Point, context: readonly Uint8Array[], random: Random): SchnorrProof {
  using scope = new SecretScope()
  const r = scope.own(randomScalar(random))
  const nonce = pointToBytes(mulBase(r))
  const e = challenge(context, pointToBytes(statement), nonce)
  return { nonce, response: addScalars(r, scope.own(mulScalars(e, secret))) }
}

/** Whether `proof` shows knowledge of the discrete logarithm of `statement` under exactly this context. */
export function verifyKnowledge(proof: SchnorrProof, statement: Point, context: readonly Uint8Array[]): boolean {
  const nonce = pointFromBytes(proof.nonce)
  const response = scalarFromBytes(proof.response)
  if (nonce === undefined || response === undefined) return false
  const e = challenge(context, pointToBytes(statement), proof.nonce)
  return equalPoints(combinePublic(response, statement, negate(e)), nonce)
}
