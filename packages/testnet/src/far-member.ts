import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from '@conclave/core'
import { DelayLine } from './delay-line.ts'
import { ownerOf } from './socket-owner.ts'

/** How far members are from each other. Delay is all that is emulated: no loss, no limit of capacity, no reordering. */
export interface FarLinks {
  /** One way, in milliseconds; asked for every connection and direction. */
  delayMs(from: string, to: string): number
  /** Added to a piece's delay: evenly between nothing and this. Default 0. */
  readonly jitterMs?: number
}

export interface FarMemberInit {
  readonly name: string
  /** Where the member itself listens on loopback. */
  readonly port: number
  readonly links: FarLinks
  /** Process ids of the members by name: how a connection is known to be somebody's. */
  readonly processes: () => ReadonlyMap<string, number>
}

const monotonic: Clock = { nowMs: () => performance.now(), after: systemClock.after }

/** A relay on loopback before one member: whoever connects to it is as far away as the links say. Linux only. */
export class FarMember {
  readonly #init: FarMemberInit
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(init: FarMemberInit, server: Server) {
    this.#init = init
    this.#server = server
  }

  static async start(init: FarMemberInit): Promise<FarMember> {
    // Half-open: each direction ends when its own last piece is through.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    const relay = new FarMember(init, server)
    server.on('connection', (near) => {
      near.on('error', () => near.destroy())
      relay.#accept(near).catch(() => near.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return relay
  }

  get address(): string {
    return `/ip4/127.0.0.1/tcp/${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #accept(near: Socket): Promise<void> {
    const { name, port, links, processes } = this.#init
    this.#sockets.add(near)
    near.on('close', () => this.#sockets.delete(near))
    const dialler = await ownerOf({ localPort: near.localPort ?? 0, remotePort: near.remotePort ?? 0 }, processes())
    // Gone already, or nobody of ours: a member would dial again.
    if (dialler === undefined || near.destroyed) return void near.destroy()
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#sockets.add(far)
    far.on('close', () => this.#sockets.delete(far))
    this.#join(near, far, () => links.delayMs(dialler, name))
    this.#join(far, near, () => links.delayMs(name, dialler))
    near.resume()
  }

  #join(from: Socket, to: Socket, delayMs: () => number): void {
    const { jitterMs = 0 } = this.#init.links
    const line = new DelayLine({
      delayMs: () => delayMs() + Math.random() * jitterMs,
      clock: monotonic,
      deliver: (piece) => to.write(piece),
      ended: () => to.end(),
      flowing: (flows) => (flows ? from.resume() : from.pause()),
    })
    from.on('data', (piece: Buffer) => line.push(piece))
    from.on('end', () => line.end())
    // A connection that breaks is broken at once at both ends.
    from.on('error', () => to.destroy())
    from.on('close', (failed) => (failed ? to.destroy() : undefined))
    to.on('close', () => line.stop())
  }
}
