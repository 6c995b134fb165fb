import { createHash, createPublicKey, verify } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { EcdsaSignature } from '../ecdsa.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** Node's own verifier (OpenSSL), over the message whose SHA-256 was signed. */
export function opensslVerifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { x, y } = secp256k1.Point.fromBytes(publicKey).toAffine()
  const part = (v: bigint) => Buffer.from(v.toString(16).padStart(64, '0'), 'hex').toString('base64url')
  const key = createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x: part(x), y: part(y) }, format: 'jwk' })
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** The key that the signature and its recovery id point at. */
export function recovered(digest: Uint8Array, { signature, recovery }: EcdsaSignature): Uint8Array {
  return secp256k1.recoverPublicKey(Uint8Array.from([recovery, ...signature]), digest, { prehash: false })
}

/** Two independent verifiers accept, s is low, and the recovery id gives back the key. */
export function expectSignature(publicKey: Uint8Array, message: Uint8Array, made: EcdsaSignature | undefined): void {
  expect(made).not.to.equal(undefined)
  const { signature } = made as EcdsaSignature
  expect(signature).to.have.length(64)
  expect(secp256k1.verify(signature, sha256(message), publicKey, { prehash: false, lowS: true })).to.equal(true)
  expect(opensslVerifies(publicKey, message, signature)).to.equal(true)
  expect(secp256k1.Signature.fromBytes(signature).hasHighS()).to.equal(false)
  expect(recovered(sha256(message), made as EcdsaSignature)).to.deep.equal(publicKey)
}
