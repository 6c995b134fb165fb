import { appendFile, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConclaveClient } from '@conclave/client'
import { lockHash, parseLock, toHex } from '@conclave/core'
import { Child, runCommand, until } from './child.ts'
import { type FarLinks, FarMember } from './far-member.ts'
import { freePorts } from './ports.ts'

/** The same program that an operator runs. */
export const CONCLAVE = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
/** As docs/operations.md tells operators to start a node: what the engine and the C library may keep of what is free. */
const BOUNDED = { args: ['--max-semi-space-size=4'], env: { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '1048576' } }
const START_TIMEOUT_MS = 60_000
const COORDINATOR = 'coordinator'

export const NODE_NAMES = ['zurich', 'oslo', 'lisbon', 'vienna', 'dublin'] as const

export interface ClusterPlan {
  readonly dir: string
  readonly names: readonly string[]
  readonly required: number
  /** YAML that every node's operator puts in place. */
  readonly policy: string
  /** Coordinators that are in the lock and run no program: a test or a bench speaks for them (ControlPeer). */
  readonly silentCoordinators?: readonly string[]
  /** Of every node's correlation pool; none is made ahead of need unless this or `nodeSettings` says so. */
  readonly pool?: { readonly low: number; readonly high: number }
  /** More arguments of `conclave node init`, by the name of the node: e.g. which HSM. */
  readonly nodeInit?: Readonly<Record<string, readonly string[]>>
  /** YAML that goes below every node's settings, and below those of the coordinator. */
  readonly nodeSettings?: string
  readonly coordinatorSettings?: string
  /** Members are this far from each other; without it, as near as loopback. Linux only. */
  readonly links?: FarLinks
}

export const conclave = (...args: readonly string[]): Promise<string> => runCommand(process.execPath, [CONCLAVE, ...args])

/** What an operator types after comparing the hash with the others; `previous` when it is not the first lock. */
export async function signLock(dir: string, lock: string, previous?: string): Promise<void> {
  const hash = toHex(lockHash(parseLock(JSON.parse(await readFile(lock, 'utf8')))))
  const before = previous === undefined ? [] : ['--previous', previous]
  await conclave('cluster', 'sign', '--dir', dir, '--lock', lock, '--hash', hash, ...before)
}

/** The lock gives another address than the one that this member listens on. */
async function announce(home: string, address: string | undefined): Promise<void> {
  if (address === undefined) return
  const file = join(home, 'card.json')
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), addresses: [address] }))
}

/** Where a member listens, and what stands before it when it is far away. */
interface Place {
  readonly listen: string
  readonly far: FarMember | undefined
}

/** A node with a fresh HSM token and identity, and what its operator puts into its directory. */
async function initNode(
  { dir, policy, pool = { low: 0, high: 0 }, nodeSettings = '', nodeInit = {} }: ClusterPlan,
  name: string,
  { listen, far }: Place,
): Promise<void> {
  const home = join(dir, name)
  await conclave('node', 'init', '--dir', home, '--name', name, '--listen', listen, ...(nodeInit[name] ?? []))
  await writeFile(join(home, 'policy.yaml'), policy)
  const signing = /^signing:/m.test(nodeSettings) ? '' : `signing:\n  pool: { low: ${pool.low}, high: ${pool.high} }\n`
  await appendFile(join(home, 'node.yaml'), `${signing}${nodeSettings}`)
  await announce(home, far?.address)
}

/**
 * A cluster of real processes on this machine, made by the commands that its operators would type. Every node has a directory and
 * an HSM token of its own, and no process ever holds more than one share.
 */
export class LocalCluster {
  readonly dir: string
  readonly names: readonly string[]
  readonly client: ConclaveClient
  /** Of the coordinator's API. */
  readonly url: string
  readonly apiKey: string
  readonly #children = new Map<string, Child>()
  readonly #plan: ClusterPlan
  readonly #places: ReadonlyMap<string, Place>

  private constructor(plan: ClusterPlan, places: ReadonlyMap<string, Place>, url: string, apiKey: string) {
    this.#plan = plan
    this.#places = places
    this.dir = plan.dir
    this.names = plan.names
    this.url = url
    this.apiKey = apiKey
    this.client = new ConclaveClient({ url, apiKey })
  }

  /** The ceremonies: every node provisions its HSM, the lock is drafted and signed by each. */
  static async create(plan: ClusterPlan): Promise<LocalCluster> {
    const { dir, names, required, coordinatorSettings = '' } = plan
    await mkdir(dir, { recursive: true })
    const coordinators = [COORDINATOR, ...(plan.silentCoordinators ?? [])]
    const [httpPort, ...ports] = await freePorts(names.length + coordinators.length + 1)
    const at = (name: string, file = '') => join(dir, name, file)
    const http = `127.0.0.1:${httpPort}`
    let cluster: LocalCluster | undefined
    // Who dials in the coordinator's name while it does not run is this process (MemberPeer).
    const processes = () => new Map([[COORDINATOR, process.pid], ...(cluster?.pids() ?? [])])
    const places = new Map(
      await Promise.all(
        [...names, ...coordinators].map(async (name, i): Promise<[string, Place]> => {
          const port = ports[i] as number
          const far = plan.links === undefined ? undefined : await FarMember.start({ name, port, links: plan.links, processes })
          return [name, { listen: `/ip4/127.0.0.1/tcp/${port}`, far }]
        }),
      ),
    )
    const place = (name: string) => places.get(name) as Place
    await Promise.all([
      ...names.map((name) => initNode(plan, name, place(name))),
      ...coordinators.map(async (name) => {
        const where = ['--listen', place(name).listen, '--http', http]
        await conclave('coordinator', 'init', '--dir', at(name), '--name', name, ...where)
        await announce(at(name), place(name).far?.address)
      }),
    ])
    const lock = join(dir, 'cluster.lock.json')
    const cards = [...names, ...coordinators].map((name) => at(name, 'card.json'))
    await conclave('cluster', 'draft', '--card', ...cards, '--required', String(required), '--out', lock)
    // One after the other, as the file would travel from operator to operator.
    for (const name of names) await signLock(at(name), lock)
    for (const name of coordinators) await appendFile(at(name, 'coordinator.yaml'), coordinatorSettings)
    for (const name of [...names, ...coordinators]) await copyFile(lock, at(name, 'cluster.lock.json'))
    const apiKey = (await readFile(at(COORDINATOR, 'api-key'), 'utf8')).trim()
    cluster = new LocalCluster(plan, places, `http://${http}`, apiKey)
    return cluster
  }

  indexOf(name: string): number {
    return this.names.indexOf(name) + 1
  }

  dirOf(name: string): string {
    return join(this.dir, name)
  }

  /** The newest process of a node or of the coordinator. */
  child(name: string): Child | undefined {
    return this.#children.get(name)
  }

  alive(): readonly string[] {
    return this.names.filter((n) => this.#children.get(n)?.alive === true)
  }

  async startNodes(names: readonly string[] = this.names): Promise<void> {
    for (const name of names) this.#spawn('node', name)
    await Promise.all(names.map((name) => this.child(name)?.logged('"node is up"', START_TIMEOUT_MS)))
  }

  async startCoordinator(): Promise<void> {
    await this.#spawn('coordinator', COORDINATOR).logged('"coordinator started"', START_TIMEOUT_MS)
  }

  /** SIGKILL, of a node or of the coordinator. */
  async kill(name: string): Promise<void> {
    await this.child(name)?.kill()
  }

  /** SIGTERM, of a node or of the coordinator. */
  async stopOne(name: string): Promise<void> {
    await this.child(name)?.stop()
  }

  /** A disk and an HSM that are gone: the node is killed, and nothing of it is left. */
  async destroy(name: string): Promise<void> {
    await this.kill(name)
    await rm(this.dirOf(name), { recursive: true })
  }

  /**
   * The ceremony that gives the seat of a lost node to a new machine with a new HSM: its card, the next lock, everybody's signature,
   * a restart under the new lock. The new node holds no share, unless `prepare` gives it some before there is a lock with it.
   */
  async replace(name: string, prepare: (dir: string) => Promise<void> = async () => undefined): Promise<void> {
    await initNode(this.#plan, name, this.#places.get(name) as Place)
    await prepare(this.dirOf(name))
    const lock = join(this.dir, 'cluster.lock.json')
    const next = join(this.dir, 'next.lock.json')
    const card = `${name}=${join(this.dirOf(name), 'card.json')}`
    await conclave('cluster', 'next', '--lock', lock, '--replace', card, '--out', next)
    for (const signer of this.names) await signLock(this.dirOf(signer), next, lock)
    await conclave('cluster', 'verify', '--lock', next, '--previous', lock)
    await rename(next, lock)
    const members = [...this.names, COORDINATOR]
    await Promise.all(members.map((member) => this.stopOne(member)))
    for (const member of members) await copyFile(lock, join(this.dirOf(member), 'cluster.lock.json'))
    await Promise.all([this.startNodes(), this.startCoordinator()])
  }

  /** Waits until the coordinator has a link to each of these nodes, and to no other. */
  async linked(names: readonly string[]): Promise<void> {
    const wanted = [...names].sort().join()
    const linked = async () =>
      (await this.client.nodes())
        .filter((n) => n.link.up)
        .map((n) => n.name)
        .sort()
        .join() === wanted
    await until(linked, { timeoutMs: START_TIMEOUT_MS, what: `links to ${names.join(', ')}` })
  }

  /** Process ids, by name. */
  pids(): ReadonlyMap<string, number> {
    return new Map([...this.#children].flatMap(([name, c]) => (c.alive && c.pid !== undefined ? [[name, c.pid] as const] : [])))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map((c) => c.stop()))
    await Promise.all([...this.#places.values()].map(({ far }) => far?.stop()))
  }

  #spawn(kind: 'node' | 'coordinator', name: string): Child {
    const dir = this.dirOf(name)
    // A log of its own for every start: a start is known by its own line.
    const logFile = join(dir, `${Date.now()}.log`)
    const args = [...BOUNDED.args, CONCLAVE, kind, '--dir', dir]
    const child = new Child({ name, command: process.execPath, args, env: { ...BOUNDED.env, ...process.env }, logFile, watched: true })
    this.#children.set(name, child)
    return child
  }
}
