import { type ClusterLock, type Member, nodeOf, type PartyId } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { COORDINATOR } from './sim-cluster.ts'
import type { SimNode } from './sim-node.ts'
import { FOREVER } from './timeline.ts'
import type { World } from './world.ts'

export type Answer = Response['body']

/** Sees every answer of a node. */
export type Listener = (from: SimNode, body: Answer) => void

/** The coordinator's place in a world: asks nodes over the same network, with the same faults. */
export class Driver {
  readonly world: World
  readonly #open = new Map<number, (body: Answer | undefined) => void>()
  readonly #listeners: Listener[] = []
  /** The lock that it goes by. */
  lock: ClusterLock
  #transport: Transport
  #next = 1

  constructor(world: World) {
    this.world = world
    this.lock = world.lock
    this.#transport = world.network.transport(COORDINATOR, FOREVER, this.lock)
  }

  start(): Promise<void> {
    return this.#transport.start({
      frame: (from, bytes) => this.#heard(from, bytes),
      linkUp: () => undefined,
      linkDown: () => undefined,
    })
  }

  /** Starts anew under the newest lock. What it has asked stays unanswered. */
  async move(): Promise<void> {
    await this.#transport.stop()
    this.lock = this.world.lock
    this.#transport = this.world.network.transport(COORDINATOR, FOREVER, this.lock)
    this.world.trace.note(`the coordinator is at version ${this.lock.version}`)
    await this.start()
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener)
  }

  /** The answer of a node, or undefined when none came in time. */
  ask(party: PartyId, body: Request['body'], timeoutMs: number): Promise<Answer | undefined> {
    const id = this.#next++
    return new Promise((resolve) => {
      const finish = (answer: Answer | undefined) => {
        this.#open.delete(id)
        cancel()
        resolve(answer)
      }
      const cancel = this.world.timeline.after(timeoutMs, () => finish(undefined))
      this.#open.set(id, finish)
      const member = nodeOf(this.lock, party)
      if (member === undefined) return finish(undefined)
      try {
        this.#transport.send(member, encode(Frame, { body: { request: { id, traceparent: '', body } } }))
      } catch {
        // The link is down: as good as a timeout, and known at once.
        finish(undefined)
      }
    })
  }

  /** Asks all of them; one entry each. */
  async askAll(parties: readonly PartyId[], body: Request['body'], timeoutMs: number): Promise<ReadonlyMap<PartyId, Answer | undefined>> {
    return new Map(await Promise.all(parties.map(async (j) => [j, await this.ask(j, body, timeoutMs)] as const)))
  }

  #heard(from: Member, bytes: Uint8Array): void {
    if (from.kind !== 'node') return
    const { body } = decode(Frame, bytes)
    if (!('response' in body)) return
    const node = this.world.machines.get(from.name) as SimNode
    for (const l of this.#listeners) l(node, body.response.body)
    this.#open.get(body.response.id)?.(body.response.body)
  }
}
