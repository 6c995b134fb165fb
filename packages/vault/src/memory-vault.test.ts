import { seededRandom, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, vaultConformance } from './conformance.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'

function conformance(name: string, options: Omit<MemoryDeviceOptions, 'name'>): void {
  vaultConformance(`memory, ${name}`, {
    async create() {
      const devices = { primary: new MemoryDevice({ name: 'primary', ...options }), backup: new MemoryDevice({ name: 'backup' }) }
      return {
        open: () => memoryVault({ devices: [devices.primary, devices.backup] }),
        kill: async (hsm) => devices[hsm].fail('TOKEN_LOST'),
        revive: async (hsm) => devices[hsm].heal(),
        dispose: async () => undefined,
      }
    },
  })
}

for (const identityType of ['ed25519', 'secp256k1', 'p256'] as const) conformance(identityType, { identityType })
for (const profile of ['gcm-hsm-iv', 'cbc-hmac', 'kwp', 'kw'] as const) conformance(profile, { profile })

describe('memory vault', () => {
  it('memoryVault: from one seed come the same identity and the same record', async () => {
    const run = async (seed: string) => {
      const random = seededRandom(utf8(seed))
      const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary', random })], random })
      return [toHex(vault.identity.key.publicKey), toHex(await vault.seal(CONTEXT, utf8('secret')))]
    }
    expect(await run('a')).to.deep.equal(await run('a'))
    expect(await run('a')).not.to.deep.equal(await run('b'))
  })
})
