import { ConfigError, type IdentityKey, type IdentitySigner, parseIdentityKey, verifyIdentity } from '@conclave/core'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { SigningUse } from './agent/protocol.ts'
import type { Hsm } from './hsm.ts'
import { vaultError } from './vault-error.ts'

const RAW_SIGNATURE_BYTES = 64
const ECDSA = { secp256k1, p256 } as const

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
  return parseIdentityKey(type, type !== 'ed25519' && bare.length === 65 ? compressed(type, bare) : bare)
}

function compressed(type: keyof typeof ECDSA, point: Uint8Array): Uint8Array {
  try {
    return ECDSA[type].Point.fromBytes(point).toBytes(true)
  } catch (cause) {
    throw new ConfigError('BAD_IDENTITY', `the token gave a ${type} point that is not on the curve`, {}, cause)
  }
}

/** r||s from a token as low-s DER: half of all tokens' signatures have the high s, which strict verifiers refuse. */
function toLowSDer(type: keyof typeof ECDSA, raw: Uint8Array): Uint8Array {
  const { Signature, Point } = ECDSA[type]
  const { r, s } = Signature.fromBytes(raw, 'compact')
  const n = Point.Fn.ORDER
  return new Signature(r, s > n / 2n ? n - s : s).toBytes('der')
}

/**
 * Signs with the key that one HSM holds for that use.
 *
 * Each signature is verified before it is handed out: a faulty one can reveal an Ed25519 key, and a signature by another key
 * means that the token is not the one enrolled.
 */
export function tokenSigner(hsm: Hsm, use: SigningUse, key: IdentityKey): IdentitySigner {
  return {
    key,
    async sign(message) {
      const raw = await hsm.sign(use, message)
      const signature = raw.length === RAW_SIGNATURE_BYTES ? (key.type === 'ed25519' ? raw : toLowSDer(key.type, raw)) : new Uint8Array(0)
      if (!verifyIdentity(key, message, signature)) {
        throw vaultError('TAMPER', `hsm "${hsm.name}" gave a signature that does not verify with its ${use} key`, {
          details: { hsm: hsm.name },
        })
      }
      return signature
    },
  }
}
