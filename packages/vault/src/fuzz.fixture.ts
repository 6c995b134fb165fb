import { equalBytes, seededRandom, utf8 } from '@conclave/core'
import { CONFORMANCE_CONTEXT } from './conformance.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'
import { encodeHeader, encodeRecord, parseRecord } from './record.ts'
import { decodeContext, encodeContext } from './seal-context.ts'

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
  const devices = ['primary', 'backup'].map((name) => new MemoryDevice({ name, random }))
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

const REFUSED = /^(TAMPER|UNSUPPORTED|KEY_MISSING|ROLLBACK)$/

export const TARGETS = [
  {
    ...{ name: 'vault.record', kind: 'bytes', runs: 400, codes: REFUSED, bounded: true },
    start: async () => ({ seeds: (await start()).seeds, run: parseAgain }),
  },
  { name: 'vault.open', kind: 'bytes', runs: 150, codes: REFUSED, start: startOpen },
  {
    ...{ name: 'vault.context', kind: 'bytes', runs: 300, codes: REFUSED, bounded: true },
    start: () => ({ seeds: [encodeContext(CONFORMANCE_CONTEXT)], run: contextAgain }),
  },
]
