// Processor time of one pooled signature by process and thread, over a real cluster: `npm run -s bench:overhead -- --json`.
import { parseArgs } from 'node:util'
import { ClusterRig, type Series } from './bench/cluster-rig.ts'

/** Of the ten pairs of five nodes three sign together; half as much again, because quorums are not spread evenly. */
const ENTRIES_PER_REQUEST = 0.45

const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)

function printTable({ processes, pool, ...figures }: Series): void {
  const { inFlight, signaturesPerSecond, p50Ms, p99Ms, cpuMs } = figures
  print(`${inFlight} in flight: ${signaturesPerSecond} signatures/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, ${cpuMs} ms CPU a signature`)
  print(`entries of the pool: ${pool.used} used, ${pool.missed} missed`)
  const columns = ['main', 'workers', 'pool', 'engine', 'children', 'total', 'residentMiB'] as const
  const table = [['process', ...columns], ...processes.map((p) => [p.name, ...columns.map((c) => String(p[c]))])]
  for (const row of table) print(row.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(12))).join(''))
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    'in-flight': { type: 'string', default: '1,32' },
    requests: { type: 'string', default: '200' },
    /** Child keys that take turns. */
    keys: { type: 'string', default: '1' },
  },
})
const [requests, keys] = [Number(values.requests), Number(values.keys)]
const inFlight = values['in-flight'].split(',').map(Number)
const stock = Math.ceil(ENTRIES_PER_REQUEST * requests)
progress('five nodes and a coordinator')
await using rig = await ClusterRig.start({ stock })
const series: Series[] = []
// The first one only warms up.
for (const count of [Math.max(...inFlight), ...inFlight]) {
  progress(`a pool of ${stock}`)
  await rig.warm(stock)
  progress(`${requests} signatures, ${count} in flight`)
  series.push(await rig.sign({ requests, inFlight: count, keys }))
}
for (const s of series.slice(1)) printTable(s)
if (values.json) print(JSON.stringify({ requests, keys, figures: series.slice(1) }))
