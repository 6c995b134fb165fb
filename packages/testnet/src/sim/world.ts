import {
  type ClusterLock,
  checkSuccessor,
  codeOf,
  messageOf,
  type NodeMember,
  nodeOf,
  type PartyId,
  seededRandom,
  tagged,
  utf8,
} from '@conclave/core'
import type { Change, FromWorker, ToWorker } from '@conclave/node'
import type { MemoryDevice } from '@conclave/vault'
import { Dice } from './dice.ts'
import { deviceOf, lockOf, nameOf, newcomer, successorOf } from './sim-cluster.ts'
import { DiskImage, type Phase } from './sim-disk.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode, type Witness } from './sim-node.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

export interface WorldOptions {
  readonly seed: string
  readonly n: number
  readonly t: number
  /** Disks to begin with, by party; empty ones otherwise. */
  readonly images?: ReadonlyMap<PartyId, DiskImage>
  readonly print?: (line: string) => void
}

/** What the next lock does differently, by seat. */
export interface SeatChange {
  readonly required?: number
  /** Seats that another machine takes over. */
  readonly replace?: readonly PartyId[]
  /** How many machines come in addition; they get the lowest free seats. */
  readonly add?: number
  readonly remove?: readonly PartyId[]
}

/** Something that must never be seen. */
export interface Violation {
  readonly invariant: string
  readonly what: string
}

/** A cluster in simulated time, and whoever looks on. Everything in it follows from its options. */
export class World {
  readonly dice: Dice
  readonly timeline: Timeline
  readonly trace: Trace
  readonly network: SimNetwork
  /** Every machine that ever had a seat, by name; those that left are among them. */
  readonly machines = new Map<string, SimNode>()
  readonly violations: Violation[] = []
  /** Names of machines that a plug-in has turned; of these nothing is expected. */
  readonly byzantine = new Set<string>()
  /** Whom the nodes tell; passes everything on to those that watch. */
  readonly witness: Witness
  readonly #witnesses: Partial<Witness>[] = []
  readonly #options: WorldOptions
  #lock: ClusterLock
  #nodes: readonly SimNode[]

  private constructor(options: WorldOptions, lock: ClusterLock) {
    this.#options = options
    this.#lock = lock
    this.dice = new Dice(options.seed)
    this.timeline = new Timeline(this.dice.fork('timeline'))
    this.trace = new Trace(() => this.timeline.nowMs, options.print)
    this.network = new SimNetwork(lock, this.timeline, this.trace, this.dice.fork('network'))
    this.witness = {
      wrote: (node: SimNode, write: number, phase: Phase, changes: readonly Change[]) => {
        for (const w of this.#witnesses) w.wrote?.(node, write, phase, changes)
      },
      worker: (node: SimNode, message: ToWorker | FromWorker) => {
        for (const w of this.#witnesses) w.worker?.(node, message)
      },
      broken: (node, error) => this.violate('nodes start', `${node.name}: ${codeOf(error)} ${messageOf(error)}`),
    }
    this.#nodes = lock.nodes.map((member) => this.#machine(member, deviceOf(member.index), options.images?.get(member.index)?.copy()))
  }

  static async create(options: WorldOptions): Promise<World> {
    return new World(options, await lockOf(options.n, options.t))
  }

  /** The newest lock that the operators have signed; a machine may still run under the one before. */
  get lock(): ClusterLock {
    return this.#lock
  }

  /** The machines of the newest lock, by seat. */
  get nodes(): readonly SimNode[] {
    return this.#nodes
  }

  get honest(): readonly SimNode[] {
    return this.#nodes.filter((node) => !this.byzantine.has(node.name))
  }

  /** Machines whose seat is no longer theirs. */
  get leavers(): readonly SimNode[] {
    return [...this.machines.values()].filter((m) => !this.#nodes.includes(m))
  }

  /** @throws {Error} when the newest lock has no such seat: see {@link World.seat}. */
  node(party: PartyId): SimNode {
    const node = this.seat(party)
    if (node === undefined) throw new Error(`nobody sits at ${party}`)
    return node
  }

  /** Who has a seat under a lock; the newest one when none is given. */
  seat(party: PartyId, lock: ClusterLock = this.#lock): SimNode | undefined {
    return this.machines.get(nodeOf(lock, party)?.name ?? '')
  }

  isHonest(party: PartyId, lock: ClusterLock = this.#lock): boolean {
    return !this.byzantine.has(nodeOf(lock, party)?.name ?? '')
  }

  watch(witness: Partial<Witness>): void {
    this.#witnesses.push(witness)
  }

  violate(invariant: string, what: string): void {
    this.trace.note(`violation ${invariant}: ${what}`)
    this.violations.push({ invariant, what })
  }

  /**
   * The operators agree on the next lock: honest ones approve it, those that belong to it sign it, and machines for new members stand
   * ready. Nobody runs under it yet.
   *
   * @throws {ConfigError} what `nextLock` and `checkSuccessor` throw.
   */
  async agree({ required, replace = [], add = 0, remove = [] }: SeatChange): Promise<ClusterLock> {
    const old = this.#lock
    const fresh = async (party: PartyId) => {
      let generation = 1
      while (this.machines.has(`${nameOf(party)}-${generation}`)) generation++
      return newcomer(party, generation)
    }
    const free = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((j) => remove.includes(j) || nodeOf(old, j) === undefined).slice(0, add)
    const [successors, added] = [await Promise.all(replace.map(fresh)), await Promise.all(free.map(fresh))]
    const named = (j: PartyId) => this.node(j).name
    const change = {
      ...(required === undefined ? {} : { required }),
      replace: new Map(successors.map(({ member: { index, ...rest } }) => [named(index), rest])),
      add: added.map(({ member: { index: _, ...rest } }) => rest),
      remove: remove.map(named),
    }
    const arrivals = new Map([...successors, ...added].map((a) => [a.member.name, a.device]))
    const devices = [...[...this.machines.values()].map((m) => m.device), ...arrivals.values()]
    const next = await successorOf(old, change, { devices, approvers: this.honest.filter((m) => !m.isGone).map((m) => m.name) })
    checkSuccessor(old, next)
    this.network.admit(next)
    this.#lock = next
    this.#nodes = next.nodes.map((m) => this.machines.get(m.name) ?? this.#machine(m, arrivals.get(m.name) as MemoryDevice))
    this.trace.note(`agreed on version ${next.version}: ${next.quorum.required} of ${next.nodes.map((m) => m.name).join()}`)
    return next
  }

  #machine(member: NodeMember, device: MemoryDevice, image = new DiskImage()): SimNode {
    const { timeline, network, trace, witness } = this
    const node = new SimNode({
      ...{ member, lock: this.#lock, timeline, network, trace, witness, dice: this.dice.fork(member.name), device, image },
      random: seededRandom(tagged('sim-node', utf8(this.#options.seed), utf8(member.name))),
    })
    this.machines.set(member.name, node)
    return node
  }
}
