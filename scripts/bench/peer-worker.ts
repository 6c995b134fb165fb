// A worker thread for peer-rate.ts: one peer that signs as fast as it can.
import { Console } from 'node:console'
import { parentPort, workerData } from 'node:worker_threads'
import { ConclaveError } from '@conclave/core'
import { installed, PEERS } from './peers.ts'

export interface PeerTask {
  readonly dir: string
  readonly peer: string
  readonly threshold: number
  readonly parties: number
  readonly durationMs: number
}

export interface PeerRun {
  readonly signatures: number
  /** In which it signed: loading shares and checking results is not in it. */
  readonly wallMs: number
}

const WARM_UP = 5

globalThis.console = new Console(process.stderr)
const { dir, peer, threshold, parties, durationMs } = workerData as PeerTask
const found = PEERS.find((p) => p.name === peer)
const at = installed(dir, peer)
if (found === undefined || at === undefined) throw new ConclaveError('BENCH_NO_PEERS', `${peer} is not installed in ${dir}`)
const subject = await found.load(at.home, at.version, threshold, parties)
const sign = subject.operations.find((o) => o.figures.includes('signFull'))
for (let i = 0; i < WARM_UP; i++) sign?.run()
parentPort?.once('message', () => {
  const run = { signatures: 0, wallMs: 0 }
  for (const until = performance.now() + durationMs; performance.now() < until; run.signatures++)
    run.wallMs += sign?.run().signFull?.wallMs ?? Number.NaN
  parentPort?.postMessage(run satisfies PeerRun)
})
parentPort?.postMessage('ready')
