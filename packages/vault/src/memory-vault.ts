import { type Clock, type Random, systemClock, systemRandom } from '@conclave/core'
import { createVault } from './hsm-vault.ts'
import { tokenSigner } from './identity-signer.ts'
import type { KeyVault } from './key-vault.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { vaultError } from './vault-error.ts'

export interface MemoryVaultOptions {
  /** In order of priority; the first holds the identity. Default: one new device named `primary`. */
  readonly devices?: readonly MemoryDevice[]
  /** For data keys and body IVs; seed it and the devices to make records reproducible. */
  readonly random?: Random
  /** Default: that of the system. */
  readonly clock?: Clock
}

/**
 * The software twin of the PKCS#11 vault: same records, same checks, keys in this process. For tests and simulations only.
 *
 * Opening it again over the same devices is a restart of the node.
 */
export async function memoryVault(options: MemoryVaultOptions = {}): Promise<KeyVault> {
  const devices = options.devices ?? [new MemoryDevice({ name: 'primary' })]
  const hsms = devices.map((d) => d.connect())
  const holder = hsms[0]
  if (holder === undefined) throw vaultError('KEY_MISSING', 'a vault needs at least one device')
  const outcomes = await Promise.allSettled(hsms.map((hsm) => hsm.describe()))
  const [first] = outcomes
  if (first?.status !== 'fulfilled') throw first?.reason
  const { identity } = first.value
  if (identity === undefined) throw vaultError('KEY_MISSING', `hsm "${holder.name}" holds no identity key`)
  const { clock = systemClock } = options
  return createVault({
    hsms,
    identity: { holder, signer: (hsm) => tokenSigner(hsm, 'identity', identity) },
    checkpointKeys: outcomes.flatMap((o) => (o.status === 'fulfilled' && o.value.checkpoint !== undefined ? [o.value.checkpoint] : [])),
    random: options.random ?? systemRandom,
    clock,
    // A clock of the system may be set back.
    elapsedMs: options.clock === undefined ? () => performance.now() : () => clock.nowMs(),
  })
}
