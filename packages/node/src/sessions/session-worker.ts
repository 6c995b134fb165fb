import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './job.ts'

/** Where sessions run, as the pool sees it: messages go in and come out in order, and it may die at any time. */
export interface SessionWorker {
  /** @param handOver - buffers that leave the caller, empty there afterwards. */
  post(message: ToWorker, handOver: readonly ArrayBuffer[]): void
  terminate(): Promise<unknown>
}

export interface WorkerEvents {
  heard(message: FromWorker): void
  /** Said once; nothing is heard afterwards. Not during the start. */
  exited(cause: unknown): void
}

export type StartWorker = (events: WorkerEvents) => SessionWorker

/** A worker thread for each worker. */
export function workerThread(script: URL = new URL('./worker.ts', import.meta.url)): StartWorker {
  return ({ heard, exited }) => {
    const worker = new Worker(script)
    worker.on('message', heard)
    // An 'error' is followed by 'exit'; the listener only keeps it from ending the process.
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => exited(cause))
    return {
      post: (message, handOver) => worker.postMessage(message, [...handOver]),
      terminate: () => worker.terminate(),
    }
  }
}
