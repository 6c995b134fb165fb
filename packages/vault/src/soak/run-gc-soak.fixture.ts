import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { agentSettingsOf } from '../agent/probe-lab-run.fixture.ts'
import type { SoftHsm } from '../softhsm-rig.fixture.ts'

const PROGRAM = fileURLToPath(new URL('./gc-soak.fixture.ts', import.meta.url))

export interface GcSoak {
  readonly operations: number
  readonly corrupted: number
  readonly collections: number
}

/** Runs an agent in a process that collects garbage around every call of the module. */
export function runGcSoak({ settings }: SoftHsm, operations: number): GcSoak {
  const env = { PATH: process.env.PATH, ...settings.env }
  const args = ['--expose-gc', '--single-threaded-gc', PROGRAM, JSON.stringify(agentSettingsOf(settings)), String(operations)]
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' })) as GcSoak
}
