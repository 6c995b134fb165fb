import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProfileName } from '../profile.ts'
import type { HsmSettings } from '../settings.ts'
import { type ProviderName, type StartedProvider, startProvider } from './hsm-provider.fixture.ts'

// Test support: tokens as the tools of their vendors leave them.

export const VENDOR_TOOL = fileURLToPath(new URL('./vendor-token.fixture.ts', import.meta.url))
export const TOKEN_LABEL = 'conclave-test'
// opencryptoki takes 4 to 8 characters.
const PIN = 'use4711x'
const SO_PIN = 'so471108'

export interface PreparedToken {
  readonly provider: StartedProvider
  readonly settings: HsmSettings & { readonly pin: { readonly file: string } }
  readonly soPin: { readonly file: string }
  /** The vendor's tool has made the KEK. */
  readonly adoptKek: boolean
}

/** A token of this provider below `dir`, as it is before the ceremony; SoftHSM and p11-kit make theirs in it. */
export async function prepareToken(name: ProviderName, dir: string, profile?: ProfileName): Promise<PreparedToken> {
  const home = join(dir, name)
  await mkdir(home, { mode: 0o700 })
  const started = startProvider(name, home)
  // The label last and bare, so that a lost last character would be its own.
  const libraryParameters = name === 'nss' ? `configdir='sql:${home}/db' dbTokenDescription=${TOKEN_LABEL}` : started.libraryParameters
  const provider = { ...started, libraryParameters }
  const files = { pin: join(home, 'pin'), soPin: join(home, 'so-pin') }
  await writeFile(files.pin, `${PIN}\n`, { mode: 0o400 })
  await writeFile(files.soPin, `${SO_PIN}\n`, { mode: 0o400 })
  useVendorTool(provider, files)
  const { module, env } = provider
  const settings = { name: 'primary', module, token: TOKEN_LABEL, pin: { file: files.pin }, env, libraryParameters, profile }
  return { provider, settings, soPin: { file: files.soPin }, adoptKek: name === 'tpm' }
}

function useVendorTool(provider: StartedProvider, { pin, soPin }: { readonly pin: string; readonly soPin: string }): void {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: provider.home, ...provider.env }
  const { name, module, libraryParameters } = provider
  if (name === 'nss' || name === 'opencryptoki') {
    const args = [VENDOR_TOOL, name, module, TOKEN_LABEL, pin, soPin, ...(libraryParameters === undefined ? [] : [libraryParameters])]
    execFileSync(process.execPath, args, { env })
  }
  if (name === 'tpm') {
    const tool = (...args: string[]) =>
      execFileSync('tpm2_ptool', [...args, '--path', provider.env.TPM2_PKCS11_STORE!], {
        env: { ...env, TPM2TOOLS_TCTI: env.TPM2_PKCS11_TCTI },
      })
    tool('init')
    tool('addtoken', '--pid', '1', '--label', TOKEN_LABEL, '--sopin', SO_PIN, '--userpin', PIN)
    const key = (algorithm: string, label: string) =>
      tool('addkey', '--label', TOKEN_LABEL, '--userpin', PIN, '--algorithm', algorithm, '--key-label', label, '--id', 'conclave-kek-1')
    key('aes256', 'conclave-kek')
    key('hmac:sha256', 'conclave-kek-mac')
  }
}
