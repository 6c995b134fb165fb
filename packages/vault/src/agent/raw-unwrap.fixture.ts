import { randomBytes } from 'node:crypto'
import { Cryptoki } from './cryptoki.ts'
import { findKek } from './objects.ts'
import { readPin } from './pin.ts'
import type { AgentSettings } from './protocol.ts'
import { selectToken } from './token.ts'
import { gcmMechanism } from './wrap.ts'

// The median time of C_DecryptInit and C_Decrypt of a data key, with nothing around them. Arguments: agent settings, samples.

const [settingsJson, samples] = process.argv.slice(2) as [string, string]
const settings = JSON.parse(settingsJson) as AgentSettings
const cryptoki = new Cryptoki(settings.module)
cryptoki.initialise()
const session = cryptoki.openSession(selectToken(cryptoki.tokens(), settings.token, settings.serial).slot, 'read')
session.login('user', readPin(settings.pin))
const { handle } = findKek(session, settings.kekLabel)
const mechanism = gcmMechanism(0x1087, randomBytes(12), randomBytes(109))
const wrapped = session.encrypt(mechanism, handle, randomBytes(32))
const times = Array.from({ length: Number(samples) }, () => {
  const startMs = performance.now()
  session.decrypt(mechanism, handle, wrapped)
  return performance.now() - startMs
}).sort((a, b) => a - b)
cryptoki.finalise()
process.stdout.write(String(times[Math.floor(times.length / 2)]))
