import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Test support: scripts/hsm-providers, and the processes that use what it starts.

export type ProviderName = 'softhsm' | 'nss' | 'tpm' | 'opencryptoki' | 'p11-kit'

const SCRIPT = fileURLToPath(new URL('../../../../scripts/hsm-providers', import.meta.url))
/** Marks the agents of one started provider among the processes of this machine. */
const MARK = 'HSM_PROVIDER_HOME'

export interface StartedProvider {
  readonly name: ProviderName
  readonly home: string
  readonly module: string
  readonly libraryParameters: string | undefined
  readonly env: Readonly<Record<string, string>>
}

let installed: ReadonlyMap<string, string> | undefined

/** Why a provider cannot run on this machine; undefined when it can. */
export function providerMissing(name: ProviderName): string | undefined {
  installed ??= new Map(
    execFileSync(SCRIPT, ['status'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0]!, line] as const),
  )
  const [, state, ...packages] = (installed.get(name) ?? `${name} missing`).split(' ')
  if (state !== 'installed') return `${name} is not installed: scripts/hsm-providers install ${name} (${packages.join(', ')})`
  if (name === 'opencryptoki' && process.env.HSM_PROVIDERS_INSIDE === undefined)
    return 'opencryptoki has fixed paths and runs in a namespace of its own: npm run hsm:conformance'
  return undefined
}

export function startProvider(name: ProviderName, home: string): StartedProvider {
  const lines = execFileSync(SCRIPT, ['start', name, home], { encoding: 'utf8' }).trim().split('\n')
  const values = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const))
  const env = [...values].flatMap(([key, value]) => (key.startsWith('env.') ? [[key.slice(4), value] as const] : []))
  return {
    name,
    home,
    module: values.get('module')!,
    libraryParameters: values.get('libraryParameters'),
    env: { ...Object.fromEntries(env), [MARK]: home },
  }
}

/** Ends the daemons of a provider, or those named; its agents stay. */
export function stopProvider(home: string, ...daemons: readonly string[]): void {
  execFileSync(SCRIPT, ['stop', home, ...daemons])
}

/** Ends the agents of a provider: modules that keep files open, or memory shared, outlive their daemon otherwise. */
export function killAgents(home: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (environmentOf(pid).includes(`${MARK}=${home}`)) process.kill(Number(pid), 'SIGKILL')
  }
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    // It ended while we were looking, or is not ours.
    return []
  }
}
