import { type IdentityKey, type Random, systemRandom, toHex } from '@conclave/core'
import type { SigningUse } from './agent/protocol.ts'
import type { VaultCode } from './codes.ts'
import type { Hsm, Kek, KekReport, WrappedKey } from './hsm.ts'
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

interface SoftKek extends Kek {
  readonly keys: SoftKeys
}

/**
 * A software HSM for tests and simulations: it outlives the vaults that are opened over it, as a token outlives a process.
 *
 * `fail` makes every operation throw that code until `heal`; `corruptNextWrap` and `corruptNextSignature` return wrong bytes once;
 * `stickRandom` makes its generator give the same bytes again and again.
 */
export class MemoryDevice {
  readonly name: string
  readonly #profile: Profile
  readonly #random: Random
  readonly #serial: string
  /** By generation, the oldest first; the last one seals. */
  readonly #keks: SoftKek[]
  readonly #signing: Readonly<Record<SigningUse, SoftSigningKey>>
  #fault: VaultCode | undefined
  #stuck: Uint8Array | undefined
  #corruptWrap = false
  #corruptSignature = false
  /** Operations served or refused so far. */
  calls = 0

  constructor(options: MemoryDeviceOptions) {
    this.name = options.name
    this.#profile = profileOf(options.profile ?? 'gcm')
    this.#random = options.random ?? systemRandom
    this.#serial = toHex(this.#random.bytes(8))
    const [kek, id] = [this.#random.bytes(32), toHex(this.#random.bytes(16))]
    const { identityType = 'ed25519', checkpointType = identityType } = options
    const seed = this.#random.bytes(32)
    this.#signing = {
      identity: softSigningKey(identityType, seed),
      checkpoint: softSigningKey(checkpointType, seedOf('checkpoint', seed)),
    }
    this.#keks = [{ generation: 1, id, keys: this.#keysOf(kek) }]
  }

  fail(code: VaultCode): void {
    this.#fault = code
  }

  heal(): void {
    this.#fault = undefined
  }

  /** @param block - given over and over; undefined: the generator works. */
  stickRandom(block: Uint8Array | undefined): void {
    this.#stuck = block
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
    const keys = { identity: this.#signing.identity.key, checkpoint: this.#signing.checkpoint.key }
    return {
      name: this.name,
      describe: () =>
        serve(() => {
          const { id, generation } = this.#sealing()
          return { tokenSerial: this.#serial, kekId: id, kekGeneration: generation, profile: this.#profile.name, ...keys }
        }),
      wrap: (aad, dek) => serve(() => this.#wrap(aad, dek)),
      unwrap: (aad, key) => serve(() => this.#unwrap(aad, key)),
      sign: (use, message) => serve(() => this.#sign(use, message)),
      random: (length) => serve(() => this.#stuck?.slice() ?? this.#random.bytes(length)),
      ping: () => serve(() => undefined),
      keks: () => serve(() => this.#report()),
      makeKek: (generation) => serve(() => this.#makeKek(generation)),
      destroyKek: (kek) => serve(() => this.#destroyKek(kek)),
      close: async () => undefined,
    }
  }

  /** The second key is drawn only where it is used, so that a seed goes on meaning the same device. */
  #keysOf(kek: Uint8Array): SoftKeys {
    return { kek, mac: this.#profile.name === 'cbc-hmac' ? this.#random.bytes(32) : new Uint8Array(32) }
  }

  #sealing(): SoftKek {
    const newest = this.#keks.at(-1)
    if (newest === undefined) throw vaultError('KEY_MISSING', `hsm "${this.name}" holds no KEK`)
    return newest
  }

  #report(): KekReport {
    this.#sealing()
    const keks = this.#keks.map(({ generation, id }) => ({ generation, id }))
    const { name: profile, mechanisms } = this.#profile
    return { token: this.name, tokenSerial: this.#serial, keks, profile, mechanism: mechanisms[0]!, extractability: 'not-testable' }
  }

  #makeKek(generation: number): void {
    const newest = this.#sealing().generation
    if (newest > generation) throw vaultError('UNSUPPORTED', `hsm "${this.name}" holds KEK generation ${newest} already`)
    if (newest === generation) return
    const [kek, id] = [this.#random.bytes(32), toHex(this.#random.bytes(16))]
    this.#keks.push({ generation, id, keys: this.#keysOf(kek) })
  }

  #destroyKek({ id, generation }: Kek): void {
    const at = this.#keks.findIndex((k) => k.id === id && k.generation === generation)
    if (at < 0) return
    const [{ keys }] = this.#keks.splice(at, 1) as [SoftKek]
    keys.kek.fill(0)
    keys.mac.fill(0)
  }

  #wrap(aad: Uint8Array, dek: Uint8Array): WrappedKey {
    const { id, name, mechanisms, ivBytes } = this.#profile
    const iv = this.#random.bytes(ivBytes[0]!)
    const { id: kekId, generation: kekGeneration, keys } = this.#sealing()
    const wrapped = SOFT_WRAPS[name].wrap(keys, iv, aad, dek)
    if (this.#corruptWrap) {
      // A wrap of another key, so that it unwraps without complaint.
      wrapped.set(SOFT_WRAPS[name].wrap(keys, iv, aad, new Uint8Array(dek.length)))
      this.#corruptWrap = false
    }
    return { tokenSerial: this.#serial, kekId, kekGeneration, profile: id, mechanism: mechanisms[0]!, iv, wrapped }
  }

  #unwrap(aad: Uint8Array, key: WrappedKey): Uint8Array {
    if (key.tokenSerial !== this.#serial) throw vaultError('KEY_MISSING', `hsm "${this.name}" is another token`)
    const kek = this.#keks.find((k) => k.id === key.kekId)
    if (kek === undefined && this.#sealing().generation > key.kekGeneration)
      throw vaultError('KEK_DESTROYED', `hsm "${this.name}" has destroyed KEK generation ${key.kekGeneration}`)
    if (kek === undefined) throw vaultError('KEY_MISSING', `hsm "${this.name}" has no such KEK`)
    const profile = profileOfRecord(key.profile, key.mechanism)
    if (profile === undefined) throw vaultError('UNSUPPORTED', 'unknown wrap profile')
    const dek = SOFT_WRAPS[profile.name].unwrap(kek.keys, key.iv, aad, key.wrapped)
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
