import { parseArgs } from 'node:util'
import { ConfigError } from '@conclave/core'
import { countOf } from './options.ts'

/** What can be left out. */
export const PARTS = ['peers', 'loopback', 'keys', 'burst', 'far'] as const
export type Part = (typeof PARTS)[number]

export interface ClusterOptions {
  readonly json: boolean
  readonly peers: string | undefined
  readonly parts: readonly Part[]
  /** Signatures of the longest series; the others are shorter. */
  readonly requests: number
  readonly write: string | undefined
  /** Whether the nodes keep a pool. */
  readonly pool: boolean
}

const REQUESTS_DEFAULT = 200
const REQUESTS_MAX = 5_000

function partsOf(text: string): readonly Part[] {
  return text.split(',').map((name) => {
    const part = PARTS.find((p) => p === name)
    if (part === undefined) throw new ConfigError('BENCH_BAD_OPTION', `there is no part "${name}"; there are ${PARTS.join(', ')}`)
    return part
  })
}

/** @throws {ConfigError} BENCH_BAD_OPTION. */
export function parseClusterOptions(args: readonly string[]): ClusterOptions {
  const options = {
    json: { type: 'boolean', default: false },
    peers: { type: 'string' },
    only: { type: 'string', default: PARTS.join() },
    requests: { type: 'string', default: String(REQUESTS_DEFAULT) },
    write: { type: 'string' },
    'no-pool': { type: 'boolean', default: false },
  } as const
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch (cause) {
    throw new ConfigError('BENCH_BAD_OPTION', (cause as Error).message, {}, cause)
  }
  return {
    json: values.json,
    peers: values.peers,
    parts: partsOf(values.only),
    requests: countOf('requests', values.requests, REQUESTS_MAX),
    write: values.write,
    pool: !values['no-pool'],
  }
}
