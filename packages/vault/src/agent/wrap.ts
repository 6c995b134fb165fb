import { randomBytes, timingSafeEqual } from 'node:crypto'
import pkcs11, { type Handle, type Mechanism, type Template } from 'pkcs11js'
import { DEK_BYTES, MAC_BYTES, type Profile, type ProfileName, profileOf } from '../profile.ts'
import { wrapMacInput } from '../wrap-mac.ts'
import { buffer, type Session } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import { CKM_SHA256_HMAC } from './objects.ts'

export interface Wrapped {
  readonly iv: Uint8Array
  readonly wrapped: Uint8Array
}

/** A KEK as one session uses it. */
export interface WrapKey {
  readonly session: Session
  readonly kek: Handle
  /** Its HMAC key, if there is one: only `cbc-hmac` needs it. */
  readonly mac: Handle | undefined
}

/** A profile with one of its mechanisms. */
export interface Choice {
  readonly profile: Profile
  readonly mechanism: number
}

/** How a profile wraps and unwraps a data key inside the token. */
interface TokenWrap {
  wrap(key: WrapKey, mechanism: number, aad: Uint8Array, dek: Uint8Array): Wrapped
  unwrap(key: WrapKey, mechanism: number, aad: Uint8Array, wrapped: Wrapped): Uint8Array
}

const GCM_TAG_BITS = 128

export function gcmMechanism(mechanism: number, iv: Uint8Array, aad: Uint8Array): Mechanism {
  // SoftHSM takes an empty IV for sixteen zero bytes, so that all ciphertexts share one.
  if (iv.length < 12) throw new AgentFault('UNSUPPORTED', `AES-GCM needs an IV of 12 bytes or more, got ${iv.length}`)
  const parameter = { type: pkcs11.CK_PARAMS_GCM, iv: buffer(iv), ivBits: iv.length * 8, aad: buffer(aad), tagBits: GCM_TAG_BITS }
  return { mechanism, parameter }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((b) => b === 0)
}

function macOf({ session, mac }: WrapKey, aad: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (mac === undefined) throw new AgentFault('UNSUPPORTED', 'the token holds no HMAC key for this KEK')
  const out = session.sign(CKM_SHA256_HMAC, mac, wrapMacInput(aad, iv, ciphertext))
  if (out.length !== MAC_BYTES) throw new AgentFault('UNSUPPORTED', `the token gave an HMAC of ${out.length} bytes`)
  return out
}

/** A data key as a session object that may be wrapped and read, which is what C_WrapKey and C_UnwrapKey deal in. */
const DATA_KEY: Template = [
  { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
  { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
  { type: pkcs11.CKA_TOKEN, value: false },
  { type: pkcs11.CKA_SENSITIVE, value: false },
  { type: pkcs11.CKA_EXTRACTABLE, value: true },
]

const KEY_WRAP: TokenWrap = {
  wrap({ session, kek }, mechanism, _, dek) {
    const object = session.createObject([...DATA_KEY, { type: pkcs11.CKA_VALUE, value: buffer(dek) }])
    const wrapped = session.wrapKey({ mechanism }, kek, object)
    session.destroyObject(object)
    return { iv: new Uint8Array(0), wrapped }
  },
  unwrap({ session, kek }, mechanism, _, { wrapped }) {
    const object = session.unwrapKey({ mechanism }, kek, wrapped, DATA_KEY)
    const value = session.attribute(object, pkcs11.CKA_VALUE)
    session.destroyObject(object)
    const dek = new Uint8Array(value)
    value.fill(0)
    return dek
  },
}

const TOKEN_WRAPS: Readonly<Record<ProfileName, TokenWrap>> = {
  gcm: {
    wrap({ session, kek }, mechanism, aad, dek) {
      const iv = new Uint8Array(randomBytes(profileOf('gcm').ivBytes[0]!))
      const given = iv.slice()
      const wrapped = session.encrypt(gcmMechanism(mechanism, given, aad), kek, dek)
      // It is written to by a token that makes its own.
      if (!buffer(iv).equals(given)) throw new AgentFault('UNSUPPORTED', 'the token puts an IV of its own in the place of ours')
      return { iv, wrapped }
    },
    unwrap: ({ session, kek }, mechanism, aad, { iv, wrapped }) => session.decrypt(gcmMechanism(mechanism, iv, aad), kek, wrapped),
  },
  'gcm-hsm-iv': {
    wrap({ session, kek }, mechanism, aad, dek) {
      const { ivBytes, wrappedBytes } = profileOf('gcm-hsm-iv')
      const [short, long] = ivBytes as [number, number]
      const iv = new Uint8Array(short)
      const out = session.encrypt(gcmMechanism(mechanism, iv, aad), kek, dek)
      const made =
        out.length === wrappedBytes + long ? { iv: out.slice(wrappedBytes), wrapped: out.slice(0, wrappedBytes) } : { iv, wrapped: out }
      if (isZero(made.iv)) throw new AgentFault('UNSUPPORTED', 'the token makes no IV of its own')
      return made
    },
    unwrap: ({ session, kek }, mechanism, aad, { iv, wrapped }) => session.decrypt(gcmMechanism(mechanism, iv, aad), kek, wrapped),
  },
  'cbc-hmac': {
    wrap(key, mechanism, aad, dek) {
      const iv = new Uint8Array(randomBytes(profileOf('cbc-hmac').ivBytes[0]!))
      const ciphertext = key.session.encrypt({ mechanism, parameter: buffer(iv) }, key.kek, dek)
      return { iv, wrapped: new Uint8Array(Buffer.concat([ciphertext, macOf(key, aad, iv, ciphertext)])) }
    },
    unwrap(key, mechanism, aad, { iv, wrapped }) {
      const ciphertext = wrapped.subarray(0, DEK_BYTES)
      // Before anything is decrypted: CBC without it is an oracle.
      if (!timingSafeEqual(macOf(key, aad, iv, ciphertext), wrapped.subarray(DEK_BYTES)))
        throw new AgentFault('TAMPER', 'the wrapped key is not authentic')
      return key.session.decrypt({ mechanism, parameter: buffer(iv) }, key.kek, ciphertext)
    },
  },
  kwp: KEY_WRAP,
  kw: KEY_WRAP,
}

/**
 * Wraps a data key.
 *
 * @throws {AgentFault} UNSUPPORTED when the result does not have the form of the profile; {CryptokiError}
 */
export function wrapDek(key: WrapKey, { profile, mechanism }: Choice, aad: Uint8Array, dek: Uint8Array): Wrapped {
  const made = TOKEN_WRAPS[profile.name].wrap(key, mechanism, aad, dek)
  if (made.wrapped.length !== profile.wrappedBytes)
    throw new AgentFault(
      'UNSUPPORTED',
      `the token wraps ${dek.length} bytes into ${made.wrapped.length}, not ${profile.wrappedBytes}: another algorithm`,
    )
  return made
}

/** @throws {AgentFault} TAMPER; {CryptokiError} */
export function unwrapDek(key: WrapKey, { profile, mechanism }: Choice, aad: Uint8Array, { iv, wrapped }: Wrapped): Uint8Array {
  // Lengths come from another process; a token is given only what its profile can have made.
  if (!profile.ivBytes.includes(iv.length) || wrapped.length !== profile.wrappedBytes)
    throw new AgentFault('UNSUPPORTED', `not a wrapped key of the profile "${profile.name}"`)
  const dek = TOKEN_WRAPS[profile.name].unwrap(key, mechanism, aad, { iv, wrapped })
  if (dek.length !== DEK_BYTES) throw new AgentFault('TAMPER', 'the wrapped key has a wrong length')
  return dek
}
