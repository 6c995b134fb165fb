import { ConfigError, type IdentityKey, sameIdentity, systemRandom } from '@conclave/core'
import type { HsmDescription } from './hsm.ts'
import { createVault } from './hsm-vault.ts'
import { tokenSigner } from './identity-signer.ts'
import type { KeyVault } from './key-vault.ts'
import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import { checkVaultSettings, type Pkcs11VaultSettings } from './settings.ts'
import { canFailOver, vaultError } from './vault-error.ts'

type Described = PromiseSettledResult<HsmDescription>

/** Redundancy that shares one key is none. */
function requireDistinctKeys(outcomes: readonly Described[]): void {
  const keys = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [`${o.value.tokenSerial}/${o.value.kekId}`] : []))
  if (new Set(keys).size !== keys.length) throw new ConfigError('BAD_HSM_SETTINGS', 'two configured HSMs are the same token')
}

function identityKey(holder: Pkcs11Hsm, outcome: Described, expected: IdentityKey | undefined): IdentityKey {
  if (outcome.status === 'rejected') {
    if (expected === undefined) throw outcome.reason
    return expected
  }
  const { identity } = outcome.value
  if (identity === undefined)
    throw vaultError('KEY_MISSING', `hsm "${holder.name}" holds no identity key`, { details: { hsm: holder.name } })
  if (expected !== undefined && !sameIdentity(expected, identity)) {
    throw vaultError('KEY_MISSING', `hsm "${holder.name}" holds another identity than this node's`, { details: { hsm: holder.name } })
  }
  return identity
}

/**
 * Opens the node's HSMs, one agent process each.
 *
 * HSMs that are down are tolerated as long as one works and the identity is known (its HSM is up, or `identity.key` is given);
 * they join by themselves when they come back. Whatever needs a person is not tolerated on any HSM.
 *
 * @throws {ConfigError} BAD_HSM_SETTINGS
 * @throws {VaultError} PIN_*, MODULE_MISSING, KEY_MISSING, KEY_AMBIGUOUS, UNSUPPORTED of any HSM; the first failure when none works.
 */
export async function openPkcs11Vault(settings: Pkcs11VaultSettings): Promise<KeyVault> {
  checkVaultSettings(settings)
  const hsms = settings.hsms.map((h) => new Pkcs11Hsm(h))
  try {
    const outcomes = await Promise.allSettled(hsms.map((hsm) => hsm.describe()))
    const failures = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []))
    const fatal = failures.find((f) => !canFailOver(f))
    if (fatal !== undefined) throw fatal
    if (failures.length === hsms.length) throw failures[0]
    requireDistinctKeys(outcomes)
    const holderAt = settings.identity?.hsm === undefined ? 0 : settings.hsms.findIndex((h) => h.name === settings.identity?.hsm)
    const holder = hsms[holderAt]!
    const key = identityKey(holder, outcomes[holderAt]!, settings.identity?.key)
    const found = outcomes.flatMap((o) => (o.status === 'fulfilled' && o.value.checkpoint !== undefined ? [o.value.checkpoint] : []))
    return createVault({
      hsms,
      identity: tokenSigner(holder, 'identity', key),
      checkpointKeys: settings.checkpointKeys ?? found,
      random: systemRandom,
      elapsedMs: () => performance.now(),
    })
  } catch (error) {
    await Promise.all(hsms.map((hsm) => hsm.close()))
    throw error
  }
}
