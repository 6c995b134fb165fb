import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { originOf } from '@conclave/audit'
import {
  approveLock,
  type Clock,
  type ClusterLock,
  type CoordinatorMember,
  type Member,
  type Newcomer,
  type NodeMember,
  nextLock,
  nodeOf,
  type PartyId,
  type PolicyAuthors,
  signLock,
  tagged,
  toHex,
  utf8,
} from '@conclave/core'
import type { Policy } from '@conclave/policy'
import { type Logger, MemoryHub, memoryTransport, peerIdOf, silentLogger, softIdentity, type Transport } from '@conclave/transport'
import { type KeyVault, type MemoryDevice, memoryVault } from '@conclave/vault'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { AuditJournal } from './audit/audit-journal.ts'
import type { AuditParts } from './audit/node-audit.ts'
import { cardOf, deviceOf, type NextLockOptions, POLICY } from './members.fixture.ts'
import { MortalClock } from './mortal-clock.fixture.ts'
import { ApproverNode } from './node.ts'
import type { NodeParts } from './node-parts.ts'
import type { WaterMarks } from './pool/refill.ts'
import { processMeter } from './process-meter.ts'
import { SessionPool } from './sessions/session-pool.ts'
import { ownThread } from './sessions/session-worker.ts'
import { LevelStore } from './store/level-store.ts'
import type { Store } from './store/store.ts'
import { type Tamper, tampering } from './tampering.fixture.ts'

export { ALLOWED, POLICY } from './members.fixture.ts'

/** Above every number of a first device. */
const REBUILT = 100

/** Wraps parts of a node before it starts, so that a test can make them fail. */
export type Rig = (parts: NodeParts) => NodeParts

export interface StartOptions {
  readonly policy?: Policy
  readonly rig?: Rig
  readonly silenceTimeoutMs?: number
  /** Of the correlation pool, which is off unless a test is about it. */
  readonly waterMarks?: WaterMarks
  readonly log?: Logger
  /** Another lock than the cluster's. */
  readonly lock?: ClusterLock
  /** Each node keeps a log of its own; {@link TestCluster.auditDir} says where. */
  readonly audit?: Partial<Omit<AuditParts, 'journal'>>
}

interface Alive {
  readonly node: ApproverNode
  readonly pool: SessionPool
  readonly store: Store
  readonly vault: KeyVault
  readonly clock: MortalClock
  readonly member: Member
  readonly journal: AuditJournal | undefined
}

/** Nodes over the memory twins in one process, each with its own HSM device, database and worker; and a coordinator's link. */
export class TestCluster {
  readonly hub = new MemoryHub()
  readonly dir: string
  /** By name of the sender. */
  readonly tamper = new Map<string, Tamper>()
  readonly #devices: Map<string, MemoryDevice>
  readonly #nodes = new Map<string, Alive>()
  readonly #answers = new Map<number, (r: Response['body']) => void>()
  #lock: ClusterLock
  #link: Transport | undefined
  #next = 1

  private constructor(lock: ClusterLock, devices: Map<string, MemoryDevice>, dir: string) {
    this.#lock = lock
    this.#devices = devices
    this.dir = dir
  }

  static async create(n = 5, required = 3, authors?: PolicyAuthors): Promise<TestCluster> {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-node-'))
    const devices = new Map(Array.from({ length: n }, (_, i) => [`n${i + 1}`, deviceOf(i)]))
    const vaults = await Promise.all([...devices.values()].map((d) => memoryVault({ devices: [d] })))
    const nodes = vaults.map((v, i): NodeMember => ({ ...cardOf(`n${i + 1}`, v), index: i + 1 }))
    const coordinators: CoordinatorMember[] = [
      { kind: 'coordinator', name: 'c1', peerId: peerIdOf(softIdentity(tagged('test-coordinator')).key), addresses: [] },
    ]
    let lock: ClusterLock = {
      ...{ version: 1, clusterId: toHex(tagged('test-cluster')) },
      previous: '',
      quorum: { required, of: n },
      nodes,
      coordinators,
      authors,
      signatures: new Map(),
      approvals: new Map(),
    }
    for (const v of vaults) lock = await signLock(lock, v.identity)
    for (const v of vaults) await v.close()
    const cluster = new TestCluster(lock, devices, dir)
    for (const node of nodes) await LevelStore.create(join(dir, node.name))
    await cluster.#connectCoordinator()
    return cluster
  }

  /** The lock that nodes start with, and that the coordinator's link has. */
  get lock(): ClusterLock {
    return this.#lock
  }

  /** The successor of the present lock, approved by its nodes and signed by its own. Nothing runs under it yet. */
  async nextLock(change: NextLockOptions = {}): Promise<ClusterLock> {
    const { required, replace = {}, add = [], remove = [], approvers = this.names() } = change
    const replaced: [string, Newcomer][] = []
    for (const [old, name] of Object.entries(replace)) replaced.push([old, await this.#newcomer(name)])
    const added: Newcomer[] = []
    for (const name of add) added.push(await this.#newcomer(name))
    const rest = { replace: new Map(replaced), add: added, remove }
    let next = nextLock(this.#lock, required === undefined ? rest : { required, ...rest })
    for (const name of approvers) next = await this.#withVault(name, (v) => approveLock(this.#lock, next, v.identity))
    for (const { name } of next.nodes) next = await this.#withVault(name, (v) => signLock(next, v.identity))
    return next
  }

  /** From here on nodes start with `lock`, and the coordinator has its links under it. What runs goes on under the old one. */
  async moveTo(lock: ClusterLock): Promise<void> {
    this.#lock = lock
    await this.#link?.stop()
    await this.#connectCoordinator()
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

  /** Where the log of a node lies, which outlives it. */
  auditDir(name: string): string {
    return join(this.dir, `${name}-audit`)
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
    return LevelStore.open(join(this.dir, name), tagged('test-store', utf8(name)))
  }

  async start(names: readonly string[] = this.names(), options: StartOptions = {}): Promise<void> {
    const lock = options.lock ?? this.#lock
    for (const name of names) {
      const vault = await memoryVault({ devices: [this.#devices.get(name) as MemoryDevice] })
      const store = await this.openStore(name)
      const pool = new SessionPool({ size: 1, near: ownThread() })
      const clock = new MortalClock()
      const audit = await this.#openAudit(name, clock, options.audit)
      const parts: NodeParts = {
        ...{ lock, name, vault, store, pool, clock, meter: processMeter() },
        transport: tampering(memoryTransport(this.hub, { lock, self: name }), () => this.tamper.get(name)),
        ...{ policy: options.policy ?? POLICY, log: options.log ?? silentLogger, maxConcurrent: 32 },
        silenceTimeoutMs: options.silenceTimeoutMs ?? 20_000,
        waterMarks: options.waterMarks ?? { low: 0, high: 0 },
        ...(audit === undefined ? {} : { audit }),
      }
      const rigged = options.rig?.(parts) ?? parts
      const node = await ApproverNode.start(rigged).catch(async (error: unknown) => {
        // It may start again, under another lock.
        clock.die()
        for (const part of [store, pool, vault, audit?.journal]) await part?.close()
        throw error
      })
      this.#nodes.set(name, { node, pool, store, vault: rigged.vault, clock, member: parts.transport.self, journal: audit?.journal })
    }
  }

  /** Like SIGKILL: no goodbye; what was synced stays, and the name can start again. */
  async kill(name: string): Promise<void> {
    const running = this.#nodes.get(name)
    if (running === undefined) return
    this.#nodes.delete(name)
    running.clock.die()
    this.hub.kill(running.member)
    for (const part of [running.store, running.journal, running.pool, running.vault]) await part?.close()
  }

  /** What a coordinator asks of a node; a failure is an answer too. */
  ask(index: number, body: Request['body']): Promise<Response['body']> {
    const id = this.#next++
    return new Promise((resolve) => {
      this.#answers.set(id, resolve)
      const to = nodeOf(this.lock, index) as NodeMember
      this.#link?.send(to, encode(Frame, { body: { request: { id, traceparent: '', body } } }))
    })
  }

  /** Raw bytes from the coordinator to a node. */
  sendRaw(index: number, bytes: Uint8Array): void {
    this.#link?.send(nodeOf(this.lock, index) as NodeMember, bytes)
  }

  /** A machine and an HSM that are gone: the name gets new ones, with nothing in them. */
  async rebuild(name: string): Promise<void> {
    await this.kill(name)
    await rm(join(this.dir, name), { recursive: true })
    this.#devices.set(name, deviceOf(REBUILT + this.member(name).index))
    await LevelStore.create(join(this.dir, name))
  }

  async close(): Promise<void> {
    for (const name of [...this.#nodes.keys()]) await this.kill(name)
    await this.#link?.stop()
    await rm(this.dir, { recursive: true, force: true })
  }

  async #newcomer(name: string): Promise<Newcomer> {
    if (!this.#devices.has(name)) {
      this.#devices.set(name, deviceOf(this.#devices.size))
      await LevelStore.create(join(this.dir, name))
    }
    return this.#withVault(name, async (vault) => cardOf(name, vault))
  }

  async #withVault<T>(name: string, act: (vault: KeyVault) => Promise<T>): Promise<T> {
    const vault = await memoryVault({ devices: [this.device(name)] })
    try {
      return await act(vault)
    } finally {
      await vault.close()
    }
  }

  async #openAudit(name: string, clock: Clock, asked: StartOptions['audit']): Promise<AuditParts | undefined> {
    if (asked === undefined) return undefined
    const origin = originOf(this.lock.clusterId, name)
    const journal = await AuditJournal.open({ dir: this.auditDir(name), origin, node: name, clock, log: silentLogger })
    return { everyEntries: 1000, everyMs: 60_000, ...asked, journal }
  }

  #alive(name: string): Alive {
    const running = this.#nodes.get(name)
    if (running === undefined) throw new Error(`${name} is not running`)
    return running
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
