import { readFile } from 'node:fs/promises'

/** Resident memory of one process and of its children, in MiB. */
export interface Memory {
  readonly ownMiB: number
  /** A node's HSM agent. */
  readonly childrenMiB: number
}

/** Resident kilobytes in a /proc/PID/status; NaN when it does not say. */
export function residentKiB(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
}

async function memoryOf(pid: number): Promise<Memory> {
  const own = residentKiB(await readFile(`/proc/${pid}/status`, 'utf8')) / 1024
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((c) => c.trim() !== '')
  const below = await Promise.all(children.map((c) => memoryOf(Number(c))))
  return { ownMiB: own, childrenMiB: below.reduce((sum, m) => sum + m.ownMiB + m.childrenMiB, 0) }
}

/** Of two looks at one process, the higher of each. */
export function higher(a: Memory | undefined, b: Memory): Memory {
  if (a === undefined) return b
  return { ownMiB: Math.max(a.ownMiB, b.ownMiB), childrenMiB: Math.max(a.childrenMiB, b.childrenMiB) }
}

const LOOK_EVERY_MS = 200

/** Looks at processes again and again, from now to `stop`. Linux only. */
export class MemoryWatch {
  readonly #processes: ReadonlyMap<string, number>
  readonly #highest = new Map<string, Memory>()
  #looking: Promise<void> = Promise.resolve()
  readonly #timer: NodeJS.Timeout

  constructor(processes: ReadonlyMap<string, number>) {
    this.#processes = processes
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look())
    }, LOOK_EVERY_MS)
  }

  /** The highest that was seen, by name. */
  async stop(): Promise<Readonly<Record<string, Memory>>> {
    clearInterval(this.#timer)
    await this.#looking
    await this.#look()
    return Object.fromEntries(this.#highest)
  }

  async #look(): Promise<void> {
    for (const [name, pid] of this.#processes) {
      // A process that is gone is missed by whoever needs it, not here.
      const memory = await memoryOf(pid).catch(() => undefined)
      if (memory !== undefined) this.#highest.set(name, higher(this.#highest.get(name), memory))
    }
  }
}
