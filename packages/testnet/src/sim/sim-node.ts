import { type ClusterLock, codeOf, type NodeMember, type PartyId, parseLock, type Random } from '@conclave/core'
import { ApproverNode, type Change, type FromWorker, SessionPool, type ToWorker } from '@conclave/node'
import type { Logger } from '@conclave/transport'
import { type MemoryDevice, memoryVault } from '@conclave/vault'
import type { Dice } from './dice.ts'
import { POLICY } from './sim-cluster.ts'
import { type DiskImage, type Phase, SimDisk } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import { slowVault } from './sim-vault.ts'
import { honestRunner, type MakeRunner, SimWorkers } from './sim-worker.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

/** As short as a run can afford: a session that lost a frame is what most runs wait for. */
const SILENCE_MS = 4_000

/** So few that a run empties a pool and fills it again. */
export const WATER_MARKS = { low: 1, high: 3 }

const METER = { start: () => undefined, stop: () => undefined, read: () => ({ loopP99Us: 0, loopMaxUs: 0, cpuMs: 0 }) }

/** What looks on; it changes nothing but may end a life. */
export interface Witness {
  wrote(node: SimNode, write: number, phase: Phase, changes: readonly Change[]): void
  worker(node: SimNode, message: ToWorker | FromWorker): void
  /** A node could not start, which no fault of ours explains. */
  broken(node: SimNode, error: unknown): void
}

export interface SimNodeOptions {
  readonly member: NodeMember
  readonly lock: ClusterLock
  readonly timeline: Timeline
  readonly network: SimNetwork
  readonly trace: Trace
  readonly dice: Dice
  readonly image: DiskImage
  readonly device: MemoryDevice
  readonly random: Random
  readonly witness: Witness
}

/** A machine with a disk and an HSM, on which the node's process lives, dies and comes back. */
export class SimNode {
  readonly member: NodeMember
  /** The lock file in the node's directory: the next life begins under it. */
  lock: ClusterLock
  readonly image: DiskImage
  readonly device: MemoryDevice
  runner: MakeRunner = honestRunner
  slowDiskMs = 0
  slowHsmMs = 0
  /** Switched off for good. */
  isGone = false
  readonly #o: SimNodeOptions
  #life = { alive: false }
  #node: ApproverNode | undefined
  #workers: SimWorkers | undefined
  #lives = 0

  constructor(options: SimNodeOptions) {
    this.#o = options
    this.member = options.member
    this.lock = options.lock
    this.image = options.image
    this.device = options.device
  }

  get name(): string {
    return this.member.name
  }

  get index(): PartyId {
    return this.member.index
  }

  /** How often it was started. */
  get life(): number {
    return this.#lives
  }

  get alive(): boolean {
    return this.#life.alive
  }

  /** Undefined while it is dead or has not opened its stores. */
  get node(): ApproverNode | undefined {
    return this.#node
  }

  /** Starts the process. It resolves when the node has joined, and never when it dies before. */
  async start(): Promise<void> {
    if (this.#life.alive || this.isGone) return
    const life = { alive: true }
    this.#life = life
    const { timeline, network, trace, witness, random } = this.#o
    const { lock } = this
    const dice = this.#o.dice.fork(`life ${++this.#lives}`)
    trace.note(`start ${this.name}`)
    const store = new SimDisk({
      ...{ name: this.name, image: this.image, timeline, life, dice: dice.fork('disk'), trace, slowMs: () => this.slowDiskMs },
      wrote: (write, phase, changes) => witness.wrote(this, write, phase, changes),
    })
    this.#workers = new SimWorkers({
      ...{ timeline, life, dice: dice.fork('worker'), runner: this.runner },
      saw: (message) => witness.worker(this, message),
    })
    const vault = await memoryVault({ devices: [this.device], random, clock: timeline.clock(life) })
    try {
      const node = await ApproverNode.start({
        ...{ lock, name: this.name, store, policy: POLICY, clock: timeline.clock(life), meter: METER, log: this.#logger(life) },
        vault: slowVault(vault, timeline, life, dice.fork('vault'), () => this.slowHsmMs),
        pool: new SessionPool({ size: 1, start: this.#workers.start, near: this.#workers.start }),
        transport: network.transport(this.name, life, lock),
        ...{ maxConcurrent: 32, silenceTimeoutMs: SILENCE_MS, waterMarks: WATER_MARKS },
      })
      if (life.alive) this.#node = node
    } catch (error) {
      if (life.alive) witness.broken(this, error)
    }
  }

  /** Like SIGKILL or a loss of power: no goodbye, and nothing that was not synced. */
  kill(): void {
    if (!this.#life.alive) return
    this.#life.alive = false
    this.#node = undefined
    this.#o.trace.note(`kill ${this.name}`)
    this.#o.network.vanish(this.name)
  }

  /** Whether it has this lock on its disk. */
  hasAdopted(lock: ClusterLock): boolean {
    const last = this.image.list('lock').at(-1)
    return last !== undefined && parseLock(JSON.parse(new TextDecoder().decode(last.value))).version >= lock.version
  }

  killWorker(): void {
    this.#workers?.die()
  }

  #logger(life: { readonly alive: boolean }): Logger {
    const note = (level: string) => (fields: object, message: string) => {
      if (!life.alive) return
      const { code, err } = fields as { code?: unknown; err?: unknown }
      this.#o.trace.note(`log ${this.name} ${level} ${message} ${String(code ?? (err === undefined ? '' : codeOf(err)))}`)
    }
    return { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') }
  }
}
