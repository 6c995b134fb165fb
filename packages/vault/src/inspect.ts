import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Clock, codeOf, messageOf } from '@conclave/core'
import type { InspectRequest, RawInspection } from './agent/inspect-token.ts'
import { agentEnvironment } from './fork-agent.ts'
import { parseEcPoint } from './identity-signer.ts'
import type { HsmInspection } from './inspection.ts'
import { agentSettings } from './pkcs11-hsm.ts'
import { checkHsmSettings, type HsmSettings, type PinSource } from './settings.ts'

/** Trying to get keys out makes some, and a slow device takes seconds for each. */
const INSPECT_TIMEOUT_MS = 60_000
const ENTRY = fileURLToPath(new URL(`./agent/inspect-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

export interface InspectOptions {
  /** Names that people make PINs of: of the node, for instance. */
  readonly names: readonly string[]
  /** At least 16 random bytes, the same for all HSMs whose PINs are to be compared. */
  readonly salt: Uint8Array
  /** Where the PIN of the security officer lies, if it does. */
  readonly soPin?: PinSource | undefined
  /** Files in which no PIN belongs. */
  readonly files: readonly string[]
  readonly login: boolean
  readonly clock: Clock
  readonly timeoutMs?: number
}

const lost = (code: 'AGENT_DIED' | 'TIMEOUT', why: string): HsmInspection => {
  const nothing = { ok: false as const, code, why }
  return { module: nothing, tokens: [], pin: nothing, keys: nothing, identity: nothing, leaks: nothing }
}

function understood(raw: RawInspection): HsmInspection {
  if (!raw.identity.ok) return { ...raw, identity: raw.identity }
  const { type, point } = raw.identity.value
  try {
    return { ...raw, identity: { ok: true, value: parseEcPoint(type, point) } }
  } catch (error) {
    return { ...raw, identity: { ok: false, code: codeOf(error), why: messageOf(error) } }
  }
}

/**
 * What an HSM looks like to somebody who wants to know why it does not work, or whether it is safe. Changes nothing on it; logs in
 * once at most, and not at all on a token that has counted a wrong PIN. A module that crashes or hangs is a finding like any other.
 *
 * @throws {ConfigError} BAD_HSM_SETTINGS
 */
export async function inspectHsm(hsm: HsmSettings, options: InspectOptions): Promise<HsmInspection> {
  checkHsmSettings(hsm)
  const { names, salt, soPin, files, login, clock, timeoutMs = INSPECT_TIMEOUT_MS } = options
  const settings = agentSettings(hsm)
  const request: InspectRequest = { settings, names, salt, soPin, files, login }
  const child = fork(ENTRY, [], {
    serialization: 'advanced',
    env: agentEnvironment(settings, hsm.env ?? {}),
    execArgv: ['--disable-sigusr1'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const { promise, resolve } = Promise.withResolvers<HsmInspection>()
  const stopTimer = clock.after(timeoutMs, () => resolve(lost('TIMEOUT', `no answer within ${timeoutMs} ms`)))
  child.once('message', (found) => resolve(understood(found as RawInspection)))
  child.once('error', () => resolve(lost('AGENT_DIED', 'the inspecting process cannot be started')))
  child.once('exit', (code, signal) => resolve(lost('AGENT_DIED', `the inspecting process ended with ${signal ?? `exit code ${code}`}`)))
  child.send(request, () => undefined)
  try {
    return await promise
  } finally {
    stopTimer()
    child.kill('SIGKILL')
  }
}
