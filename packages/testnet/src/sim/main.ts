/** `npm run sim`: simulated runs from seeds. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { childFlags, Fleet } from './fleet.ts'
import { commandOf } from './orders.ts'
import { FAULTS } from './trace.ts'

const ONE = fileURLToPath(new URL('./one.ts', import.meta.url))
const MINUTE_MS = 60_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    drop: { type: 'string', default: '' },
    runs: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    processes: { type: 'string' },
    real: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

interface Failed {
  readonly seed: number
  readonly invariant: string
  readonly what: string
  readonly command: string
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** One seed in a process of its own, which prints for itself. */
function one(seed: string): number {
  const flags = [seed, values.drop, ...(values.trace ? ['trace'] : []), ...(values.shrink ? ['shrink'] : [])]
  const { status } = spawnSync(process.execPath, [...childFlags(values), ONE, ...flags], { stdio: 'inherit' })
  return status ?? 1
}

async function many(): Promise<number> {
  const startedAt = performance.now()
  const [wanted, from] = [Number(values.runs), Number(values.from)]
  const untilMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * MINUTE_MS
  const faults: Record<string, number> = Object.fromEntries(FAULTS.map((kind) => [kind, 0]))
  const failures: Failed[] = []
  let [given, runs, signatures, correlations] = [0, 0, 0, 0]
  const fail = (seed: number, invariant: string, what: string) => {
    const command = commandOf({ seed, dropped: [] })
    failures.push({ seed, invariant, what, command })
    if (!values.json) say(`seed ${seed}: ${invariant}: ${what}\n  ${command} --trace\n  ${command} --shrink`)
  }
  const fleet = new Fleet({ real: values.real, ...(values.processes === undefined ? {} : { processes: Number(values.processes) }) })
  await fleet.work(
    () => (given < wanted && performance.now() - startedAt < untilMs ? { seed: from + given++, dropped: [] } : undefined),
    (report) => {
      runs++
      if ('crash' in report) return fail(report.order.seed, 'the simulator works', report.crash)
      const { outcome } = report
      signatures += outcome.signatures
      correlations += outcome.correlations
      for (const [kind, count] of Object.entries(outcome.faults)) faults[kind] = (faults[kind] ?? 0) + count
      const [first] = outcome.violations
      if (first !== undefined) fail(outcome.seed, first.invariant, first.what)
      if (!values.json && runs % 500 === 0) say(`${runs} runs, ${failures.length} failed`)
    },
  )
  const elapsedMs = Math.round(performance.now() - startedAt)
  if (values.json) say(JSON.stringify({ runs, failures, faults, elapsedMs }))
  else {
    for (const [kind, count] of Object.entries(faults)) say(`${kind.padEnd(20)} ${count}`)
    say(
      `${runs} runs, ${signatures} signatures, ${correlations} correlations used, ${failures.length} failed, ${(elapsedMs / 1000).toFixed(1)} s`,
    )
  }
  return failures.length > 0 || runs === 0 ? 1 : 0
}

process.exitCode = values.seed === undefined ? await many() : one(values.seed)
