import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP relay on loopback that can lose connections in the ways that networks do. */
export class LoopbackProxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [near: Socket, far: Socket]>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param targetPort - asked for every connection. */
  static async start(targetPort: () => number): Promise<LoopbackProxy> {
    const server = createServer()
    const proxy = new LoopbackProxy(server)
    server.on('connection', (near) => proxy.#relay(near, connect(targetPort(), '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get address(): string {
    return `/ip4/127.0.0.1/tcp/${(this.#server.address() as AddressInfo).port}`
  }

  /** A black hole: what is open stays open and carries nothing. New connections work. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
    }
  }

  /** The dialling side sees its connections end; the other side hears nothing, as after a power cut. */
  dropDialler(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
      near.destroy()
    }
  }

  async stop(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #relay(near: Socket, far: Socket): void {
    const pair = [near, far] as const
    this.#pairs.add(pair)
    // Errors are what this is for; 'close' follows each.
    for (const socket of pair) socket.on('error', () => undefined)
    near.pipe(far)
    far.pipe(near)
  }
}
