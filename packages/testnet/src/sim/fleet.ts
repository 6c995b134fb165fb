import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Report } from './child.ts'
import type { RunOrder } from './orders.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
const MODEL = new URL('./model/register.ts', import.meta.url).href
/** A run that takes longer than this, in real time, hangs. */
const STUCK_MS = 300_000

export interface FleetOptions {
  /** The real curve in the place of the model: a hundred times slower. */
  readonly real: boolean
  readonly processes?: number
}

/** Flags of a process that simulates. */
export const childFlags = ({ real }: Pick<FleetOptions, 'real'>): string[] => (real ? [] : ['--import', MODEL])

/** Runs orders in one process a processor, and hands each report out as it comes. */
export class Fleet {
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** @param next - the next order, or undefined when there are no more. */
  async work(next: () => RunOrder | undefined, report: (report: Report) => void): Promise<void> {
    const processes = this.#options.processes ?? availableParallelism()
    await Promise.all(Array.from({ length: processes }, () => this.#serve(next, report)))
  }

  async #serve(next: () => RunOrder | undefined, report: (report: Report) => void): Promise<void> {
    let child: ChildProcess | undefined
    for (let order = next(); order !== undefined; order = next()) {
      child ??= fork(CHILD, { execArgv: childFlags(this.#options) })
      const answer = await ask(child, order)
      if ('crash' in answer) {
        child.kill('SIGKILL')
        child = undefined
      }
      report(answer)
    }
    child?.disconnect()
  }
}

function ask(child: ChildProcess, order: RunOrder): Promise<Report> {
  return new Promise((resolve) => {
    const finish = (report: Report) => {
      clearTimeout(timer)
      child.removeAllListeners()
      resolve(report)
    }
    const timer = setTimeout(() => finish({ order, crash: `no end after ${STUCK_MS} ms` }), STUCK_MS)
    child.on('message', (report: Report) => finish(report))
    child.on('exit', (code) => finish({ order, crash: `the process ended with ${code}` }))
    child.send(order)
  })
}
