import type { ClusterLock, IdentitySigner } from '@conclave/core'
import { decode, encode, Hello } from '@conclave/wire'
import type { Connection, PrivateKey, Stream, StreamMessageEvent } from '@libp2p/interface'
import { clusterOf, type TestCluster, testCluster } from './conformance-cluster.ts'
import type { ConformanceWorld } from './conformance-stage.ts'
import { FrameReader, prefixed } from './framing.ts'
import { HELLO_BYTES_MAX, helloOf, LINK_STREAM } from './hello.ts'
import { externalPrivateKey } from './identity-signer.ts'
import { createNode, dialAddress, type Node } from './libp2p-node.ts'
import { libp2pTransport } from './libp2p-transport.ts'
import { silentLogger } from './logger.ts'
import type { Transport } from './transport.ts'
import { defaultTuning, type Tuning } from './tuning.ts'

export const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

/** Where the newest transport of a member listens; a test may put something of its own in between. */
export type Directory = Map<string, () => readonly string[]>

/** Everybody listens on a free port of loopback and dials what the directory says. */
export function loopbackWorld(tuning: Partial<Tuning> = {}, directory: Directory = new Map()): ConformanceWorld {
  return {
    transport(init) {
      const transport: Transport = libp2pTransport({
        ...init,
        tuning,
        listen: [LOOPBACK],
        addressesOf: (member) => directory.get(member.peerId)?.() ?? [],
      })
      directory.set(transport.self.peerId, () => transport.addresses())
      return transport
    },
    close: async () => undefined,
  }
}

/** node-1 and node-2 as usual; node-3 has no address in the lock, so it is the one who dials. */
export function clusterWithDialer(): TestCluster {
  const { lock } = testCluster(3)
  return clusterOf({ ...lock, nodes: lock.nodes.map((n) => (n.name === 'node-3' ? { ...n, addresses: [] } : n)) })
}

export interface RawLink {
  readonly connection: Connection
  readonly stream: Stream
  /** Resolves when the connection is closed, whoever closed it. */
  readonly closed: Promise<void>
}

/** A libp2p node that knows the lock and does with its connections what a test wants. */
export class RawPeer {
  readonly #node: Node
  readonly #lock: ClusterLock

  private constructor(node: Node, lock: ClusterLock) {
    this.#node = node
    this.#lock = lock
  }

  static async start(lock: ClusterLock, signer: IdentitySigner | PrivateKey): Promise<RawPeer> {
    const privateKey = 'raw' in signer ? signer : externalPrivateKey(signer, 10_000, silentLogger)
    const node = await createNode({ lock, privateKey, listen: [], gate: {}, tuning: defaultTuning })
    await node.libp2p.start()
    return new RawPeer(node, lock)
  }

  async connect(to: Transport): Promise<Connection> {
    const targets = to.addresses().map((a) => dialAddress(a, to.self.peerId))
    return this.#node.libp2p.dial(targets, { force: true })
  }

  /** Connected, with the stream of the link open and nothing said on it. */
  async open(to: Transport): Promise<RawLink> {
    const connection = await this.connect(to)
    const closed = closing(connection)
    return { connection, stream: await connection.newStream(LINK_STREAM), closed }
  }

  /** An open link with `hello` said on it (an honest one by default), and the answer read. */
  async greet(to: Transport, hello: Partial<Hello> = {}): Promise<RawLink & { readonly answer: Hello }> {
    const link = await this.open(to)
    return { ...link, answer: await this.greetOn(link.stream, hello) }
  }

  async greetOn(stream: Stream, hello: Partial<Hello> = {}): Promise<Hello> {
    const answer = Promise.withResolvers<Hello>()
    const reader = new FrameReader(HELLO_BYTES_MAX)
    const read = (event: StreamMessageEvent) => {
      for (const frame of reader.read(event.data)) answer.resolve(decode(Hello, frame))
      stream.removeEventListener('message', read)
    }
    stream.addEventListener('message', read)
    stream.addEventListener('close', () => answer.reject(new Error('closed without an answer')))
    stream.send(prefixed(encode(Hello, { ...helloOf(this.#lock, 'raw'), ...hello })))
    return answer.promise
  }

  async stop(): Promise<void> {
    await this.#node.libp2p.stop()
  }
}

export function closing(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    if (connection.status === 'open') connection.addEventListener('close', () => resolve())
    else resolve()
  })
}
