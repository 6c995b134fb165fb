import type { Member, NodeMember, PartyId } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { COORDINATOR } from './sim-cluster.ts'
import { FOREVER } from './timeline.ts'
import type { World } from './world.ts'

export type Answer = Response['body']

/** Sees every answer of a node. */
export type Listener = (from: PartyId, body: Answer) => void

/** The coordinator's place in a world: asks nodes over the same network, with the same faults. */
export class Driver {
  readonly world: World
  readonly #open = new Map<number, (body: Answer | undefined) => void>()
  readonly #transport: Transport
  readonly #listeners: Listener[] = []
  #next = 1

  constructor(world: World) {
    this.world = world
    this.#transport = world.network.transport(COORDINATOR, FOREVER)
  }

  start(): Promise<void> {
    return this.#transport.start({
      frame: (from, bytes) => this.#heard(from, bytes),
      linkUp: () => undefined,
      linkDown: () => undefined,
    })
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
      try {
        this.#transport.send(this.world.lock.nodes[party - 1] as NodeMember, encode(Frame, { body: { request: { id, body } } }))
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
    for (const l of this.#listeners) l(from.index, body.response.body)
    this.#open.get(body.response.id)?.(body.response.body)
  }
}
