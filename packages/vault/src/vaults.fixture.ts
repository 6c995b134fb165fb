import type { KeyVault } from './key-vault.ts'
import { type MemoryVaultOptions, memoryVault } from './memory-vault.ts'

/** Vaults over memory devices that are closed after each test: one with a device that fails goes on asking it. */
export function closingVaults(): (options: MemoryVaultOptions) => Promise<KeyVault> {
  const open: KeyVault[] = []
  afterEach(async () => {
    for (const vault of open.splice(0)) await vault.close()
  })
  return async (options) => {
    const vault = await memoryVault(options)
    open.push(vault)
    return vault
  }
}
