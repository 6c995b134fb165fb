/**
 * Stands in for packages/core/src/ed25519.ts and, in the memory HSM, for `@noble/curves/ed25519.js` in simulations: anybody who knows the public key could sign, and no simulated adversary
 * does. The signature depends on key and message, so everything that is bound to the wrong one of them still fails.
 */
import { createHash } from 'node:crypto'

const digest = (label: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const state = createHash('sha512').update(label)
  for (const p of parts) state.update(p)
  return Uint8Array.from(state.digest())
}

const getPublicKey = (secret: Uint8Array): Uint8Array => digest('model-key', secret).subarray(0, 32)
const signature = (publicKey: Uint8Array, message: Uint8Array): Uint8Array => digest('model-signature', publicKey, message)

export const isEd25519Key = (publicKey: Uint8Array): boolean => publicKey.length === 32
export const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, given: Uint8Array): boolean =>
  Buffer.compare(given, signature(publicKey, message)) === 0

export const ed25519 = {
  getPublicKey,
  sign: (message: Uint8Array, secret: Uint8Array): Uint8Array => signature(getPublicKey(secret), message),
}
