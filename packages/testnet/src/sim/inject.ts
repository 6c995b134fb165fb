import type { Fault, Plan } from './plan.ts'
import { RefillFaults } from './refill-faults.ts'
import type { Phase } from './sim-disk.ts'
import { CALM } from './sim-link.ts'
import type { SimNode } from './sim-node.ts'
import type { FaultKind } from './trace.ts'
import type { World } from './world.ts'

interface Armed {
  /** Writes of the node until it dies. */
  left: number
  readonly phase: Phase
  readonly forMs: number
}

const PHASE_FAULTS: Readonly<Record<Phase, FaultKind>> = {
  before: 'crash-before-write',
  at: 'crash-at-write',
  after: 'crash-after-write',
}

/** Makes the faults of a plan happen at their times, and undoes what lasts when the network heals. */
export class Injector {
  readonly #world: World
  readonly #armed = new Map<string, Armed>()
  readonly #undo = new Set<() => void>()
  readonly #refills: RefillFaults
  #healed = false

  constructor(world: World, plan: Plan) {
    this.#world = world
    world.network.weather = plan.weather
    this.#refills = new RefillFaults(world)
    for (const fault of plan.faults) world.timeline.after(fault.atMs, () => this.#inject(fault))
    world.timeline.after(plan.healMs, () => this.#heal())
    world.watch({ wrote: (node, _write, phase) => this.#wrote(node, phase) })
  }

  /** No fault happens any more, and everything runs. */
  get healed(): boolean {
    return this.#healed
  }

  #heal(): void {
    this.#world.trace.note('heal')
    this.#healed = true
    this.#world.network.weather = CALM
    this.#armed.clear()
    this.#refills.end()
    for (const undo of this.#undo) undo()
    for (const node of this.#world.machines.values()) if (!node.alive) void node.start()
  }

  #inject(fault: Fault): void {
    const { network, trace, lock } = this.#world
    const node = 'party' in fault ? this.#world.seat(fault.party) : undefined
    switch (fault.kind) {
      case 'link-drop': {
        const [a, b] = [this.#world.seat(fault.a)?.name, this.#world.seat(fault.b)?.name]
        if (a !== undefined && b !== undefined && network.drop(a, b)) trace.fault('link-drop', `${a} ${b}`)
        return
      }
      case 'partition': {
        const side = lock.nodes.filter((m) => fault.side.includes(m.index)).map((m) => m.name)
        const rest = [...lock.nodes.filter((m) => !fault.side.includes(m.index)), ...lock.coordinators].map((m) => m.name)
        const cuts = side.flatMap((a) => rest.map((b) => [a, b] as const))
        trace.fault('partition', side.join())
        for (const [a, b] of cuts) network.cut(a, b)
        this.#until(fault.forMs, () => {
          for (const [a, b] of cuts) network.mend(a, b)
        })
        return
      }
      case 'kill':
        if (node?.alive === true) this.#die(node, 'kill', fault.forMs)
        return
      case 'crash':
        if (node !== undefined) this.#armed.set(node.name, { left: fault.write, phase: fault.phase, forMs: fault.forMs })
        return
      case 'crash-in-refill':
        if (node !== undefined) this.#refills.crash(node, fault.message, () => this.#die(node, 'crash-in-refill', fault.forMs))
        return
      case 'lost-confirm':
        if (node !== undefined) this.#refills.loseConfirm(node)
        return
      case 'worker-death':
        if (node?.node !== undefined) {
          trace.fault('worker-death', node.name)
          node.killWorker()
        }
        return
      default:
        if (node === undefined) return
        trace.fault(fault.kind, `${node.name} ${fault.slowMs.toFixed(0)} ms`)
        if (fault.kind === 'slow-disk') {
          node.slowDiskMs = fault.slowMs
          this.#until(fault.forMs, () => {
            node.slowDiskMs = 0
          })
        } else {
          node.slowHsmMs = fault.slowMs
          this.#until(fault.forMs, () => {
            node.slowHsmMs = 0
          })
        }
    }
  }

  #wrote(node: SimNode, phase: Phase): void {
    const armed = this.#armed.get(node.name)
    if (armed === undefined) return
    if (phase === 'before') armed.left--
    if (armed.left > 0 || phase !== armed.phase) return
    this.#armed.delete(node.name)
    this.#die(node, PHASE_FAULTS[phase], armed.forMs)
  }

  #die(node: SimNode, kind: FaultKind, forMs: number): void {
    this.#world.trace.fault(kind, node.name)
    node.kill()
    this.#world.timeline.after(forMs, () => void node.start())
  }

  /** Undoes something later, or at the latest when the network heals. */
  #until(forMs: number, undo: () => void): void {
    const once = () => {
      if (this.#undo.delete(once)) undo()
    }
    this.#undo.add(once)
    this.#world.timeline.after(forMs, once)
  }
}
