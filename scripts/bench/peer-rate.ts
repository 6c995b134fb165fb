import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { PeerRun, PeerTask } from './peer-worker.ts'

export interface PeerRate {
  readonly peer: string
  readonly threads: number
  readonly signaturesPerSecond: number
}

/** What threads do together that sign at the same time, each on its own. */
export function rateOf(runs: readonly PeerRun[]): number {
  return runs.reduce((sum, { signatures, wallMs }) => sum + (1e3 * signatures) / wallMs, 0)
}

async function measure(task: PeerTask, threads: number): Promise<PeerRate> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./peer-worker.ts', import.meta.url), { workerData: task }))
  try {
    await Promise.all(workers.map((w) => once(w, 'message')))
    const runs = workers.map(async (w) => {
      w.postMessage('go')
      return ((await once(w, 'message')) as [PeerRun])[0]
    })
    return { peer: task.peer, threads, signaturesPerSecond: rateOf(await Promise.all(runs)) }
  } finally {
    await Promise.all(workers.map((w) => w.terminate()))
  }
}

/**
 * How many signatures a peer makes in a second in one process, on one core and on all of them: nothing but its protocol, all parties
 * of a signature in one thread, no network, no disk, no HSM.
 */
export async function measurePeerRates(task: PeerTask): Promise<readonly PeerRate[]> {
  const rates = [await measure(task, 1)]
  const cores = availableParallelism()
  return cores > 1 ? [...rates, await measure(task, cores)] : rates
}
