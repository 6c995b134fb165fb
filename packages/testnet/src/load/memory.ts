import { setTimeout } from 'node:timers/promises'
import type { LocalCluster } from '../local-cluster.ts'
import { clusterCosts } from '../process-costs.ts'

const MIB = 2 ** 20
const EVERY_MS = 2_000
const MINUTE_MS = 60_000
/** What a process does at first (code that is compiled, buffers that are made) says nothing of whether it grows. */
const WARM_SHARE = 0.3

export interface ProcessMemory {
  readonly name: string
  readonly beforeMiB: number
  readonly afterMiB: number
  /** Of the line through the samples after the first third. */
  readonly slopeMiBPerMinute: number
}

interface Sample {
  readonly atMs: number
  readonly bytes: ReadonlyMap<string, number>
}

/** Of the line with the least squares through points; 0 for fewer than two. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (p: readonly [number, number]) => number) => points.reduce((sum, p) => sum + of(p), 0) / points.length
  const [x, y] = [mean((p) => p[0]), mean((p) => p[1])]
  const spread = points.reduce((sum, p) => sum + (p[0] - x) ** 2, 0)
  return spread > 0 ? points.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / spread : 0
}

const round = (value: number) => Number(value.toFixed(1))

/** Resident memory of every process of a cluster, looked at every two seconds. */
export class MemoryWatch {
  readonly #cluster: LocalCluster
  readonly #samples: Sample[] = []
  #isOver = false
  #watching: Promise<void> = Promise.resolve()

  constructor(cluster: LocalCluster) {
    this.#cluster = cluster
  }

  async start(): Promise<void> {
    await this.#look()
    this.#watching = this.#watch()
  }

  async end(): Promise<readonly ProcessMemory[]> {
    this.#isOver = true
    await this.#watching
    await this.#look()
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    const warm = this.#samples.slice(Math.floor(WARM_SHARE * this.#samples.length))
    return [...(first?.bytes.keys() ?? [])].map((name) => {
      const points = warm.flatMap(({ atMs, bytes }) => {
        const of = bytes.get(name)
        return of === undefined ? [] : [[atMs / MINUTE_MS, of / MIB] as const]
      })
      const [before, after] = [first?.bytes.get(name) ?? 0, last?.bytes.get(name) ?? 0]
      return { name, beforeMiB: round(before / MIB), afterMiB: round(after / MIB), slopeMiBPerMinute: round(slopeOf(points)) }
    })
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await setTimeout(EVERY_MS)
      await this.#look()
    }
  }

  async #look(): Promise<void> {
    const costs = await clusterCosts(this.#cluster)
    this.#samples.push({ atMs: performance.now(), bytes: new Map(costs.map(({ name, residentBytes }) => [name, residentBytes])) })
  }
}
