import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './job.ts'
import { Sessions } from './worker.ts'

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

/**
 * Sessions on the thread that asks for them: for those whose every step is shorter than a message to another thread and back.
 *
 * As between threads, nothing is heard during the call that caused it, and messages keep their order. Buffers that are handed over stay
 * where they are: the session wipes what it was given, as it does on a thread of its own.
 */
export function ownThread(): StartWorker {
  return ({ heard }) => {
    let isEnded = false
    const soon = (act: () => void) =>
      queueMicrotask(() => {
        if (!isEnded) act()
      })
    const sessions = new Sessions((message) => soon(() => heard(message)))
    return {
      post: (message) => soon(() => sessions.heard(message)),
      terminate: async () => {
        isEnded = true
      },
    }
  }
}
