import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { KEK_LABEL } from '../pkcs11-hsm.ts'
import type { HsmSettings } from '../settings.ts'
import type { AgentSettings } from './protocol.ts'

const LAB = fileURLToPath(new URL('./probe-lab.fixture.ts', import.meta.url))

export function agentSettingsOf(settings: HsmSettings): AgentSettings {
  const { name, module, token, serial, pin, libraryParameters, profile } = settings
  return { name, module, token, serial, pin, libraryParameters, profile, kekLabel: KEK_LABEL, kekId: undefined }
}

export function probeExperiment(name: string, settings: HsmSettings, tokens = ''): unknown {
  const env = { PATH: process.env.PATH, ...settings.env }
  const args = [LAB, name, JSON.stringify(agentSettingsOf(settings)), tokens]
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }))
}
