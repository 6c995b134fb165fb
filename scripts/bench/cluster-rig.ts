import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, SigningRequest } from '@conclave/client'
import { ConclaveError } from '@conclave/core'
import {
  type FarLinks,
  LocalCluster,
  measureSigning,
  NODE_NAMES,
  type SigningFigures,
  senderOf,
  unsignedTransfer,
  until,
} from '@conclave/testnet'

export const THRESHOLD = 3
export const IN_FLIGHT = [1, 8, 32] as const
const KEY_ID = 'bench'
const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: bench
    effect: allow
    when: { payload: evm.tx, chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '1' }
`
const READY_TIMEOUT_MS = 120_000
const WARM_TIMEOUT_MS = 900_000

export interface Series extends SigningFigures {
  /** Latencies of the signatures that each quorum made, ms: parties joined by "-". */
  readonly quorums: Readonly<Record<string, readonly number[]>>
  /** Entries of the pools of all nodes that this series used, and those that it did not find: two of each for one pair and signature. */
  readonly pool: { readonly used: number; readonly missed: number }
}

/** What nodes say of their pools. */
interface PoolLook {
  /** The smallest stock of any pair, as its two nodes say. */
  readonly lowest: number
  readonly used: number
  readonly missed: number
}

let nonce = 0n

/** Holds a signature to the address that the platform was told, by a library that had no part in it. @throws {ConclaveError} BENCH_BAD_SIGNATURE. */
export function mustBeFrom({ requestId, from, signedTransaction }: Pick<SigningRequest, 'requestId' | 'from' | 'signedTransaction'>): void {
  if (signedTransaction === null || from === null || senderOf(signedTransaction).toLowerCase() !== from.toLowerCase())
    throw new ConclaveError('BENCH_BAD_SIGNATURE', `the signature of request ${requestId} is not of ${from}`)
}

/** Paths in turns, far apart, so that no two near requests ask for the same. */
export function pathOf(i: number, keys: number): string {
  return keys === 1 ? 'm/0/0' : `m/0/${(i * 7919) % keys}`
}

/** Five nodes and a coordinator with one key, all of them processes of their own. */
export class ClusterRig implements AsyncDisposable {
  readonly cluster: LocalCluster
  readonly dir: string
  readonly links: FarLinks | undefined
  readonly #stack: AsyncDisposableStack

  private constructor(cluster: LocalCluster, dir: string, links: FarLinks | undefined, stack: AsyncDisposableStack) {
    this.cluster = cluster
    this.dir = dir
    this.links = links
    this.#stack = stack
  }

  /** @param stock - entries that every pair of nodes keeps ready. */
  static async start({ links, stock }: { readonly links?: FarLinks | undefined; readonly stock: number }): Promise<ClusterRig> {
    await using stack = new AsyncDisposableStack()
    const dir = await mkdtemp(join(tmpdir(), 'conclave-cluster-bench-'))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const cluster = await LocalCluster.create({
      dir,
      names: NODE_NAMES,
      required: THRESHOLD,
      policy: POLICY,
      nodeSettings: signingSettings(stock),
      coordinatorSettings: `signing: { parallel: ${Math.max(...IN_FLIGHT)} }\n`,
      ...(links === undefined ? {} : { links }),
    })
    stack.defer(() => cluster.stop())
    await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
    await cluster.linked(NODE_NAMES)
    const { operationId } = await cluster.client.createKey({ keyId: KEY_ID })
    await cluster.client.waitForKey(operationId)
    await until(() => pairsReady(cluster), { timeoutMs: READY_TIMEOUT_MS, what: 'every pair' })
    return new ClusterRig(cluster, dir, links, stack.move())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  /** Waits until every pair has `stock` entries at both ends. */
  async warm(stock: number): Promise<void> {
    await until(async () => (await this.#pool()).lowest >= stock, { timeoutMs: WARM_TIMEOUT_MS, what: `a pool of ${stock}` })
  }

  /** Signs, and checks every signature afterwards. */
  async sign({
    requests,
    inFlight,
    keys = 1,
  }: {
    readonly requests: number
    readonly inFlight: number
    readonly keys?: number
  }): Promise<Series> {
    const quorums: Record<string, number[]> = {}
    const before = await this.#pool()
    const figures = await measureSigning(this.cluster, {
      keyId: KEY_ID,
      requests,
      inFlight,
      payloadOf: () => unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: nonce++ }),
      pathOf: (i) => pathOf(i, keys),
      signed: (request, ms) => {
        mustBeFrom(request)
        const quorum = (request.signers ?? []).join('-')
        quorums[quorum] = [...(quorums[quorum] ?? []), ms]
      },
    })
    const after = await this.#pool()
    return { ...figures, quorums, pool: { used: after.used - before.used, missed: after.missed - before.missed } }
  }

  /** As every node has said after this was asked: the coordinator hears of them every few seconds. */
  async #pool(): Promise<PoolLook> {
    const asked = Date.now()
    let statuses: readonly Node['status'][] = []
    const heard = async () => {
      statuses = (await this.cluster.client.nodes()).map((n) => n.status)
      return statuses.every((s) => s !== null && Date.parse(s.reportedAt) > asked)
    }
    await until(heard, { timeoutMs: READY_TIMEOUT_MS, what: 'the nodes to report' })
    const known = statuses.filter((s) => s !== null)
    const sum = (count: 'used' | 'missed') => known.reduce((total, { pool }) => total + pool[count], 0)
    return { lowest: Math.min(...known.flatMap((s) => s.pairs.map((p) => p.stock))), used: sum('used'), missed: sum('missed') }
  }
}

/**
 * A node has room for twice as many sessions as the coordinator asks for: some of it still ends one when the next begins. Between the
 * marks of the pool there is room for the next refill to begin before the stock is used up.
 */
function signingSettings(stock: number): string {
  const pool = `pool: { low: ${stock}, high: ${Math.ceil(stock * 1.1)} }`
  return `signing: { maxConcurrent: ${2 * Math.max(...IN_FLIGHT)}, ${pool} }\n`
}

async function pairsReady(cluster: LocalCluster): Promise<boolean> {
  const nodes = await cluster.client.nodes()
  return nodes.every((n) => n.status?.pairs.length === NODE_NAMES.length - 1 && n.status.pairs.every((p) => p.state === 'ready'))
}
