import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ClusterLock,
  type CoordinatorMember,
  type NodeMember,
  seededRandom,
  signLock,
  systemClock,
  tagged,
  toHex,
  u32,
  utf8,
} from '@conclave/core'
import { type Policy, parsePolicy } from '@conclave/policy'
import { MemoryHub, memoryTransport, peerIdOf, silentLogger, softIdentity, type Transport } from '@conclave/transport'
import { type KeyVault, MemoryDevice, memoryVault } from '@conclave/vault'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { ApproverNode, type NodeParts } from './node.ts'
import { SessionPool } from './sessions/session-pool.ts'
import { Store } from './store/store.ts'

export const ALLOWED = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
export const POLICY = parsePolicy(`
version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', feeMaxWei: '1000000000000000000' }
`)

/** Wraps parts of a node before it starts, so that a test can make them fail. */
export type Rig = (parts: NodeParts) => NodeParts

/** Five nodes over the memory twins in one process, each with its own HSM device, database and worker; and a coordinator's link. */
export class TestCluster {
  readonly hub = new MemoryHub()
  readonly lock: ClusterLock
  readonly #devices: ReadonlyMap<string, MemoryDevice>
  readonly #dir: string
  readonly #nodes = new Map<string, { node: ApproverNode; pool: SessionPool; store: Store; vault: KeyVault }>()
  readonly #answers = new Map<number, (r: Response['body']) => void>()
  #link: Transport | undefined
  #next = 1

  private constructor(lock: ClusterLock, devices: ReadonlyMap<string, MemoryDevice>, dir: string) {
    this.lock = lock
    this.#devices = devices
    this.#dir = dir
  }

  static async create(n = 5, required = 3): Promise<TestCluster> {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-node-'))
    const devices = new Map(
      Array.from({ length: n }, (_, i) => [`n${i + 1}`, new MemoryDevice({ name: 'primary', random: seededRandom(u32(i)) })]),
    )
    const vaults = await Promise.all([...devices.values()].map((d) => memoryVault({ devices: [d] })))
    const nodes = vaults.map(
      (v, i): NodeMember => ({
        kind: 'node',
        index: i + 1,
        name: `n${i + 1}`,
        peerId: peerIdOf(v.identity.key),
        addresses: [],
        identity: v.identity.key,
      }),
    )
    const coordinators: CoordinatorMember[] = [
      { kind: 'coordinator', name: 'c1', peerId: peerIdOf(softIdentity(tagged('test-coordinator')).key), addresses: [] },
    ]
    let lock: ClusterLock = {
      version: 1,
      clusterId: toHex(tagged('test-cluster')),
      quorum: { required, of: n },
      nodes,
      coordinators,
      signatures: new Map(),
    }
    for (const v of vaults) lock = await signLock(lock, v.identity)
    for (const v of vaults) await v.close()
    const cluster = new TestCluster(lock, devices, dir)
    for (const node of nodes) await Store.create(join(dir, node.name))
    await cluster.#connectCoordinator()
    return cluster
  }

  names(): readonly string[] {
    return this.lock.nodes.map((n) => n.name)
  }

  node(name: string): ApproverNode {
    const running = this.#nodes.get(name)
    if (running === undefined) throw new Error(`${name} is not running`)
    return running.node
  }

  async start(
    names: readonly string[] = this.names(),
    options: { policy?: Policy; rig?: Rig; silenceTimeoutMs?: number } = {},
  ): Promise<void> {
    for (const name of names) {
      const vault = await memoryVault({ devices: [this.#devices.get(name) as MemoryDevice] })
      const store = await Store.open(join(this.#dir, name), tagged('test-store', utf8(name)))
      const pool = new SessionPool(1)
      const transport = memoryTransport(this.hub, { lock: this.lock, self: name })
      const parts: NodeParts = {
        lock: this.lock,
        name,
        vault,
        transport,
        store,
        pool,
        policy: options.policy ?? POLICY,
        clock: systemClock,
        log: silentLogger,
        maxConcurrent: 32,
        silenceTimeoutMs: options.silenceTimeoutMs ?? 20_000,
      }
      const node = await ApproverNode.start(options.rig?.(parts) ?? parts)
      this.#nodes.set(name, { node, pool, store, vault })
    }
  }

  /** Like SIGKILL: no goodbye; what was synced stays, and the name can start again. */
  async kill(name: string): Promise<void> {
    const running = this.#nodes.get(name)
    if (running === undefined) return
    this.#nodes.delete(name)
    this.hub.kill(this.lock.nodes.find((n) => n.name === name) as NodeMember)
    await running.pool.close()
    await running.store.close()
    await running.vault.close()
  }

  /** What a coordinator asks of a node; a failure is an answer too. */
  ask(index: number, body: Request['body']): Promise<Response['body']> {
    const id = this.#next++
    return new Promise((resolve) => {
      this.#answers.set(id, resolve)
      const to = this.lock.nodes[index - 1] as NodeMember
      this.#link?.send(to, encode(Frame, { body: { request: { id, body } } }))
    })
  }

  /** Raw bytes from the coordinator to a node. */
  sendRaw(index: number, bytes: Uint8Array): void {
    this.#link?.send(this.lock.nodes[index - 1] as NodeMember, bytes)
  }

  async close(): Promise<void> {
    for (const name of [...this.#nodes.keys()]) await this.kill(name)
    await this.#link?.stop()
    await rm(this.#dir, { recursive: true, force: true })
  }

  async #connectCoordinator(): Promise<void> {
    this.#link = memoryTransport(this.hub, { lock: this.lock, self: 'c1' })
    await this.#link.start({
      frame: (_from, bytes) => {
        const { body } = decode(Frame, bytes)
        if ('response' in body) this.#answers.get(body.response.id)?.(body.response.body)
      },
      linkUp: () => undefined,
      linkDown: () => undefined,
    })
  }
}
