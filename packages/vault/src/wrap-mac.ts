import { profileOf } from './profile.ts'

// Shared with the agent process, so without imports of other packages.

const TAG = 'conclave-wrap-mac-v1'

function length32(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(bytes.length)
  return out
}

/** What the HMAC of `cbc-hmac` covers: tag, mechanism, context, IV and ciphertext, each with its length, so that no two share an encoding. */
export function wrapMacInput(aad: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const mechanism = Buffer.alloc(4)
  mechanism.writeUInt32BE(profileOf('cbc-hmac').mechanisms[0]!)
  return Buffer.concat([Buffer.from(TAG), mechanism, ...[aad, iv, ciphertext].flatMap((part) => [length32(part), part])])
}
