import { ConfigError, codeOf, type IdentityKey, sameIdentity, systemClock, systemRandom, VaultError } from '@conclave/core'
import { awaitsPerson, isAvailability } from './codes.ts'
import { firstFailure } from './envelope.ts'
import type { Hsm, HsmDescription } from './hsm.ts'
import { createVault } from './hsm-vault.ts'
import { tokenSigner } from './identity-signer.ts'
import type { KeyVault } from './key-vault.ts'
import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import { checkVaultSettings, type Pkcs11VaultSettings } from './settings.ts'
import { vaultError } from './vault-error.ts'

type Described = PromiseSettledResult<HsmDescription>

/** What is wrong in the settings or on a token is to be put right first; what comes back, or waits for its PIN, joins later. */
function mayStartWithout(error: unknown): error is VaultError {
  return error instanceof VaultError && (isAvailability(error.code) || awaitsPerson(error.code))
}

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
    throw vaultError('WRONG_IDENTITY', `hsm "${holder.name}" holds another identity than this node's`, { details: { hsm: holder.name } })
  }
  return identity
}

function isPinNeeded(outcome: Described | undefined): boolean {
  return outcome?.status === 'rejected' && codeOf(outcome.reason) === 'PIN_NEEDED'
}

/** Has a person asked for the PINs of these HSMs, one after the other: a terminal takes one answer at a time. Never rejects. */
async function askInTurn(hsms: readonly Pkcs11Hsm[], then: (hsm: Pkcs11Hsm) => Promise<unknown> = async () => undefined): Promise<void> {
  for (const hsm of hsms) {
    try {
      await hsm.askPin()
      await then(hsm)
    } catch (error) {
      // It goes on waiting for its PIN, and says so to whoever asks; or the vault was closed.
      if (!(error instanceof VaultError)) throw error
    }
  }
}

/**
 * Opens the node's HSMs, one agent process each.
 *
 * HSMs that are down are tolerated as long as one works and the identity is known (its HSM is up, or `identity.key` is given);
 * they join by themselves when they come back. So are those that wait for their PIN, or have it locked. Whatever else needs a person
 * is not tolerated on any HSM.
 *
 * @param waits - told of each HSM whose PIN a person is to bring. Without any other HSM this waits for that person, at most five minutes.
 * @throws {ConfigError} BAD_HSM_SETTINGS
 * @throws {VaultError} PIN_INCORRECT, PIN_SOURCE, MODULE_MISSING, KEY_MISSING, KEY_AMBIGUOUS, WRONG_IDENTITY, UNSUPPORTED of any HSM; the first failure when none works.
 */
export async function openPkcs11Vault(settings: Pkcs11VaultSettings, waits: (hsm: string) => void = () => undefined): Promise<KeyVault> {
  checkVaultSettings(settings)
  const hsms = settings.hsms.map((h) => new Pkcs11Hsm(h))
  try {
    const first = await Promise.allSettled(hsms.map((hsm) => hsm.describe()))
    const waiting = hsms.filter((_, i) => isPinNeeded(first[i]))
    for (const { name } of waiting) waits(name)
    const canServe = first.some((o) => o.status === 'fulfilled')
    if (!canServe) await askInTurn(waiting)
    const outcomes = canServe ? first : await Promise.allSettled(hsms.map((hsm) => hsm.describe()))
    const failures = new Map<Hsm, VaultError>()
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue
      if (!mayStartWithout(outcome.reason)) throw outcome.reason
      failures.set(hsms[i]!, outcome.reason)
    }
    if (failures.size === hsms.length) throw firstFailure(hsms, failures)
    requireDistinctKeys(outcomes)
    const holderAt = settings.identity?.hsm === undefined ? 0 : settings.hsms.findIndex((h) => h.name === settings.identity?.hsm)
    const holder = hsms[holderAt]!
    const key = identityKey(holder, outcomes[holderAt]!, settings.identity?.key)
    const found = outcomes.flatMap((o) => (o.status === 'fulfilled' && o.value.checkpoint !== undefined ? [o.value.checkpoint] : []))
    const identity = { holder, signer: (hsm: Hsm) => tokenSigner(hsm, 'identity', key) }
    const { checkpointKeys = found } = settings
    // An HSM that is away may hold it, and a backup whose key is not in the lock yet does not stop the node.
    const held = settings.checkpointKeys === undefined || found.some((key) => checkpointKeys.some((k) => sameIdentity(k, key)))
    if (failures.size === 0 && !held)
      throw vaultError('KEY_MISSING', 'no HSM holds a checkpoint key that the cluster lock lists for this node')
    const vault = createVault({
      hsms,
      failures,
      identity,
      checkpointKeys,
      random: systemRandom,
      clock: systemClock,
      elapsedMs: () => performance.now(),
    })
    // The others serve meanwhile.
    if (canServe) void askInTurn(waiting, (hsm) => vault.hsm(hsm.name).retry())
    return vault
  } catch (error) {
    await Promise.all(hsms.map((hsm) => hsm.close()))
    throw error
  }
}
