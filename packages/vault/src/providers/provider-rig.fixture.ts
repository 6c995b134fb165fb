import { execFileSync } from 'node:child_process'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConformanceRig } from '../conformance.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import type { ProfileName } from '../profile.ts'
import { type ProvisionedBackup, type ProvisionedHsm, provisionBackupHsm, provisionHsm } from '../provision.ts'
import type { HsmSettings } from '../settings.ts'
import { provisionSoftHsm, softHsm, temporaryDirectory } from '../softhsm-rig.fixture.ts'
import { killAgents, type ProviderName, type StartedProvider, startProvider, stopProvider } from './hsm-provider.fixture.ts'

export { providerMissing, startProvider, stopProvider } from './hsm-provider.fixture.ts'

const VENDOR_TOOL = fileURLToPath(new URL('./vendor-token.fixture.ts', import.meta.url))
const LABEL = 'conclave-test'
// opencryptoki takes 4 to 8 characters.
const PIN = 'use4711x'
const SO_PIN = 'so471108'

export interface ProviderToken {
  readonly provider: StartedProvider
  readonly settings: HsmSettings
  readonly provisioned: ProvisionedBackup | ProvisionedHsm
}

/** Whether the tokens of this provider make keys that sign, of whatever kind. */
export const signs = (name: ProviderName): boolean => name !== 'opencryptoki'

/** A token of this provider below `dir`, with a KEK, and an identity and a checkpoint key where it makes such keys. */
export async function providerToken(name: ProviderName, dir: string, profile?: ProfileName): Promise<ProviderToken> {
  const home = join(dir, name)
  await mkdir(home, { mode: 0o700 })
  const started = startProvider(name, home)
  // The label last and bare, so that a lost last character would be its own.
  const libraryParameters = name === 'nss' ? `configdir='sql:${home}/db' dbTokenDescription=${LABEL}` : started.libraryParameters
  const provider = { ...started, libraryParameters }
  const files = { pin: join(home, 'pin'), soPin: join(home, 'so-pin') }
  await writeFile(files.pin, `${PIN}\n`, { mode: 0o400 })
  await writeFile(files.soPin, `${SO_PIN}\n`, { mode: 0o400 })
  const settings: HsmSettings = {
    name: 'primary',
    module: provider.module,
    token: LABEL,
    pin: { file: files.pin },
    env: provider.env,
    libraryParameters: provider.libraryParameters,
    profile,
  }
  useVendorTool(provider, files)
  const kekFrom = name === 'tpm' ? 'adopt' : 'generate'
  const createToken = name === 'softhsm' || name === 'p11-kit' ? { soPin: { file: files.soPin } } : undefined
  const provision = signs(name) ? provisionHsm : provisionBackupHsm
  return { provider, settings, provisioned: await provision({ ...settings, createToken, kekFrom }) }
}

function useVendorTool(provider: StartedProvider, { pin, soPin }: { readonly pin: string; readonly soPin: string }): void {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: provider.home, ...provider.env }
  const { name, module, libraryParameters } = provider
  if (name === 'nss' || name === 'opencryptoki') {
    const args = [VENDOR_TOOL, name, module, LABEL, pin, soPin, ...(libraryParameters === undefined ? [] : [libraryParameters])]
    execFileSync(process.execPath, args, { env })
  }
  if (name === 'tpm') {
    const tool = (...args: string[]) =>
      execFileSync('tpm2_ptool', [...args, '--path', provider.env.TPM2_PKCS11_STORE!], {
        env: { ...env, TPM2TOOLS_TCTI: env.TPM2_PKCS11_TCTI },
      })
    tool('init')
    tool('addtoken', '--pid', '1', '--label', LABEL, '--sopin', SO_PIN, '--userpin', PIN)
    const key = (algorithm: string, label: string) =>
      tool('addkey', '--label', LABEL, '--userpin', PIN, '--algorithm', algorithm, '--key-label', label, '--id', 'conclave-kek-1')
    key('aes256', 'conclave-kek')
    key('hmac:sha256', 'conclave-kek-mac')
  }
}

/** What a person does before the last try of a PIN. */
export function logInByHand({ module, env, home }: StartedProvider, pinFile: string): void {
  const args = [VENDOR_TOOL, 'log-in', module, LABEL, pinFile, pinFile]
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
