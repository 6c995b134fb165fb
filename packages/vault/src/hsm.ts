import type { IdentityKey } from '@conclave/core'
import type { ProfileName } from './profile.ts'

/** A data key wrapped by one KEK of one token. */
export interface WrappedKey {
  readonly tokenSerial: string
  /** CKA_ID of the KEK, hex. */
  readonly kekId: string
  /** Profile id. */
  readonly profile: number
  /** PKCS#11 mechanism number. */
  readonly mechanism: number
  readonly iv: Uint8Array
  readonly wrapped: Uint8Array
}

export interface HsmDescription {
  readonly tokenSerial: string
  /** The KEK that seals, hex. */
  readonly kekId: string
  /** How it wraps data keys. */
  readonly profile: ProfileName
  /** Undefined when this token holds no identity key. */
  readonly identity: IdentityKey | undefined
}

/**
 * What is to be expected of an HSM now. `doubtful`: it has failed, and is worth asking where no other can answer; `away`: asking it would
 * only cost time, and it refuses at once.
 */
export type Standing = 'up' | 'doubtful' | 'away'

/** One HSM as the vault sees it. Every method throws {VaultError}; which codes mean "ask another HSM" is in codes.ts. */
export interface Hsm {
  readonly name: string
  /** Undefined: nobody watches it. */
  readonly standing?: Standing
  /** Answered from memory after the first success: a token that changes its serial is another token. */
  describe(): Promise<HsmDescription>
  wrap(aad: Uint8Array, dek: Uint8Array): Promise<WrappedKey>
  /** @throws {VaultError} TAMPER, KEY_MISSING */
  unwrap(aad: Uint8Array, key: WrappedKey): Promise<Uint8Array>
  /** As the token makes it: Ed25519 over the message, or secp256k1 r||s over its SHA-256. 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>
  random(length: number): Promise<Uint8Array>
  /** Proves that the KEK works, by a round trip. */
  ping(): Promise<void>
  /** Where a person may bring its PIN, if that is how it gets one. */
  readonly pinSocket?: string | undefined
  /** A person has seen to it: forgets refusals that were kept so as not to try again, e.g. of a PIN. */
  forgive?(): Promise<void>
  close(): Promise<void>
}
