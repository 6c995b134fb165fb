import { type ClusterLock, codeOf, messageOf, type NodeMember, type PartyId, seededRandom, tagged, utf8 } from '@conclave/core'
import type { Change, FromWorker, ToWorker } from '@conclave/node'
import { Dice } from './dice.ts'
import { deviceOf, lockOf } from './sim-cluster.ts'
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

/** Something that must never be seen. */
export interface Violation {
  readonly invariant: string
  readonly what: string
}

/** A cluster in simulated time, and whoever looks on. Everything in it follows from its options. */
export class World {
  readonly lock: ClusterLock
  readonly dice: Dice
  readonly timeline: Timeline
  readonly trace: Trace
  readonly network: SimNetwork
  readonly nodes: readonly SimNode[]
  readonly violations: Violation[] = []
  /** Parties that a plug-in has turned; of these nothing is expected. */
  readonly byzantine = new Set<PartyId>()
  /** Whom the nodes tell; passes everything on to those that watch. */
  readonly witness: Witness
  readonly #witnesses: Partial<Witness>[] = []

  private constructor(options: WorldOptions, lock: ClusterLock) {
    this.lock = lock
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
    this.nodes = lock.nodes.map((member) => this.#node(options, member))
  }

  static async create(options: WorldOptions): Promise<World> {
    return new World(options, await lockOf(options.n, options.t))
  }

  get honest(): readonly SimNode[] {
    return this.nodes.filter((node) => !this.byzantine.has(node.index))
  }

  node(party: PartyId): SimNode {
    return this.nodes[party - 1] as SimNode
  }

  isHonest(party: PartyId): boolean {
    return !this.byzantine.has(party)
  }

  watch(witness: Partial<Witness>): void {
    this.#witnesses.push(witness)
  }

  violate(invariant: string, what: string): void {
    this.trace.note(`violation ${invariant}: ${what}`)
    this.violations.push({ invariant, what })
  }

  #node(options: WorldOptions, member: NodeMember): SimNode {
    const { lock, timeline, network, trace, witness } = this
    return new SimNode({
      ...{ member, lock, timeline, network, trace, witness, dice: this.dice.fork(member.name), device: deviceOf(member.index) },
      image: options.images?.get(member.index)?.copy() ?? new DiskImage(),
      random: seededRandom(tagged('sim-node', utf8(options.seed), utf8(member.name))),
    })
  }
}
