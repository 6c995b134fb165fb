import { type IdentityKey, type Random, systemRandom, toHex } from '@conclave/core'
import type { SigningUse } from './agent/protocol.ts'
import type { VaultCode } from './codes.ts'
import type { Hsm, WrappedKey } from './hsm.ts'
import { type Profile, type ProfileName, profileOf, profileOfRecord } from './profile.ts'
import { type SoftSigningKey, seedOf, softSigningKey } from './soft-signing-key.ts'
import { SOFT_WRAPS, type SoftKeys } from './soft-wraps.ts'
import { vaultError } from './vault-error.ts'

export interface MemoryDeviceOptions {
  readonly name: string
  readonly profile?: ProfileName
  readonly identityType?: IdentityKey['type']
  /** Default: that of the identity. */
  readonly checkpointType?: IdentityKey['type']
  /** Keys and IVs come from here; a seeded one makes the device a function of its seed. */
  readonly random?: Random
}

/**
 * A software HSM for tests and simulations: it outlives the vaults that are opened over it, as a token outlives a process.
 *
 * `fail` makes every operation throw that code until `heal`; `corruptNextWrap` and `corruptNextSignature` return wrong bytes once.
 */
export class MemoryDevice {
  readonly name: string
  readonly #profile: Profile
  readonly #random: Random
  readonly #serial: string
  readonly #keys: SoftKeys
  readonly #kekId: string
  readonly #signing: Readonly<Record<SigningUse, SoftSigningKey>>
  #fault: VaultCode | undefined
  #corruptWrap = false
  #corruptSignature = false
  /** Operations served or refused so far. */
  calls = 0

  constructor(options: MemoryDeviceOptions) {
    this.name = options.name
    this.#profile = profileOf(options.profile ?? 'gcm')
    this.#random = options.random ?? systemRandom
    this.#serial = toHex(this.#random.bytes(8))
    const kek = this.#random.bytes(32)
    this.#kekId = toHex(this.#random.bytes(16))
    const { identityType = 'ed25519', checkpointType = identityType } = options
    const seed = this.#random.bytes(32)
    this.#signing = {
      identity: softSigningKey(identityType, seed),
      checkpoint: softSigningKey(checkpointType, seedOf('checkpoint', seed)),
    }
    // Drawn only where it is used, so that a seed goes on meaning the same device.
    this.#keys = { kek, mac: this.#profile.name === 'cbc-hmac' ? this.#random.bytes(32) : new Uint8Array(32) }
  }

  fail(code: VaultCode): void {
    this.#fault = code
  }

  heal(): void {
    this.#fault = undefined
  }

  corruptNextWrap(): void {
    this.#corruptWrap = true
  }

  corruptNextSignature(): void {
    this.#corruptSignature = true
  }

  /** This device as one vault sees it. */
  connect(): Hsm {
    const serve = async <T>(act: () => T): Promise<T> => {
      this.calls++
      if (this.#fault !== undefined)
        throw vaultError(this.#fault, `hsm "${this.name}": fault injected (${this.#fault})`, { details: { hsm: this.name } })
      return act()
    }
    const description = {
      ...{ tokenSerial: this.#serial, kekId: this.#kekId, profile: this.#profile.name },
      ...{ identity: this.#signing.identity.key, checkpoint: this.#signing.checkpoint.key },
    }
    return {
      name: this.name,
      describe: () => serve(() => description),
      wrap: (aad, dek) => serve(() => this.#wrap(aad, dek)),
      unwrap: (aad, key) => serve(() => this.#unwrap(aad, key)),
      sign: (use, message) => serve(() => this.#sign(use, message)),
      random: (length) => serve(() => this.#random.bytes(length)),
      ping: () => serve(() => undefined),
      close: async () => undefined,
    }
  }

  #wrap(aad: Uint8Array, dek: Uint8Array): WrappedKey {
    const { id, name, mechanisms, ivBytes } = this.#profile
    const iv = this.#random.bytes(ivBytes[0]!)
    const wrapped = SOFT_WRAPS[name].wrap(this.#keys, iv, aad, dek)
    if (this.#corruptWrap) {
      // A wrap of another key, so that it unwraps without complaint.
      wrapped.set(SOFT_WRAPS[name].wrap(this.#keys, iv, aad, new Uint8Array(dek.length)))
      this.#corruptWrap = false
    }
    return { tokenSerial: this.#serial, kekId: this.#kekId, profile: id, mechanism: mechanisms[0]!, iv, wrapped }
  }

  #unwrap(aad: Uint8Array, key: WrappedKey): Uint8Array {
    if (key.tokenSerial !== this.#serial || key.kekId !== this.#kekId) throw vaultError('KEY_MISSING', `hsm "${this.name}" has no such KEK`)
    const profile = profileOfRecord(key.profile, key.mechanism)
    if (profile === undefined) throw vaultError('UNSUPPORTED', 'unknown wrap profile')
    const dek = SOFT_WRAPS[profile.name].unwrap(this.#keys, key.iv, aad, key.wrapped)
    if (dek === undefined) throw vaultError('TAMPER', 'the wrapped key is not authentic')
    return dek
  }

  #sign(use: SigningUse, message: Uint8Array): Uint8Array {
    const raw = this.#signing[use].sign(message)
    if (this.#corruptSignature) {
      raw[0]! ^= 1
      this.#corruptSignature = false
    }
    return raw
  }
}
