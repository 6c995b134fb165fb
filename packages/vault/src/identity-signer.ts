import { type IdentityKey, type IdentitySigner, parseIdentityKey, verifyIdentity } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Hsm } from './hsm.ts'
import { vaultError } from './vault-error.ts'

const RAW_SIGNATURE_BYTES = 64

/**
 * The public key in a CKA_EC_POINT: a DER OCTET STRING by the standard, the bare point on some vendors. Told apart by length,
 * which no two of the forms share.
 *
 * @throws {VaultError} UNSUPPORTED on any other form; {ConfigError} BAD_IDENTITY on a point that is not on the curve.
 */
export function parseEcPoint(type: IdentityKey['type'], value: Uint8Array): IdentityKey {
  const sizes = type === 'ed25519' ? [32] : [33, 65]
  const bare = sizes.includes(value.length - 2) && value[0] === 0x04 && value[1] === value.length - 2 ? value.slice(2) : value.slice()
  if (!sizes.includes(bare.length)) throw vaultError('UNSUPPORTED', `the token gave an ${type} point of ${value.length} bytes`)
  return parseIdentityKey(type, type === 'secp256k1' && bare.length === 65 ? secp256k1.Point.fromBytes(bare).toBytes(true) : bare)
}

/** r||s from a token as low-s DER: half of all tokens' signatures have the high s, which strict verifiers refuse. */
function toLowSDer(raw: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(raw, 'compact')
  const n = secp256k1.Point.Fn.ORDER
  return new secp256k1.Signature(r, s > n / 2n ? n - s : s).toBytes('der')
}

/**
 * Signs with the HSM that holds the identity.
 *
 * Each signature is verified before it is handed out: a faulty one can reveal an Ed25519 key, and a signature by another key
 * means that the token is not the one enrolled.
 */
export function identitySigner(hsm: Hsm, key: IdentityKey): IdentitySigner {
  return {
    key,
    async sign(message) {
      const raw = await hsm.sign(message)
      const signature = raw.length === RAW_SIGNATURE_BYTES ? (key.type === 'ed25519' ? raw : toLowSDer(raw)) : new Uint8Array(0)
      if (!verifyIdentity(key, message, signature)) {
        throw vaultError('TAMPER', `hsm "${hsm.name}" gave a signature that does not verify with the node identity`, {
          details: { hsm: hsm.name },
        })
      }
      return signature
    },
  }
}
