import { execFileSync } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConformanceRig } from '../conformance.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import type { ProfileName } from '../profile.ts'
import { type ProvisionedBackup, type ProvisionedHsm, provisionBackupHsm, provisionHsm } from '../provision.ts'
import type { HsmSettings } from '../settings.ts'
import { provisionSoftHsm, softHsm, temporaryDirectory } from '../softhsm-rig.fixture.ts'
import { killAgents, type ProviderName, type StartedProvider, startProvider, stopProvider } from './hsm-provider.fixture.ts'
import { prepareToken, TOKEN_LABEL, VENDOR_TOOL } from './provider-token.fixture.ts'

export { memoryHolds } from '../memory-search.fixture.ts'
export { runOnTerminal, runWithoutTerminal, TERMINAL_MISSING, type Typing } from '../terminal.fixture.ts'
export { providerMissing, startProvider, stopProvider } from './hsm-provider.fixture.ts'
export { type PreparedToken, prepareToken } from './provider-token.fixture.ts'

export interface ProviderToken {
  readonly provider: StartedProvider
  readonly settings: HsmSettings
  readonly provisioned: ProvisionedBackup | ProvisionedHsm
}

/** Whether the tokens of this provider make keys that sign, of whatever kind. */
export const signs = (name: ProviderName): boolean => name !== 'opencryptoki'

/** A token of this provider below `dir`, with a KEK, and an identity and a checkpoint key where it makes such keys. */
export async function providerToken(name: ProviderName, dir: string, profile?: ProfileName): Promise<ProviderToken> {
  const { provider, settings, soPin, adoptKek } = await prepareToken(name, dir, profile)
  const createToken = name === 'softhsm' || name === 'p11-kit' ? { soPin } : undefined
  const provision = signs(name) ? provisionHsm : provisionBackupHsm
  return { provider, settings, provisioned: await provision({ ...settings, createToken, kekFrom: adoptKek ? 'adopt' : 'generate' }) }
}

/** What a person does before the last try of a PIN. */
export function logInByHand({ module, env, home }: StartedProvider, pinFile: string): void {
  const args = [VENDOR_TOOL, 'log-in', module, TOKEN_LABEL, pinFile, pinFile]
  execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, HOME: home, ...env } })
}

/** Takes a provider away, whatever of it its agents hold on to. */
async function kill({ name, home }: StartedProvider): Promise<void> {
  if (name === 'nss') await rename(join(home, 'db'), join(home, 'db.away'))
  // The bus stays, as a system's does.
  else if (name === 'tpm') stopProvider(home, 'swtpm', 'tpm2-abrmd')
  else stopProvider(home)
  if (name === 'nss' || name === 'opencryptoki') killAgents(home)
}

async function revive({ name, home }: StartedProvider): Promise<void> {
  if (name === 'nss') await rename(join(home, 'db.away'), join(home, 'db'))
  else startProvider(name, home)
}

export interface ProviderRig extends ConformanceRig {
  readonly token: ProviderToken
}

/** A node with a token of this provider in front, and a SoftHSM behind it, which holds the identity where the first one cannot. */
export async function providerRig(name: ProviderName, profile?: ProfileName): Promise<ProviderRig> {
  const { path, remove } = await temporaryDirectory()
  const home = join(path, name)
  const dispose = async () => {
    stopProvider(home)
    await remove()
  }
  try {
    const token = await providerToken(name, path, profile)
    const backup = await softHsm(path, 'backup')
    const { identity: spare } = await provisionSoftHsm(backup)
    const identity = 'identity' in token.provisioned ? { hsm: 'primary', key: token.provisioned.identity } : { hsm: 'backup', key: spare }
    const settings = { hsms: [token.settings, backup.settings], identity }
    return {
      token,
      dispose,
      open: () => openPkcs11Vault(settings),
      kill: (hsm) => (hsm === 'primary' ? kill(token.provider) : rename(backup.tokens, `${backup.tokens}.away`)),
      revive: (hsm) => (hsm === 'primary' ? revive(token.provider) : rename(`${backup.tokens}.away`, backup.tokens)),
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
