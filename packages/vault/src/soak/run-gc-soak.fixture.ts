import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { AgentSettings } from '../agent/protocol.ts'
import { KEK_LABEL } from '../pkcs11-hsm.ts'
import type { SoftHsm } from '../softhsm-rig.fixture.ts'

const PROGRAM = fileURLToPath(new URL('./gc-soak.fixture.ts', import.meta.url))

export interface GcSoak {
  readonly operations: number
  readonly corrupted: number
  readonly collections: number
}

/** Runs an agent in a process that collects garbage around every call of the module. */
export function runGcSoak({ settings }: SoftHsm, operations: number): GcSoak {
  const agent: AgentSettings = {
    name: settings.name,
    module: settings.module,
    token: settings.token,
    serial: settings.serial,
    pin: settings.pin,
    libraryParameters: settings.libraryParameters,
    profile: settings.profile,
    kekLabel: KEK_LABEL,
    kekId: undefined,
  }
  const env = { PATH: process.env.PATH, ...settings.env }
  const args = ['--expose-gc', '--single-threaded-gc', PROGRAM, JSON.stringify(agent), String(operations)]
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' })) as GcSoak
}
