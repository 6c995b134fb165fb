import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { AgentSettings } from './agent/protocol.ts'

const AGENT_ENTRY = fileURLToPath(new URL(`./agent/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

/** All that an agent inherits; above all not the other HSMs' PIN variables, nor NODE_OPTIONS. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH', 'SOFTHSM2_CONF', 'CREDENTIALS_DIRECTORY']

/** What an agent of an HSM is started with. */
export function agentEnvironment(settings: AgentSettings, env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const names = 'env' in settings.pin ? [...INHERITED, settings.pin.env] : INHERITED
  const inherited = names.flatMap((n) => (process.env[n] === undefined ? [] : [[n, process.env[n]] as const]))
  return { ...Object.fromEntries(inherited), ...env }
}

/** A new agent process, which has not been told its settings yet. */
export function forkAgent(settings: AgentSettings, env: Readonly<Record<string, string>>): ChildProcess {
  return fork(AGENT_ENTRY, [], {
    serialization: 'advanced',
    env: agentEnvironment(settings, env),
    // Neither the parent's flags (--inspect would open the agent) nor a debugger by signal.
    execArgv: ['--disable-sigusr1'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}
