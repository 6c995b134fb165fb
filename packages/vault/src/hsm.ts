import type { IdentityKey } from '@conclave/core'
import type { SigningUse } from './agent/protocol.ts'
import type { TokenProbe } from './probe-report.ts'
import type { ProfileName } from './profile.ts'

/** A key encryption key of one token. The newest generation seals; older ones only open. */
export interface Kek {
  /** From 1; a rotation makes the next. */
  readonly generation: number
  /** CKA_ID, hex. */
  readonly id: string
}

/** What a token says of its KEKs; nothing in it is secret. */
export interface KekReport {
  /** Token label. */
  readonly token: string
  readonly tokenSerial: string
  /** By generation, the oldest first; the last one seals. Several only while a rotation is not complete. */
  readonly keks: readonly Kek[]
  /** How it wraps data keys. */
  readonly profile: ProfileName
  /** PKCS#11 mechanism number of that. */
  readonly mechanism: number
  /** Whether a key that must not leave the token was in fact kept in. */
  readonly extractability: TokenProbe['extractability']
}

/** A data key wrapped by one KEK of one token. */
export interface WrappedKey {
  readonly tokenSerial: string
  /** CKA_ID of the KEK, hex. */
  readonly kekId: string
  /** Of the KEK: what tells a record of a destroyed one from a record of another token. */
  readonly kekGeneration: number
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
  readonly kekGeneration: number
  /** How it wraps data keys. */
  readonly profile: ProfileName
  /** Undefined when this token holds no identity key. */
  readonly identity: IdentityKey | undefined
  /** Undefined when it holds no checkpoint key. */
  readonly checkpoint: IdentityKey | undefined
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
  /** @throws {VaultError} TAMPER, KEY_MISSING, KEK_DESTROYED */
  unwrap(aad: Uint8Array, key: WrappedKey): Promise<Uint8Array>
  /** As the token makes it: Ed25519 over the message, or secp256k1 or P-256 r||s over its SHA-256. 64 bytes. */
  sign(use: SigningUse, message: Uint8Array): Promise<Uint8Array>
  random(length: number): Promise<Uint8Array>
  /** Proves that the KEK works, by a round trip. */
  ping(): Promise<void>
  /** Where a person may bring its PIN, if that is how it gets one. */
  readonly pinSocket?: string | undefined
  /** A person has seen to it: forgets refusals that were kept so as not to try again, e.g. of a PIN. */
  forgive?(): Promise<void>
  /** @throws {VaultError} KEY_MISSING when it holds none. */
  keks(): Promise<KekReport>
  /**
   * Makes the KEK of a generation, which seals from then on; one that is there already is left as it is.
   *
   * @throws {VaultError} KEY_MISSING on a token without any KEK, which is nothing to be repaired by making one; UNSUPPORTED.
   */
  makeKek(generation: number): Promise<void>
  /** Destroys exactly this KEK; one that is gone already is success. */
  destroyKek(kek: Kek): Promise<void>
  close(): Promise<void>
}
