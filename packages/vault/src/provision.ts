import { type IdentityKey, utf8 } from '@conclave/core'
import type { ProvisionBody, WantedKey } from './agent/protocol.ts'
import type { HsmDescription } from './hsm.ts'
import { tokenSigner } from './identity-signer.ts'
import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import type { TokenProbe } from './probe-report.ts'
import type { ProfileName } from './profile.ts'
import { checkHsmSettings, checkPinSource, type HsmSettings, type PinSource } from './settings.ts'
import { vaultError } from './vault-error.ts'

export interface BackupSettings extends HsmSettings {
  /** Initialise a new token with this label, SO PIN and (from `pin`) user PIN first. Refused when the label is taken. */
  readonly createToken?: { readonly soPin: PinSource } | undefined
  /**
   * `adopt`: the KEK was made by the vendor's tool, because the token makes none over PKCS#11 (TPM 2.0), or this was a backup; a
   * checkpoint key that is there is kept. Default `generate`.
   */
  readonly kekFrom?: 'generate' | 'adopt' | undefined
  /** Default: the first of Ed25519, secp256k1 and P-256 that the token makes. */
  readonly checkpointType?: IdentityKey['type'] | undefined
}

export interface ProvisionSettings extends BackupSettings {
  /** Default: the first of Ed25519, secp256k1 and P-256 that the token makes. P-256 needs a peer id of its own beside it. */
  readonly identityType?: IdentityKey['type'] | undefined
}

export interface ProvisionedBackup {
  readonly tokenSerial: string
  /** Hex. */
  readonly kekId: string
  /** Of the settings, or the first in order of preference that the token can do. */
  readonly profile: ProfileName
  /** For the cluster lock. Undefined when the token makes no keys that sign. */
  readonly checkpointKey: IdentityKey | undefined
}

export interface ProvisionedHsm extends ProvisionedBackup {
  readonly identity: IdentityKey
  readonly checkpointKey: IdentityKey
}

async function withHsm<T>(settings: BackupSettings, act: (hsm: Pkcs11Hsm) => Promise<T>): Promise<T> {
  checkHsmSettings(settings)
  if (settings.createToken !== undefined) checkPinSource(settings.name, settings.createToken.soPin)
  const hsm = new Pkcs11Hsm(settings)
  try {
    return await act(hsm)
  } finally {
    await hsm.close()
  }
}

type SigningKeys = Pick<ProvisionBody, 'identity' | 'checkpoint'>

async function ceremony(hsm: Pkcs11Hsm, settings: BackupSettings, keys: SigningKeys): Promise<HsmDescription> {
  const made = await hsm.provision({ soPin: settings.createToken?.soPin, kek: settings.kekFrom ?? 'generate', ...keys })
  // Each verifies what it signs, so a key that will not work is found now.
  for (const use of ['identity', 'checkpoint'] as const) {
    const key = made[use]
    if (key !== undefined) await tokenSigner(hsm, use, key).sign(utf8('conclave provisioning self-test'))
  }
  return made
}

function required(key: IdentityKey | undefined): IdentityKey {
  if (key === undefined) throw vaultError('KEY_MISSING', 'the token lost a key that it just made')
  return key
}

/**
 * The ceremony that makes a token usable: KEK, identity key and checkpoint key, all generated inside and not extractable. Never run by a
 * node on its own; refuses a token that holds any of them. The KEK is made for the profile of the settings, or for the best one that a probe
 * finds.
 *
 * @throws {VaultError} KEY_EXISTS, UNSUPPORTED, PIN_*, TOKEN_LOST, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export function provisionHsm(settings: ProvisionSettings): Promise<ProvisionedHsm> {
  return withHsm(settings, async (hsm) => {
    const keys: SigningKeys = { identity: settings.identityType ?? 'any', checkpoint: settings.checkpointType ?? 'any' }
    const { tokenSerial, kekId, profile, identity, checkpoint } = await ceremony(hsm, settings, keys)
    return { tokenSerial, kekId, profile, identity: required(identity), checkpointKey: required(checkpoint) }
  })
}

/**
 * The same for a token that is to hold no identity: a backup. One that makes no keys that sign has no checkpoint key either.
 *
 * @throws {VaultError} KEY_EXISTS, KEY_MISSING, UNSUPPORTED, PIN_*, TOKEN_LOST, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export function provisionBackupHsm(settings: BackupSettings): Promise<ProvisionedBackup> {
  return withHsm(settings, async (hsm) => {
    const wanted: WantedKey = settings.checkpointType ?? 'any-or-none'
    const { tokenSerial, kekId, profile, checkpoint } = await ceremony(hsm, settings, { identity: 'none', checkpoint: wanted })
    return { tokenSerial, kekId, profile, checkpointKey: checkpoint }
  })
}

/**
 * Tries what a token really does; see {TokenProbe}. Logs in, makes session keys, and changes nothing on the token.
 *
 * @throws {VaultError} PIN_*, TOKEN_LOST, KEY_AMBIGUOUS, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export function probeHsm(settings: HsmSettings): Promise<TokenProbe> {
  return withHsm(settings, (hsm) => hsm.probe())
}
