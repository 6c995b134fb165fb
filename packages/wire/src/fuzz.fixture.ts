import { equalBytes } from '@conclave/core'
import { decode, encode } from './codec.ts'
import * as messages from './messages.ts'
import type { Field, MessageField } from './schema.ts'

const all = Object.values(messages).filter((m): m is typeof m & MessageField => typeof m === 'object' && 'kind' in m)

/** A valid value: the longest or shortest that the limits allow, up to a few items. `pick` chooses among cases. */
function example(field: Field, pick: number): unknown {
  switch (field.kind) {
    case 'bytes':
      return new Uint8Array(field.orEmpty && pick % 2 === 1 ? 0 : field.min).fill(pick + 1)
    case 'text':
      return 'text'.repeat(pick).slice(0, field.charsMax)
    case 'number':
      return Math.min(field.max, 1 + 200 * pick)
    case 'flag':
      return pick % 2 === 0
    case 'list':
      return Array.from({ length: Math.min(field.countMax, Math.max(field.countMin, pick)) }, (_, i) => example(field.item, i + 1))
    case 'message':
      return Object.fromEntries(Object.entries(field.fields).map(([name, f]) => [name, example(f, pick)]))
    case 'oneof': {
      const cases = Object.entries(field.cases)
      const [name, f] = cases[pick % cases.length] as [string, Field]
      return { [name]: example(f, pick) }
    }
  }
}

function start(type: MessageField) {
  const seeds = Array.from({ length: 9 }, (_, i) => encode(type, example(type, i) as never))
  const run = (input: Uint8Array) => {
    if (!equalBytes(encode(type, decode(type, input)), input)) throw new Error('two encodings of one message are taken')
  }
  return { seeds, run }
}

/** One target for each message; what is large is tried less often. */
export const TARGETS = all.map((type) => ({
  ...{ name: `wire.${type.name}`, kind: 'message', codes: /^WIRE_DECODE$/, bounded: true },
  runs: type.name === 'Frame' ? 400 : 60,
  start: () => start(type),
}))
