import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConclaveClient } from '@conclave/client'
import { Child, runCommand, until } from './child.ts'
import { freePorts } from './ports.ts'

/** The same program that an operator runs. */
const CONCLAVE = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

export const NODE_NAMES = ['zurich', 'oslo', 'lisbon', 'vienna', 'dublin'] as const

export interface ClusterPlan {
  readonly dir: string
  readonly names: readonly string[]
  readonly required: number
  /** YAML that every node's operator puts in place. */
  readonly policy: string
}

export const conclave = (...args: readonly string[]): Promise<string> => runCommand(process.execPath, [CONCLAVE, ...args])

/**
 * A cluster of real processes on this machine, made by the commands that its operators would type. Every node has a directory and
 * an HSM token of its own, and no process ever holds more than one share.
 */
export class LocalCluster {
  readonly dir: string
  readonly names: readonly string[]
  readonly client: ConclaveClient
  readonly #nodes = new Map<string, Child>()
  #coordinator: Child | undefined

  private constructor(plan: ClusterPlan, client: ConclaveClient) {
    this.dir = plan.dir
    this.names = plan.names
    this.client = client
  }

  /** The ceremonies: every node provisions its HSM, the lock is drafted and signed by each. */
  static async create(plan: ClusterPlan): Promise<LocalCluster> {
    const { dir, names, required } = plan
    await mkdir(dir, { recursive: true })
    const ports = await freePorts(names.length + 2)
    const listen = (i: number) => `/ip4/127.0.0.1/tcp/${ports[i]}`
    const at = (name: string, file = '') => join(dir, name, file)
    await Promise.all(names.map((name, i) => conclave('node', 'init', '--dir', at(name), '--name', name, '--listen', listen(i))))
    const http = `127.0.0.1:${ports[names.length + 1]}`
    await conclave(
      'coordinator',
      'init',
      '--dir',
      at('coordinator'),
      '--name',
      'coordinator',
      '--listen',
      listen(names.length),
      '--http',
      http,
    )
    const lock = join(dir, 'cluster.lock.json')
    const cards = [...names, 'coordinator'].map((name) => at(name, 'card.json'))
    await conclave('cluster', 'draft', '--card', ...cards, '--required', String(required), '--out', lock)
    // One after the other, as the file would travel from operator to operator.
    for (const name of names) await conclave('cluster', 'sign', '--dir', at(name), '--lock', lock)
    for (const name of names) await writeFile(at(name, 'policy.yaml'), plan.policy)
    for (const name of [...names, 'coordinator']) await copyFile(lock, at(name, 'cluster.lock.json'))
    const apiKey = (await readFile(at('coordinator', 'api-key'), 'utf8')).trim()
    return new LocalCluster(plan, new ConclaveClient({ url: `http://${http}`, apiKey }))
  }

  indexOf(name: string): number {
    return this.names.indexOf(name) + 1
  }

  alive(): readonly string[] {
    return this.names.filter((n) => this.#nodes.get(n)?.alive === true)
  }

  async startNodes(names: readonly string[] = this.names): Promise<void> {
    for (const name of names) this.#nodes.set(name, this.#spawn('node', name))
    await Promise.all(names.map((name) => this.#nodes.get(name)?.logged('"node is up"', START_TIMEOUT_MS)))
  }

  async startCoordinator(): Promise<void> {
    this.#coordinator = this.#spawn('coordinator', 'coordinator')
    await this.#coordinator.logged('"coordinator started"', START_TIMEOUT_MS)
  }

  /** SIGKILL. */
  async kill(name: string): Promise<void> {
    await this.#nodes.get(name)?.kill()
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
    const children = [...this.#nodes, ...(this.#coordinator === undefined ? [] : [['coordinator', this.#coordinator] as const])]
    return new Map(children.flatMap(([name, c]) => (c.alive && c.pid !== undefined ? [[name, c.pid] as const] : [])))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values(), this.#coordinator].map((c) => c?.stop()))
  }

  #spawn(kind: 'node' | 'coordinator', name: string): Child {
    const dir = join(this.dir, name)
    // A log of its own for every start: a start is known by its own line.
    const logFile = join(dir, `${Date.now()}.log`)
    return new Child({ name, command: process.execPath, args: [CONCLAVE, kind, '--dir', dir], logFile, watched: true })
  }
}
