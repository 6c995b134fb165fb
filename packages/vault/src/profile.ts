// No imports here: shared with the agent process.

export const PROFILE_NAMES = ['gcm', 'gcm-hsm-iv', 'cbc-hmac', 'kwp', 'kw'] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

/**
 * One way of wrapping a data key inside an HSM. `id` and the mechanism are stored in every record, so neither may ever change its
 * meaning. A new profile is a row here, an implementation in agent/wrap.ts and one in soft-wraps.ts; the types demand all three.
 */
export interface Profile {
  readonly id: number
  readonly name: ProfileName
  /** PKCS#11 mechanism numbers that give this profile, the one to try first in front. */
  readonly mechanisms: readonly number[]
  /** Lengths that its IV can have. */
  readonly ivBytes: readonly number[]
  /** Length of a wrapped 32-byte data key. */
  readonly wrappedBytes: number
  /** The wrap itself authenticates the context. Where it does not, the keys of header and body still do: they are derived from it. */
  readonly bindsAad: boolean
  /** What the KEK must be allowed to do. */
  readonly kekUse: 'encrypt' | 'wrap'
}

export const DEK_BYTES = 32
export const MAC_BYTES = 32
const TAG_BYTES = 16
/** RFC 3394 and RFC 5649 alike. */
const KEY_WRAP_BYTES = 8

/**
 * In order of preference: those that bind the context inside the HSM come first, of these the ones with one key before the one with
 * two; the key wraps come last, because their KEK can wrap other keys of its token, too.
 */
export const PROFILES: readonly Profile[] = [
  // CKM_AES_GCM with our own random IV, AAD and a 16-byte tag.
  { id: 1, name: 'gcm', mechanisms: [0x1087], ivBytes: [12], wrappedBytes: DEK_BYTES + TAG_BYTES, bindsAad: true, kekUse: 'encrypt' },
  // The same with an IV that the HSM makes: 12 bytes written back into the parameter, or 16 appended to the ciphertext.
  {
    id: 2,
    name: 'gcm-hsm-iv',
    mechanisms: [0x1087],
    ivBytes: [12, 16],
    wrappedBytes: DEK_BYTES + TAG_BYTES,
    bindsAad: true,
    kekUse: 'encrypt',
  },
  // CKM_AES_CBC without padding, then HMAC-SHA256 (CKM_SHA256_HMAC) under a second key over context, IV and ciphertext.
  { id: 3, name: 'cbc-hmac', mechanisms: [0x1082], ivBytes: [16], wrappedBytes: DEK_BYTES + MAC_BYTES, bindsAad: true, kekUse: 'encrypt' },
  // RFC 5649: CKM_AES_KEY_WRAP_KWP, or what most modules do as CKM_AES_KEY_WRAP_PAD. NSS does PKCS#7 and RFC 3394 under the latter
  // number, in 48 bytes; that one is not a profile.
  {
    id: 5,
    name: 'kwp',
    mechanisms: [0x210b, 0x210a],
    ivBytes: [0],
    wrappedBytes: DEK_BYTES + KEY_WRAP_BYTES,
    bindsAad: false,
    kekUse: 'wrap',
  },
  // RFC 3394: CKM_AES_KEY_WRAP with its default IV.
  { id: 4, name: 'kw', mechanisms: [0x2109], ivBytes: [0], wrappedBytes: DEK_BYTES + KEY_WRAP_BYTES, bindsAad: false, kekUse: 'wrap' },
]

export function profileOf(name: ProfileName): Profile {
  // Every name is in the table, by its test.
  return PROFILES.find((p) => p.name === name)!
}

/** The profile of a name that comes from settings. */
export function findProfile(name: string): Profile | undefined {
  return PROFILES.find((p) => p.name === name)
}

/** The profile of a record; undefined when this release does not know the pair. */
export function profileOfRecord(id: number, mechanism: number): Profile | undefined {
  return PROFILES.find((p) => p.id === id && p.mechanisms.includes(mechanism))
}
