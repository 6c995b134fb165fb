import { equalBytes, seededRandom, utf8 } from '@conclave/core'
import { Agent } from './agent/agent.ts'
import type { AgentRequest } from './agent/protocol.ts'
import { faultOf } from './agent/token.ts'
import { CONFORMANCE_CONTEXT } from './conformance.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'
import { encodeHeader, encodeRecord, parseRecord } from './record.ts'
import { decodeContext, encodeContext } from './seal-context.ts'
import { vaultError } from './vault-error.ts'

const SECRET = utf8('a secret that is sealed')

function parseAgain(input: Uint8Array): void {
  const record = parseRecord(input)
  const again = encodeRecord({ ...record, header: encodeHeader(record.context, record.recipients) })
  if (!equalBytes(again, input)) throw new Error('two encodings of one record are taken')
}

function contextAgain(input: Uint8Array): void {
  const context = decodeContext(input)
  if (context !== undefined && !equalBytes(encodeContext(context), input)) throw new Error('two encodings of one context are taken')
}

async function start() {
  const random = seededRandom(utf8('fuzz'))
  // Together every length of IV and wrapped key that records have.
  const profiles = { primary: 'gcm', backup: 'cbc-hmac', archive: 'kwp' } as const
  const devices = Object.entries(profiles).map(([name, profile]) => new MemoryDevice({ name, profile, random }))
  const vault = await memoryVault({ devices, random })
  const seeds = [await vault.seal(CONFORMANCE_CONTEXT, SECRET), await vault.seal({ ...CONFORMANCE_CONTEXT, epoch: 7 }, new Uint8Array(100))]
  return { vault, seeds }
}

async function startOpen() {
  const { vault, seeds } = await start()
  const run = async (input: Uint8Array) => {
    using secret = await vault.open(CONFORMANCE_CONTEXT, input)
    if (!equalBytes(secret.bytes, SECRET) || !equalBytes(input, seeds[0] as Uint8Array)) throw new Error('a changed record opens')
  }
  return { seeds, run, stop: () => vault.close() }
}

const START = {
  ...{ name: 'primary', module: '/nonexistent/module.so', token: 't', profile: 'aes-gcm', kekLabel: 'kek' },
  pin: { env: 'CONCLAVE_FUZZ_NO_SUCH_PIN' },
}
const REQUESTS = [
  { id: 1, op: 'start', body: START },
  { id: 2, op: 'describe', body: null },
  { id: 3, op: 'wrap', body: { aad: [1, 2], dek: [3, 4] } },
  {
    id: 4,
    op: 'unwrap',
    body: { aad: [1], key: { tokenSerial: 's', kekId: 'ab', kekGeneration: 1, profile: 1, mechanism: 1, iv: [1], wrapped: [2] } },
  },
  { id: 5, op: 'sign', body: [1, 2, 3] },
  { id: 6, op: 'random', body: 32 },
  { id: 7, op: 'keks', body: null },
  { id: 8, op: 'make-kek', body: 2 },
  { id: 9, op: 'destroy-kek', body: { generation: 1, id: 'ab' } },
]

/** One request to an agent that no token backs: a fault by code, or nothing. JSON stands for what the channel to it can carry. */
function askAgent(input: Uint8Array): void {
  let request: AgentRequest
  try {
    request = JSON.parse(new TextDecoder().decode(input), (_, v) => (Array.isArray(v) ? Uint8Array.from(v) : v))
  } catch {
    return
  }
  if (typeof request !== 'object' || request === null) return
  // Nothing foreign is loaded, whatever the input names.
  const body =
    request.op === 'start' && typeof request.body === 'object' ? { ...START, ...request.body, module: START.module } : request.body
  const agent = new Agent()
  try {
    agent.answer({ ...request, body } as AgentRequest)
  } catch (error) {
    throw vaultError(faultOf(error).code, 'a fault')
  } finally {
    agent.close()
  }
}

const REFUSED = /^(TAMPER|UNSUPPORTED|KEY_MISSING|ROLLBACK)$/

export const TARGETS = [
  {
    ...{ name: 'vault.record', kind: 'bytes', runs: 400, codes: REFUSED, bounded: true },
    start: async () => ({ seeds: (await start()).seeds, run: parseAgain }),
  },
  { name: 'vault.open', kind: 'bytes', runs: 150, codes: REFUSED, start: startOpen },
  {
    ...{ name: 'vault.agent', kind: 'json', runs: 150, codes: /^(SESSION_LOST|PIN_SOURCE|MODULE_MISSING|UNSUPPORTED)$/ },
    start: () => ({ seeds: REQUESTS.map((request) => utf8(JSON.stringify(request))), run: askAgent }),
  },
  {
    ...{ name: 'vault.context', kind: 'bytes', runs: 300, codes: REFUSED, bounded: true },
    start: () => ({ seeds: [encodeContext(CONFORMANCE_CONTEXT)], run: contextAgain }),
  },
]
