// What a real cluster of processes does, near and far: `npm run -s bench:cluster -- --json --peers DIR`.
import { Console } from 'node:console'
import { ConclaveError } from '@conclave/core'
import { parseClusterOptions } from './bench/cluster-options.ts'
import { clusterToJson, printCluster, writeCluster } from './bench/cluster-report.ts'
import { runCluster } from './bench/cluster-run.ts'
import { HOW_TO_INSTALL } from './bench/peers.ts'

globalThis.console = new Console(process.stderr)
const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)

try {
  const options = parseClusterOptions(process.argv.slice(2))
  if (options.peers === undefined) progress(HOW_TO_INSTALL)
  const report = await runCluster(options, progress)
  if (options.json) print(JSON.stringify(clusterToJson(report)))
  else printCluster(report, print)
  if (options.write !== undefined) writeCluster(options.write, report)
} catch (error) {
  if (!(error instanceof ConclaveError)) throw error
  progress(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
