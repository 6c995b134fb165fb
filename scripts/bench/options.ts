import { parseArgs } from 'node:util'
import { ConfigError } from '@conclave/core'
import { FIGURES, type Figure } from './figures.ts'

export interface BenchOptions {
  readonly json: boolean
  /** Folder into which the user installed the peers. */
  readonly peers: string | undefined
  /** Undefined: all. */
  readonly only: readonly Figure[] | undefined
  readonly rounds: number
  /** Folder of docs/benchmarks.md. */
  readonly write: string | undefined
}

const ROUNDS_DEFAULT = 15
const ROUNDS_MAX = 1_000

/** A whole number from 1 to `max`. @throws {ConfigError} BENCH_BAD_OPTION. */
export function countOf(name: string, text: string, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new ConfigError('BENCH_BAD_OPTION', `--${name} is a whole number from 1 to ${max}, not "${text}"`)
  return value
}

function figuresOf(text: string): readonly Figure[] {
  return text.split(',').map((name) => {
    if (!Object.hasOwn(FIGURES, name))
      throw new ConfigError('BENCH_BAD_OPTION', `there is no figure "${name}"; there are ${Object.keys(FIGURES).join(', ')}`)
    return name as Figure
  })
}

/** @throws {ConfigError} BENCH_BAD_OPTION. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const options = {
    json: { type: 'boolean', default: false },
    peers: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
    write: { type: 'string' },
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
    only: values.only === undefined ? undefined : figuresOf(values.only),
    rounds: countOf('rounds', values.rounds, ROUNDS_MAX),
    write: values.write,
  }
}
