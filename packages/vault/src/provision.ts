import { type IdentityKey, utf8 } from '@conclave/core'
import { identitySigner } from './identity-signer.ts'
import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import { checkHsmSettings, checkPinSource, type HsmSettings, type PinSource } from './settings.ts'
import { vaultError } from './vault-error.ts'

export interface ProvisionSettings extends HsmSettings {
  /** Initialise a new token with this label, SO PIN and (from `pin`) user PIN first. Refused when the label is taken. */
  readonly createToken?: { readonly soPin: PinSource } | undefined
  /** Default: Ed25519 when the token offers it, else secp256k1. */
  readonly identityType?: IdentityKey['type'] | undefined
}

export interface ProvisionedHsm {
  readonly tokenSerial: string
  readonly identity: IdentityKey
  /** Hex. */
  readonly kekId: string
}

/**
 * The ceremony that makes a token usable: KEK and identity key, both generated inside and not extractable. Never run by a node on
 * its own; refuses a token that holds either key.
 *
 * @throws {VaultError} KEY_EXISTS, UNSUPPORTED, PIN_*, TOKEN_LOST, MODULE_MISSING
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export async function provisionHsm(settings: ProvisionSettings): Promise<ProvisionedHsm> {
  checkHsmSettings(settings)
  if (settings.createToken !== undefined) checkPinSource(settings.name, settings.createToken.soPin)
  const hsm = new Pkcs11Hsm(settings)
  try {
    const { tokenSerial, kekId, identity } = await hsm.provision({
      soPin: settings.createToken?.soPin,
      identityType: settings.identityType,
    })
    if (identity === undefined) throw vaultError('KEY_MISSING', 'the token lost the identity key that it just made')
    // Verifies what it signs, so an identity that will not work is found now.
    await identitySigner(hsm, identity).sign(utf8('conclave provisioning self-test'))
    return { tokenSerial, kekId, identity }
  } finally {
    await hsm.close()
  }
}
