import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConclaveApiError } from '@conclave/client'
import { type AdminStatus, askAdmin } from '@conclave/node'
import { LocalCluster, unsignedTransfer, until } from '@conclave/testnet'
import { equipNodes, type HsmNode, type HsmPlan, nodeAt, stopProviders } from './hsm-nodes.ts'
import { type FaultKind, type Injection, injectionOf } from './injections.ts'
import { Platform } from './platform.ts'

const NAMES = ['zurich', 'oslo', 'lisbon']
const REQUIRED = 2
/** So many that no quorum is without one of them. */
const FAULTED = NAMES.length - REQUIRED + 1
const KEY = 'faulted'
const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${TO}'], amountMaxWei: '1000' }
`
const LINES = 3
const PATIENCE_MS = 120_000
/** Long enough to be tried, shorter than any fault that lasts. */
const SHORT_DEADLINE_MS = 4_000

export interface FaultResult {
  readonly kind: FaultKind
  /** What takes over; null: nothing does. */
  readonly backup: string | null
  /** Nodes that it was injected at, of how many. */
  readonly nodes: number
  readonly of: number
  readonly requests: number
  readonly signaturesLost: number
  /** Requests that ended in a retriable error and were made again. */
  readonly refused: number
  /** Codes of failed attempts and requests. */
  readonly codes: readonly string[]
  /** Without a backup, and while the fault lasts: what a request ends in. */
  readonly error: { readonly code: string; readonly retriable: boolean; readonly detail: string } | null
  readonly slowestMs: number
  /** The HSM is up again, every request was signed, and no node was restarted. */
  readonly recovered: boolean
  /** Where a backup took over: the node says so in its log. */
  readonly failoverLogged: boolean | null
}

/** A cluster of real processes whose nodes have these HSMs, with one key. */
export class FaultCluster {
  readonly cluster: LocalCluster
  readonly #plan: HsmPlan
  readonly #nodes: readonly HsmNode[]

  private constructor(cluster: LocalCluster, plan: HsmPlan) {
    this.cluster = cluster
    this.#plan = plan
    this.#nodes = cluster.names.slice(0, FAULTED).map((name) => nodeAt(cluster.dirOf(name), name, plan))
  }

  static async start(dir: string, plan: HsmPlan): Promise<FaultCluster> {
    const cluster = await LocalCluster.create({ dir, names: NAMES, required: REQUIRED, policy: POLICY, pool: { low: 0, high: 0 } })
    try {
      await equipNodes(cluster, plan)
      await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
      await cluster.linked(cluster.names)
      const { operationId } = await cluster.client.createKey({ keyId: KEY })
      await cluster.client.waitForKey(operationId)
      const made = new FaultCluster(cluster, plan)
      await made.#allAble()
      return made
    } catch (error) {
      await cluster.stop()
      stopProviders(cluster, plan)
      throw error
    }
  }

  /** Injects a fault under load, at every node that a quorum cannot do without. @param isAlone - and takes every other HSM away, too. */
  async run(kind: FaultKind, { isAlone = this.#plan.length === 1 } = {}): Promise<FaultResult> {
    const { cluster } = this
    const injection = injectionOf(kind, isAlone)
    const before = this.#pids()
    const logged = await this.#failoversLogged()
    const platform = new Platform(cluster.client, { keyId: KEY, to: TO, lines: LINES })
    let error: FaultResult['error'] = null
    try {
      await this.#signed(platform, LINES)
      await this.#each((node) => injection.inject(node, cluster.pids().get(node.name) as number))
      if (injection.lasts && isAlone) error = await this.#refusal()
      else await this.#signed(platform, 4 * LINES)
    } finally {
      await this.#each((node) => injection.repair(node))
    }
    const isBack = await this.#recovers(platform, injection)
    const { asked, lost, refused, codes, slowestMs } = await platform.stop()
    const isSame = JSON.stringify(before) === JSON.stringify(this.#pids())
    return {
      ...{ kind, backup: isAlone ? null : (this.#plan[1] ?? null), nodes: FAULTED, of: NAMES.length },
      ...{ requests: asked, signaturesLost: lost, refused, codes, error, slowestMs },
      recovered: isBack && isSame && lost === 0,
      failoverLogged: isAlone ? null : (await this.#failoversLogged()).every((count, i) => count > (logged[i] as number)),
    }
  }

  async stop(): Promise<void> {
    await this.cluster.stop()
    stopProviders(this.cluster, this.#plan)
  }

  async #each(act: (node: HsmNode) => Promise<void>): Promise<void> {
    await Promise.all(this.#nodes.map(act))
  }

  #pids(): readonly (readonly [string, number])[] {
    return [...this.cluster.pids()]
  }

  async #signed(platform: Platform, more: number): Promise<void> {
    const wanted = platform.signed + more
    await until(async () => platform.signed >= wanted, { timeoutMs: PATIENCE_MS, what: `${more} more signatures` })
  }

  async #recovers(platform: Platform, { lasts }: Injection): Promise<boolean> {
    const up = async ({ dir }: HsmNode) =>
      ((await askAdmin(join(dir, 'admin.sock'), '/v1/status')) as AdminStatus).hsm.every((h) => h.state === 'up')
    const allUp = async () => (await Promise.all(this.#nodes.map(up))).every((isUp) => isUp)
    const what = lasts ? 'HSMs that are back' : 'HSMs whose agents were replaced'
    try {
      await until(allUp, { timeoutMs: PATIENCE_MS, what })
      await this.#signed(platform, 2 * LINES)
      return true
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CHILD_TIMEOUT') throw error
      return false
    }
  }

  /** What one request ends in that has no time to wait for better. */
  async #refusal(): Promise<FaultResult['error']> {
    const payload = { type: 'evm.tx', bytes: unsignedTransfer({ to: TO, valueWei: 2n, nonce: 0n }) }
    try {
      await this.cluster.client.sign({ keyId: KEY, payload, deadlineMs: SHORT_DEADLINE_MS })
      return null
    } catch (error) {
      if (!(error instanceof ConclaveApiError)) throw error
      return { code: error.code, retriable: error.retriable, detail: error.message }
    }
  }

  async #failoversLogged(): Promise<readonly number[]> {
    return Promise.all(
      this.#nodes.map(async ({ name }) => {
        const log = await readFile(this.cluster.child(name)?.logFile ?? '', 'utf8')
        return log.split('"event":"hsm.failover"').length - 1
      }),
    )
  }

  async #allAble(): Promise<void> {
    const able = async () => (await this.cluster.client.nodes()).every((n) => n.availability.able && n.availability.reasons.length === 0)
    await until(able, { timeoutMs: PATIENCE_MS, what: 'nodes that are able to sign' })
  }
}
