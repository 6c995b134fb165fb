import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConclaveError, codeOf, InvalidArgument } from '@conclave/core'
import { type AttendedHsm, type HsmSettings, withAttendedHsm } from '@conclave/vault'
import type { AdminUnlock } from './admin.ts'
import { askAdmin } from './admin-client.ts'
import type { AdminHsm } from './admin-hsm.ts'
import { SETTINGS_FILE } from './init.ts'
import { type NodeSettings, readSettings } from './settings.ts'

/** What unlocking has come to. */
export type Unlocked =
  | { readonly outcome: 'in-service'; readonly hsm: AdminHsm }
  /** The node was starting, and goes on with this PIN. */
  | { readonly outcome: 'handed-over' }
  /** The token has taken the PIN; a node that is started now logs in. */
  | { readonly outcome: 'not-running' }

const NOT_UP = new Set(['NODE_NOT_RUNNING', 'STARTING'])

/** @throws {InvalidArgument} UNKNOWN_HSM. */
export function hsmOf({ hsms, name: node }: NodeSettings, name: string): HsmSettings {
  const hsm = hsms.find((h) => h.name === name)
  if (hsm !== undefined) return hsm
  throw new InvalidArgument('UNKNOWN_HSM', `node ${node} has no HSM called "${name}": it has ${hsms.map((h) => h.name).join(', ')}`)
}

/** Has the running node try again; brings it the PIN when that is what it waits for. */
async function tellNode({ adminSocket }: NodeSettings, { name, pinSocket }: HsmSettings, attended: AttendedHsm): Promise<Unlocked> {
  const ask = () => askAdmin(adminSocket, `/v1/hsms/${encodeURIComponent(name)}:unlock`, {}) as Promise<AdminUnlock>
  let answer: AdminUnlock
  try {
    answer = await ask()
  } catch (error) {
    if (!NOT_UP.has(codeOf(error))) throw error
    // Without another HSM a node waits for this PIN before it opens its admin socket.
    if (pinSocket === undefined || !existsSync(pinSocket)) return { outcome: 'not-running' }
    await attended.handOver(pinSocket)
    return { outcome: 'handed-over' }
  }
  if (answer.awaitsPin && pinSocket !== undefined) {
    await attended.handOver(pinSocket)
    answer = await ask()
  }
  const { hsm } = answer
  if (!hsm.ok)
    throw new ConclaveError(hsm.code ?? 'UNKNOWN', `the token takes the PIN, and at the node hsm "${name}" is still ${hsm.state}`)
  return { outcome: 'in-service', hsm }
}

/**
 * What an operator does about an HSM that waits for a PIN, or that refuses unattended logins: the PIN is asked for on this terminal, in a
 * process of its own, and tried once. It reaches the node's agent, if that waits for it, without passing through the node.
 *
 * @throws {InvalidArgument} UNKNOWN_HSM; {ConfigError}; {VaultError} PIN_NEEDED without a terminal, PIN_INCORRECT, PIN_LOCKED, ...;
 * {ConclaveError} what the node says of the HSM when it does not serve afterwards.
 */
export async function unlockHsm(dir: string, name: string): Promise<Unlocked> {
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const hsm = hsmOf(settings, name)
  return withAttendedHsm(hsm, (attended) => tellNode(settings, hsm, attended))
}
