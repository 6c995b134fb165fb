// No imports here: shared with the agent process.

export type ProfileName = 'gcm'

/**
 * One way of wrapping a data key inside an HSM. `id` and `mechanism` are stored in every record, so neither may ever change its
 * meaning. A new profile is a row here, an implementation in agent/wrap.ts and one in memory-hsm.ts; the types demand all three.
 */
export interface Profile {
  readonly id: number
  readonly name: ProfileName
  /** PKCS#11 mechanism number. */
  readonly mechanism: number
  readonly ivBytes: number
  /** Length of a wrapped 32-byte data key. */
  readonly wrappedBytes: number
}

export const DEK_BYTES = 32

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  // CKM_AES_GCM with our own random IV, AAD and a 16-byte tag.
  gcm: { id: 1, name: 'gcm', mechanism: 0x1087, ivBytes: 12, wrappedBytes: DEK_BYTES + 16 },
}

export const DEFAULT_PROFILE: ProfileName = 'gcm'

export function profileOf(name: ProfileName): Profile {
  return PROFILES[name]
}

export function findProfile(nameOrId: string | number): Profile | undefined {
  return Object.values(PROFILES).find((p) => p.name === nameOrId || p.id === nameOrId)
}
