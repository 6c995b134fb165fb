import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { processCosts } from './process-costs.ts'

/** Computes for so many milliseconds of its own processor time, then ends. */
const BUSY_MS = 300
const BUSY = `while (process.threadCpuUsage().user < ${BUSY_MS * 1000});`

describe('process costs', () => {
  it('process costs: what a thread has used is counted when it has ended', async function () {
    if (process.platform !== 'linux') this.skip()
    const before = await processCosts('self', process.pid)
    const worker = new Worker(BUSY, { eval: true })
    await new Promise((resolve) => worker.once('exit', resolve))
    const after = await processCosts('self', process.pid)
    expect(after.threads.workers - before.threads.workers).to.be.above(0.8 * BUSY_MS)
  })
})
