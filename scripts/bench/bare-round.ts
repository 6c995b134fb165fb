import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, type FarLinks, FarMember, freePorts } from '@conclave/testnet'
import type { BarePlan } from './bare-party.ts'
import { median, percentile } from './statistics.ts'

const PARTY = fileURLToPath(new URL('./bare-party.ts', import.meta.url))
const WARM_UP_TURNS = 10
const DONE_TIMEOUT_MS = 300_000

export interface BareRounds {
  /** Bytes of one message, round by round. */
  readonly sizes: readonly number[]
  readonly turns: number
  /** All rounds of one turn together, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of one party for one turn, and how much of it the kernel took. */
  readonly cpuMs: number
  readonly systemMs: number
}

interface PartyFigures {
  /** Without the warm-up. */
  readonly turns: readonly number[]
  readonly cpuMs: number
  readonly systemMs: number
}

/** What each party has measured, in its log. */
export function figuresIn(log: string): readonly PartyFigures[] {
  const line = log.split('\n').find((l) => l.startsWith('{"turns"'))
  if (line === undefined) return []
  const figures = JSON.parse(line) as PartyFigures
  return [{ ...figures, turns: figures.turns.slice(WARM_UP_TURNS) }]
}

/**
 * What rounds cost in which everybody sends to everybody and waits for everybody, and nobody computes: processes of their own over
 * the transport that nodes use, on links as far as those of the nodes of the same names.
 */
export async function measureBareRounds(
  dir: string,
  plan: {
    readonly names: readonly string[]
    readonly sizes: readonly number[]
    readonly turns: number
    readonly links: FarLinks | undefined
  },
): Promise<BareRounds> {
  await using stack = new AsyncDisposableStack()
  const ports = await freePorts(plan.names.length)
  const children = new Map<string, Child>()
  const processes = () => new Map([...children].flatMap(([name, c]) => (c.pid === undefined ? [] : [[name, c.pid] as const])))
  const parties = await Promise.all(
    plan.names.map(async (name, i) => {
      const port = ports[i] as number
      const listen = `/ip4/127.0.0.1/tcp/${port}`
      if (plan.links === undefined) return { name, listen, address: listen }
      const far = await FarMember.start({ name, port, links: plan.links, processes })
      stack.defer(() => far.stop())
      return { name, listen, address: far.address }
    }),
  )
  for (const { name } of parties) {
    const task: BarePlan = { self: name, parties, sizes: plan.sizes, turns: plan.turns + WARM_UP_TURNS }
    const logFile = join(dir, `bare-${name}-${Date.now()}.log`)
    const child = new Child({ name, command: process.execPath, args: [PARTY, JSON.stringify(task)], logFile, watched: false })
    stack.defer(() => child.kill())
    children.set(name, child)
  }
  await Promise.all([...children.values()].map((c) => c.logged('"turns"', DONE_TIMEOUT_MS)))
  const logs = await Promise.all([...children.values()].map((c) => readFile(c.logFile, 'utf8')))
  const each = logs.flatMap(figuresIn)
  const turns = each.flatMap((f) => f.turns)
  const cpu = { cpuMs: median(each.map((f) => f.cpuMs)), systemMs: median(each.map((f) => f.systemMs)) }
  return { sizes: plan.sizes, turns: plan.turns, p50Ms: percentile(turns, 0.5), p99Ms: percentile(turns, 0.99), ...cpu }
}
