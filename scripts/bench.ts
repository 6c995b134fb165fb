// What our protocols cost, side by side with libraries that the user installed: `npm run bench -- --peers DIR`.
import { Console } from 'node:console'
import { readFileSync } from 'node:fs'
import { ConclaveError } from '@conclave/core'
import { writeBenchmarks } from './bench/document.ts'
import type { Figure, Subject } from './bench/figures.ts'
import { measureGrowth } from './bench/growth.ts'
import { describeMachine } from './bench/machine.ts'
import { type BenchOptions, parseOptions } from './bench/options.ts'
import { ours } from './bench/ours.ts'
import { HOW_TO_INSTALL, loadPeers, ORIENTATION, PEERS } from './bench/peers.ts'
import { noble } from './bench/plain.ts'
import { ratiosOf } from './bench/ratios.ts'
import { type BenchReport, printReport, toJson } from './bench/report.ts'
import { measure } from './bench/rounds.ts'

const THRESHOLD = 3
const PARTIES = 5
const WARM_UP = 2
const WARM_UP_MS = 2_000
const GROWTH_ROUNDS_MAX = 7

// A library that talks to the console would spoil the JSON.
globalThis.console = new Console(process.stderr)
const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)

const versionOf = (manifest: string): string => JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')).version

async function subjectsOf(dir: string | undefined): Promise<{ readonly peers: readonly Subject[]; readonly plain: readonly Subject[] }> {
  const own = noble(versionOf('../node_modules/@noble/curves/package.json'))
  if (dir === undefined) {
    progress(HOW_TO_INSTALL)
    return { peers: [], plain: [own] }
  }
  progress('the peers make their keys')
  const peers = await loadPeers(dir, PEERS, THRESHOLD, PARTIES)
  const others = await loadPeers(dir, ORIENTATION, THRESHOLD, PARTIES).catch((error: unknown) => {
    if (error instanceof ConclaveError && error.code === 'BENCH_NO_PEERS') return { subjects: [], missing: ORIENTATION.map((p) => p.name) }
    throw error
  })
  for (const name of [...peers.missing, ...others.missing]) progress(`not installed in ${dir}, left out: ${name}`)
  return { peers: peers.subjects, plain: [own, ...others.subjects] }
}

async function run({ peers: dir, only, rounds }: BenchOptions): Promise<BenchReport> {
  const machine = describeMachine()
  const { peers, plain } = await subjectsOf(dir)
  const conclave = ours(versionOf('../package.json'), THRESHOLD, PARTIES)
  const wanted = (figure: Figure) => only === undefined || only.includes(figure)
  const results = measure([conclave, ...peers, ...plain], { rounds, warmUp: WARM_UP, warmUpMs: WARM_UP_MS, wanted, progress })
  const growth = only === undefined ? measureGrowth(Math.min(rounds, GROWTH_ROUNDS_MAX), progress) : []
  const own = results[conclave.name] ?? {}
  const pick = (subjects: readonly Subject[]) => Object.fromEntries(subjects.map((s) => [s.name, results[s.name] ?? {}]))
  return {
    plan: { threshold: THRESHOLD, parties: PARTIES, rounds },
    machine,
    ratios: ratiosOf(own, pick(peers)),
    ours: own,
    peers: pick(peers),
    orientation: pick(plain),
    subjects: [conclave, ...peers, ...plain].map(({ name, version, notes }) => ({ name, version, notes })),
    growth,
  }
}

try {
  const options = parseOptions(process.argv.slice(2))
  const report = await run(options)
  if (options.json) print(JSON.stringify(toJson(report)))
  else printReport(report, print)
  if (options.write !== undefined) writeBenchmarks(options.write, report)
} catch (error) {
  if (!(error instanceof ConclaveError)) throw error
  progress(`${error.code}: ${error.message}`)
  if (error.code === 'BENCH_NO_PEERS') progress(HOW_TO_INSTALL)
  process.exitCode = 1
}
