/** A worker that dies, by throwing outside of any session, when it is given a job for the key `die`; else it is the real one. */
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from './job.ts'
import './worker.ts'

parentPort?.on('message', (m: ToWorker) => {
  if (m.type === 'start' && m.job.kind === 'deal' && m.job.keyId === 'die') throw new Error('the worker dies')
})
