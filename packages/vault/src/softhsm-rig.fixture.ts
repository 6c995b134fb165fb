import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IdentityKey } from '@conclave/core'
import type { ConformanceRig } from './conformance.ts'
import { openPkcs11Vault } from './pkcs11-vault.ts'
import type { ProfileName } from './profile.ts'
import { type ProvisionedHsm, provisionHsm } from './provision.ts'
import type { HsmSettings, Pkcs11VaultSettings } from './settings.ts'
import { prepareSoftHsm, softHsmModule } from './softhsm.ts'

// Test support: real SoftHSM tokens in a directory that is removed afterwards.

export const SOFTHSM_MISSING = softHsmModule() === undefined ? 'SoftHSM2 is not installed' : undefined

const PATIENCE_MS = 30_000

export interface SoftHsm {
  readonly home: string
  readonly tokens: string
  readonly settings: HsmSettings
  readonly soPin: { readonly file: string }
}

/** A private temporary directory and its removal. */
export async function temporaryDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'conclave-vault-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Files and settings of one SoftHSM, not provisioned yet. */
export async function softHsm(dir: string, name: string, pin = `${name}-pin-4711`): Promise<SoftHsm> {
  const home = join(dir, name)
  await mkdir(home, { mode: 0o700 })
  const env = await prepareSoftHsm(home)
  await writeFile(join(home, 'pin'), `${pin}\n`, { mode: 0o400 })
  await writeFile(join(home, 'so-pin'), `${name}-so-pin\n`, { mode: 0o400 })
  const settings = { name, module: softHsmModule()!, token: `token-${name}`, pin: { file: join(home, 'pin') }, env }
  return { home, tokens: join(home, 'tokens'), settings, soPin: { file: join(home, 'so-pin') } }
}

export function withProfile(hsm: SoftHsm, profile: ProfileName | undefined): SoftHsm {
  return { ...hsm, settings: { ...hsm.settings, profile } }
}

/** Makes one more token with this HSM's label and PIN, without keys. @returns its serial. */
export function emptyToken({ settings: { module, token, pin, env }, soPin }: SoftHsm): string {
  const script = fileURLToPath(new URL('./agent/init-token.fixture.ts', import.meta.url))
  const args = [script, module, token, JSON.stringify(pin), JSON.stringify(soPin)]
  return execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' })
}

export function provisionSoftHsm({ settings, soPin }: SoftHsm, identityType?: IdentityKey['type']): Promise<ProvisionedHsm> {
  return provisionHsm({ ...settings, createToken: { soPin }, identityType, checkpointType: identityType })
}

export interface SoftHsmRig extends ConformanceRig {
  readonly path: string
  readonly hsms: { readonly primary: SoftHsm; readonly backup: SoftHsm }
  readonly settings: Pkcs11VaultSettings
}

export interface SoftHsmRigOptions {
  readonly identityType?: IdentityKey['type']
  /** Default: what the probe chooses. */
  readonly profiles?: { readonly primary: ProfileName; readonly backup: ProfileName }
}

/** Two provisioned SoftHSMs. Killing one takes its token directory away. */
export async function softHsmRig({ identityType, profiles }: SoftHsmRigOptions = {}): Promise<SoftHsmRig> {
  const { path, remove } = await temporaryDirectory()
  const hsms = {
    primary: withProfile(await softHsm(path, 'primary'), profiles?.primary),
    backup: withProfile(await softHsm(path, 'backup'), profiles?.backup),
  }
  const { identity } = await provisionSoftHsm(hsms.primary, identityType)
  await provisionSoftHsm(hsms.backup, identityType)
  const settings = { hsms: [hsms.primary.settings, hsms.backup.settings], identity: { key: identity } }
  return {
    path,
    hsms,
    settings,
    open: () => openPkcs11Vault(settings),
    kill: (hsm) => rename(hsms[hsm].tokens, `${hsms[hsm].tokens}.away`),
    revive: (hsm) => rename(`${hsms[hsm].tokens}.away`, hsms[hsm].tokens),
    dispose: remove,
  }
}

function statOf(pid: string): { parent: number; state: string } | undefined {
  try {
    // "pid (name) state ppid ...", where the name may hold anything, parentheses too.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(parent), state: state! }
  } catch {
    // It ended while we were looking.
    return undefined
  }
}

export function isRunning(pid: number): boolean {
  const stat = statOf(String(pid))
  return stat !== undefined && stat.state !== 'Z'
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    // It ended while we were looking.
    return []
  }
}

/** Waits for something that another process does. */
export async function until(claim: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await claim()); ) {
    if (performance.now() > end) throw new Error('it never happened')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The agent of an HSM among the children of `parent`, told by the environment that only it was given. */
export function agentPid({ settings }: SoftHsm, parent: number = process.pid): number {
  const mark = `SOFTHSM2_CONF=${settings.env!.SOFTHSM2_CONF}`
  const found = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || statOf(pid)?.parent !== parent || !isRunning(Number(pid))) return false
    return environmentOf(pid).includes(mark)
  })
  if (found.length !== 1) throw new Error(`expected one agent of ${settings.name}, found ${found.length}`)
  return Number(found[0])
}

/** Whether a running child of `parent` is this HSM's agent. */
export function hasAgent(hsm: SoftHsm, parent: number = process.pid): boolean {
  try {
    return agentPid(hsm, parent) > 0
  } catch {
    // No such child: that is the answer.
    return false
  }
}
