import { type IdentityKey, utf8 } from '@conclave/core'
import type { ProvisionBody } from './agent/protocol.ts'
import type { HsmDescription } from './hsm.ts'
import { identitySigner } from './identity-signer.ts'
import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import type { TokenProbe } from './probe-report.ts'
import type { ProfileName } from './profile.ts'
import { checkHsmSettings, checkPinSource, type HsmSettings, type PinSource } from './settings.ts'
import { vaultError } from './vault-error.ts'

export interface BackupSettings extends HsmSettings {
  /** Initialise a new token with this label, SO PIN and (from `pin`) user PIN first. Refused when the label is taken. */
  readonly createToken?: { readonly soPin: PinSource } | undefined
  /** `adopt`: the KEK was made by the vendor's tool, because the token makes none over PKCS#11 (TPM 2.0). Default `generate`. */
  readonly kekFrom?: 'generate' | 'adopt' | undefined
}

export interface ProvisionSettings extends BackupSettings {
  /** Default: Ed25519 when the token makes such a key, else secp256k1. */
  readonly identityType?: IdentityKey['type'] | undefined
}

export interface ProvisionedBackup {
  readonly tokenSerial: string
  /** Hex. */
  readonly kekId: string
  /** Of the settings, or the first in order of preference that the token can do. */
  readonly profile: ProfileName
}

export interface ProvisionedHsm extends ProvisionedBackup {
  readonly identity: IdentityKey
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

function ceremony(hsm: Pkcs11Hsm, settings: BackupSettings, identityType: ProvisionBody['identityType']): Promise<HsmDescription> {
  return hsm.provision({ soPin: settings.createToken?.soPin, identityType, kek: settings.kekFrom ?? 'generate' })
}

/**
 * The ceremony that makes a token usable: KEK and identity key, both generated inside and not extractable. Never run by a node on
 * its own; refuses a token that holds either key. The KEK is made for the profile of the settings, or for the best one that a probe
 * finds.
 *
 * @throws {VaultError} KEY_EXISTS, UNSUPPORTED, PIN_*, TOKEN_LOST, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export function provisionHsm(settings: ProvisionSettings): Promise<ProvisionedHsm> {
  return withHsm(settings, async (hsm) => {
    const { tokenSerial, kekId, profile, identity } = await ceremony(hsm, settings, settings.identityType)
    if (identity === undefined) throw vaultError('KEY_MISSING', 'the token lost the identity key that it just made')
    // Verifies what it signs, so an identity that will not work is found now.
    await identitySigner(hsm, identity).sign(utf8('conclave provisioning self-test'))
    return { tokenSerial, kekId, profile, identity }
  })
}

/**
 * The same for a token that is to hold no identity: a backup, or one that makes no keys that libp2p takes.
 *
 * @throws {VaultError} KEY_EXISTS, KEY_MISSING, UNSUPPORTED, PIN_*, TOKEN_LOST, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export function provisionBackupHsm(settings: BackupSettings): Promise<ProvisionedBackup> {
  return withHsm(settings, async (hsm) => {
    const { tokenSerial, kekId, profile } = await ceremony(hsm, settings, 'none')
    return { tokenSerial, kekId, profile }
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
