import { toHex } from '@conclave/core'
import type { FromWorker, ToWorker } from '@conclave/node'
import { decode, Frame } from '@conclave/wire'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

const CONFIRM = 3

/** Faults that wait for a refill of a correlation pool: at other times they would seldom meet one. */
export class RefillFaults {
  readonly #world: World
  /** Sessions that make correlations, by id. */
  readonly #sessions = new Set<string>()
  readonly #crashes = new Map<SimNode, { left: number; readonly die: () => void }>()
  readonly #losing = new Set<SimNode>()

  constructor(world: World) {
    this.#world = world
    world.watch({ worker: (node, message) => this.#saw(node, message) })
  }

  /** The node dies as its worker hands out the `message`-th message of a refill from now on. */
  crash(node: SimNode, message: number, die: () => void): void {
    this.#crashes.set(node, { left: message, die })
  }

  /** The next last message of a refill that the node sends is lost: it has the entries, and its peer has not. */
  loseConfirm(node: SimNode): void {
    const { outlets, trace } = { outlets: this.#world.network.outlets, trace: this.#world.trace }
    // What a deviant sends is its own affair.
    if (outlets.has(node.name)) return
    this.#losing.add(node)
    outlets.set(node.name, (to, frame) => {
      const { body } = decode(Frame, frame)
      const isLast = 'session' in body && body.session.round === CONFIRM && this.#sessions.has(toHex(body.session.sessionId))
      if (!isLast) return [{ to, frame, delayMs: 0 }]
      this.#restore(node)
      trace.fault('lost-confirm', `${node.name}>${to}`)
      return []
    })
  }

  /** None of it happens any more. */
  end(): void {
    this.#crashes.clear()
    for (const node of [...this.#losing]) this.#restore(node)
  }

  #restore(node: SimNode): void {
    this.#losing.delete(node)
    this.#world.network.outlets.delete(node.name)
  }

  #saw(node: SimNode, message: ToWorker | FromWorker): void {
    if (message.type === 'start' && message.job.kind === 'correlate') this.#sessions.add(message.id)
    if (message.type !== 'send' || !this.#sessions.has(message.id)) return
    const crash = this.#crashes.get(node)
    if (crash === undefined) return
    crash.left--
    if (crash.left > 0) return
    this.#crashes.delete(node)
    crash.die()
  }
}
