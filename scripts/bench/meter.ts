import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What one run of a protocol costs. */
export interface Cost {
  /** Processor time of one party, the mean over the parties: every thread of the process counts, so its collector and compiler do. */
  readonly cpuMs: number
  /** Time that passed while the parties worked, one after the other in one thread: all parties together. */
  readonly wallMs: number
  /** Of all messages, a broadcast once for each receiver: all parties together. */
  readonly bytes: number
}

/** Adds up what the steps of one protocol run take. What a step gets ready or checks outside of `step` is not counted. */
export class Meter {
  readonly #parties: number
  #cpuUs = 0
  #wallMs = 0
  #bytes = 0

  constructor(parties: number) {
    this.#parties = parties
  }

  get cost(): Cost {
    return { cpuMs: this.#cpuUs / 1e3 / this.#parties, wallMs: this.#wallMs, bytes: this.#bytes }
  }

  /** Runs what one party does; nothing else may run meanwhile. */
  step<T>(work: () => T): T {
    const cpu = process.cpuUsage()
    const from = performance.now()
    try {
      return work()
    } finally {
      this.#wallMs += performance.now() - from
      const used = process.cpuUsage(cpu)
      this.#cpuUs += used.user + used.system
    }
  }

  /** A message that `receivers` parties get. */
  sent(bytes: number, receivers = 1): void {
    this.#bytes += bytes * receivers
  }
}

/** Of the runs one after the other. */
export function sumCosts(costs: readonly Cost[]): Cost {
  const sum = (pick: (cost: Cost) => number) => costs.reduce((total, cost) => total + pick(cost), 0)
  return { cpuMs: sum((c) => c.cpuMs), wallMs: sum((c) => c.wallMs), bytes: sum((c) => c.bytes) }
}

/** Each part of `cost` times `factor`. */
export function scaleCost({ cpuMs, wallMs, bytes }: Cost, factor: number): Cost {
  return { cpuMs: cpuMs * factor, wallMs: wallMs * factor, bytes: bytes * factor }
}

let collect: (() => void) | undefined

/**
 * So that nobody pays for the garbage of whoever was measured before. Collecting by force would also throw away compiled code that is
 * not in use at this moment, which no real process does so often: it is kept, for everybody.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--no-flush-bytecode')
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
