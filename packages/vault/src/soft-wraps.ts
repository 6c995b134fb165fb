import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { concat, equalBytes } from '@conclave/core'
import { DEK_BYTES, MAC_BYTES, type ProfileName } from './profile.ts'
import { wrapMacInput } from './wrap-mac.ts'

/** The two keys of a software HSM; only `cbc-hmac` uses the second. */
export interface SoftKeys {
  readonly kek: Uint8Array
  readonly mac: Uint8Array
}

/** A wrap profile in software, for the twin in memory and as the reference that tokens are compared with. */
export interface SoftWrap {
  wrap(keys: SoftKeys, iv: Uint8Array, aad: Uint8Array, dek: Uint8Array): Uint8Array
  /** Undefined when not authentic. */
  unwrap(keys: SoftKeys, iv: Uint8Array, aad: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined
}

const GCM_TAG_BYTES = 16

/** Undefined when the last step refuses, which is how OpenSSL says that something is not authentic. */
function authentic(decrypt: () => Uint8Array): Uint8Array | undefined {
  try {
    return decrypt()
  } catch {
    // Every other failure (a wrong length of key or IV) is excluded before by the record's parser.
    return undefined
  }
}

const GCM: SoftWrap = {
  wrap({ kek }, iv, aad, dek) {
    const cipher = createCipheriv('aes-256-gcm', kek, iv, { authTagLength: GCM_TAG_BYTES }).setAAD(aad)
    return concat(cipher.update(dek), cipher.final(), cipher.getAuthTag())
  },
  unwrap({ kek }, iv, aad, wrapped) {
    const split = wrapped.length - GCM_TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', kek, iv, { authTagLength: GCM_TAG_BYTES })
    decipher.setAAD(aad).setAuthTag(wrapped.subarray(split))
    return authentic(() => concat(decipher.update(wrapped.subarray(0, split)), decipher.final()))
  },
}

function wrapMac({ mac }: SoftKeys, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', mac)
      .update(wrapMacInput(aad, iv, ciphertext))
      .digest(),
  )
}

const CBC_HMAC: SoftWrap = {
  wrap(keys, iv, aad, dek) {
    const cipher = createCipheriv('aes-256-cbc', keys.kek, iv).setAutoPadding(false)
    const ciphertext = concat(cipher.update(dek), cipher.final())
    return concat(ciphertext, wrapMac(keys, iv, aad, ciphertext))
  },
  unwrap(keys, iv, aad, wrapped) {
    const ciphertext = wrapped.subarray(0, wrapped.length - MAC_BYTES)
    if (!equalBytes(wrapMac(keys, iv, aad, ciphertext), wrapped.subarray(ciphertext.length))) return undefined
    const decipher = createDecipheriv('aes-256-cbc', keys.kek, iv).setAutoPadding(false)
    return concat(decipher.update(ciphertext), decipher.final())
  },
}

/** RFC 3394 and RFC 5649: the IV is the integrity check, a constant of the standard. */
function keyWrap(cipherName: string, check: string): SoftWrap {
  const iv = Buffer.from(check, 'hex')
  return {
    wrap({ kek }, _, __, dek) {
      const cipher = createCipheriv(cipherName, kek, iv)
      return concat(cipher.update(dek), cipher.final())
    },
    unwrap({ kek }, _, __, wrapped) {
      const decipher = createDecipheriv(cipherName, kek, iv)
      const dek = authentic(() => concat(decipher.update(wrapped), decipher.final()))
      return dek?.length === DEK_BYTES ? dek : undefined
    },
  }
}

export const SOFT_WRAPS: Readonly<Record<ProfileName, SoftWrap>> = {
  gcm: GCM,
  'gcm-hsm-iv': GCM,
  'cbc-hmac': CBC_HMAC,
  kw: keyWrap('id-aes256-wrap', 'a6a6a6a6a6a6a6a6'),
  kwp: keyWrap('id-aes256-wrap-pad', 'a65959a6'),
}
