import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Clock,
  type ClusterLock,
  type CoordinatorMember,
  type Member,
  type NodeMember,
  type PartyId,
  seededRandom,
  signLock,
  systemClock,
  tagged,
  toHex,
  u32,
  utf8,
} from '@conclave/core'
import { type Policy, parsePolicy } from '@conclave/policy'
import { type Logger, MemoryHub, memoryTransport, peerIdOf, silentLogger, softIdentity, type Transport } from '@conclave/transport'
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

/** What a node does to a frame on its way out: another body, or undefined for silence. */
export type Tamper = (to: Member, body: Frame['body']) => Frame['body'] | undefined

export interface StartOptions {
  readonly policy?: Policy
  readonly rig?: Rig
  readonly silenceTimeoutMs?: number
  readonly log?: Logger
}

interface Alive {
  readonly node: ApproverNode
  readonly pool: SessionPool
  readonly store: Store
  readonly vault: KeyVault
  readonly clock: MortalClock
}

/** A clock that dies with its node: a killed process has no timers. */
class MortalClock implements Clock {
  readonly #cancels = new Set<() => void>()
  #dead = false

  nowMs(): number {
    return systemClock.nowMs()
  }

  after(delayMs: number, fire: () => void): () => void {
    if (this.#dead) return () => undefined
    const cancel = systemClock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      fire()
    })
    this.#cancels.add(cancel)
    return () => {
      this.#cancels.delete(cancel)
      cancel()
    }
  }

  die(): void {
    this.#dead = true
    for (const cancel of this.#cancels) cancel()
  }
}

/** Nodes over the memory twins in one process, each with its own HSM device, database and worker; and a coordinator's link. */
export class TestCluster {
  readonly hub = new MemoryHub()
  readonly lock: ClusterLock
  readonly dir: string
  /** By name of the sender. */
  readonly tamper = new Map<string, Tamper>()
  readonly #devices: ReadonlyMap<string, MemoryDevice>
  readonly #nodes = new Map<string, Alive>()
  readonly #answers = new Map<number, (r: Response['body']) => void>()
  #link: Transport | undefined
  #next = 1

  private constructor(lock: ClusterLock, devices: ReadonlyMap<string, MemoryDevice>, dir: string) {
    this.lock = lock
    this.#devices = devices
    this.dir = dir
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

  parties(): readonly PartyId[] {
    return this.lock.nodes.map((n) => n.index)
  }

  member(name: string): NodeMember {
    const member = this.lock.nodes.find((n) => n.name === name)
    if (member === undefined) throw new Error(`no ${name}`)
    return member
  }

  node(name: string): ApproverNode {
    return this.#alive(name).node
  }

  pool(name: string): SessionPool {
    return this.#alive(name).pool
  }

  /** The HSM of a node, which outlives it. */
  device(name: string): MemoryDevice {
    return this.#devices.get(name) as MemoryDevice
  }

  /** The database of a running node, to look into. */
  store(name: string): Store {
    return this.#alive(name).store
  }

  /** A bare link in the place of a node that is not running: for what no node of ours would say. */
  async impostor(name: string, heard: (bytes: Uint8Array) => void = () => undefined): Promise<Transport> {
    const link = memoryTransport(this.hub, { lock: this.lock, self: name })
    await link.start({ frame: (_from, bytes) => heard(bytes), linkUp: () => undefined, linkDown: () => undefined })
    return link
  }

  /** The database of a node that is not running; the caller closes it. */
  openStore(name: string): Promise<Store> {
    return Store.open(join(this.dir, name), tagged('test-store', utf8(name)))
  }

  async start(names: readonly string[] = this.names(), options: StartOptions = {}): Promise<void> {
    for (const name of names) {
      const vault = await memoryVault({ devices: [this.#devices.get(name) as MemoryDevice] })
      const store = await this.openStore(name)
      const pool = new SessionPool(1)
      const clock = new MortalClock()
      const parts: NodeParts = {
        ...{ lock: this.lock, name, vault, store, pool, clock },
        transport: this.#tampering(name, memoryTransport(this.hub, { lock: this.lock, self: name })),
        policy: options.policy ?? POLICY,
        log: options.log ?? silentLogger,
        maxConcurrent: 32,
        silenceTimeoutMs: options.silenceTimeoutMs ?? 20_000,
      }
      const node = await ApproverNode.start(options.rig?.(parts) ?? parts)
      this.#nodes.set(name, { node, pool, store, vault, clock })
    }
  }

  /** Like SIGKILL: no goodbye; what was synced stays, and the name can start again. */
  async kill(name: string): Promise<void> {
    const running = this.#nodes.get(name)
    if (running === undefined) return
    this.#nodes.delete(name)
    running.clock.die()
    this.hub.kill(this.member(name))
    await running.store.close()
    await running.pool.close()
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
    await rm(this.dir, { recursive: true, force: true })
  }

  #alive(name: string): Alive {
    const running = this.#nodes.get(name)
    if (running === undefined) throw new Error(`${name} is not running`)
    return running
  }

  #tampering(name: string, real: Transport): Transport {
    return {
      self: real.self,
      start: (events) => real.start(events),
      links: () => real.links(),
      addresses: () => real.addresses(),
      stop: () => real.stop(),
      send: (to, frame) => {
        const tamper = this.tamper.get(name)
        if (tamper === undefined) return real.send(to, frame)
        const body = tamper(to, decode(Frame, frame).body)
        if (body !== undefined) real.send(to, encode(Frame, { body }))
      },
    }
  }

  async #connectCoordinator(): Promise<void> {
    this.#link = memoryTransport(this.hub, { lock: this.lock, self: 'c1' })
    await this.#link.start({
      frame: (_from, bytes) => {
        const { body } = decode(Frame, bytes)
        if (!('response' in body)) return
        this.#answers.get(body.response.id)?.(body.response.body)
        this.#answers.delete(body.response.id)
      },
      linkUp: () => undefined,
      linkDown: () => undefined,
    })
  }
}
