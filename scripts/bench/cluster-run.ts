import { type FarLinks, NODE_NAMES } from '@conclave/testnet'
import { type BareRounds, measureBareRounds } from './bare-round.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { ClusterRig, IN_FLIGHT, type Series, THRESHOLD } from './cluster-rig.ts'
import { describeMachine, type Machine } from './machine.ts'
import { type Memory, MemoryWatch } from './memory.ts'
import { Committee } from './ours.ts'
import { measurePeerRates, type PeerRate } from './peer-rate.ts'
import { installed, PEERS } from './peers.ts'
import { FAR_LINKS } from './sites.ts'
import { median } from './statistics.ts'

const KEY_COUNTS = [1, 100, 10_000] as const
const PARTIES = 5
const PEER_DURATION_MS = 8_000
const BARE_TURNS_NEAR = 400
const BARE_TURNS_FAR = 20
const REQUESTS_ALONE_MAX = 60
const CPU_SAMPLES = 9
const CPU_WARM_UP = 5
/** Signatures from the pool that one sample is the mean of. */
const POOLED = 20
/** Of a quorum of three out of five, a pair is in three of ten: this much of a series' length is enough for each pair, with room. */
const STOCK_SHARE = 0.6
/** A burst asks for this many times the stock of a pair, which is half as much again as all pairs have together. */
const BURST = 5

/** One kind of links: the cluster on them, and what is the least that they allow. */
export interface LinkFigures {
  readonly series: readonly Series[]
  /** By quorum, of those that signed with one in flight; near each other one stands for all. */
  readonly bare: Readonly<Record<string, BareRounds>>
  /** Processor time of one party for one signature from the pool, by itself. */
  readonly cpuMs: number
  /** Processor time of a signing node for one signature, all of its processes and threads: with it come links, records and HSM. */
  readonly nodeCpuMs: number
  /** Median, with one in flight, of a latency over the bare rounds of its own quorum and the processor time. */
  readonly latencyRatio: number
  /** The same with the processor time of a node in the place of that of a party by itself. */
  readonly latencyRatioOfNode: number
}

export interface ClusterReport {
  readonly machine: Machine
  readonly pool: boolean
  readonly requests: number
  readonly ratios: ClusterRatios
  readonly loopback: LinkFigures | null
  readonly far: LinkFigures | null
  /** While the most are in flight on loopback, the highest that was seen. */
  readonly memory: Readonly<Record<string, Memory>> | null
  readonly keys: readonly { readonly keys: number; readonly series: Series }[]
  readonly burst: { readonly stock: number; readonly series: Series } | null
  readonly peers: readonly PeerRate[]
}

export interface ClusterRatios {
  /** Signatures a second with the most in flight, over the best that a peer does on the same cores. */
  readonly throughput: number | null
  /** The same over the best of a peer in one thread: what a program does that does not spread its signatures over workers. */
  readonly throughputOneThread: number | null
  readonly latencyLoopback: number | null
  readonly latencyFar: number | null
  /** Of the node that needs the most. */
  readonly nodeMiB: number | null
}

/** What the project is held to: at least twice, at most twice, below. */
export const CLUSTER_GOALS = {
  throughput: 15,
  throughputOneThread: 15,
  latencyLoopback: 1.5,
  latencyFar: 1.5,
  nodeMiB: 300,
} as const satisfies Record<keyof ClusterRatios, number>

/** Whether a ratio is where it has to be. */
export function isReached(name: keyof ClusterRatios, value: number): boolean {
  const goal = CLUSTER_GOALS[name]
  return name === 'throughput' || name === 'throughputOneThread' ? value >= goal : name === 'nodeMiB' ? value < goal : value <= goal
}

/**
 * The median of how much longer a signature took than its quorum needs on these links at the least: for its rounds and for the
 * computing of one party, which all do at the same time.
 *
 * @param bareOf - p50 of the bare rounds of a quorum.
 */
export function latencyRatio(quorums: Series['quorums'], bareOf: (quorum: string) => number, cpuMs: number): number {
  return median(Object.entries(quorums).flatMap(([quorum, latencies]) => latencies.map((ms) => ms / (bareOf(quorum) + cpuMs))))
}

export function clusterRatios({
  loopback,
  far,
  memory,
  peers,
}: Pick<ClusterReport, 'loopback' | 'far' | 'memory' | 'peers'>): ClusterRatios {
  const most = loopback?.series.find((s) => s.inFlight === Math.max(...IN_FLIGHT))
  const over = (rates: readonly PeerRate[]) =>
    most === undefined || rates.length === 0 ? null : most.signaturesPerSecond / Math.max(...rates.map((p) => p.signaturesPerSecond))
  const nodes = Object.entries(memory ?? {}).filter(([name]) => (NODE_NAMES as readonly string[]).includes(name))
  return {
    throughput: over(peers),
    throughputOneThread: over(peers.filter((p) => p.threads === 1)),
    latencyLoopback: loopback?.latencyRatio ?? null,
    latencyFar: far?.latencyRatio ?? null,
    nodeMiB: nodes.length === 0 ? null : Math.max(...nodes.map(([, m]) => m.ownMiB)),
  }
}

/** What a signature costs one party when nothing else is there, as `npm run bench` measures it, and how large its messages are. */
function measureAlone(pool: boolean): { readonly cpuMs: number; readonly sizes: readonly number[] } {
  const committee = new Committee(THRESHOLD, PARTIES)
  const run = () => (pool ? committee.signPooled(POOLED) : committee.signFull())
  for (let i = 0; i < CPU_WARM_UP; i++) run()
  const costs = Array.from({ length: CPU_SAMPLES }, run)
  return { cpuMs: median(costs.map((c) => c.cpuMs)), sizes: committee.roundBytes }
}

/** Of the nodes that sign, and it is only some of the nodes that sign. */
function nodeCost(series: Series | undefined): number {
  const nodes = series?.processes.filter((p) => (NODE_NAMES as readonly string[]).includes(p.name)) ?? []
  return nodes.reduce((sum, p) => sum + p.total, 0) / THRESHOLD
}

/** Names of the nodes of a quorum. */
export function namesOf(quorum: string): readonly string[] {
  return quorum.split('-').flatMap((i) => NODE_NAMES[Number(i) - 1] ?? [])
}

interface Context {
  readonly options: ClusterOptions
  readonly progress: (line: string) => void
}

/** Entries of each pair for a series of so many signatures. */
export const stockFor = (requests: number): number => Math.ceil(requests * STOCK_SHARE)

async function measureSeries(rig: ClusterRig, { options, progress }: Context): Promise<readonly Series[]> {
  const series: Series[] = []
  for (const inFlight of IN_FLIGHT) {
    const requests = inFlight === 1 ? Math.min(REQUESTS_ALONE_MAX, options.requests) : options.requests
    if (options.pool) await rig.warm(stockFor(requests))
    progress(`${requests} signatures, ${inFlight} in flight`)
    series.push(await rig.sign({ requests, inFlight }))
  }
  return series
}

async function measureLinks(rig: ClusterRig, context: Context, links: FarLinks | undefined): Promise<LinkFigures> {
  const { options, progress } = context
  const series = await measureSeries(rig, context)
  const { cpuMs, sizes } = measureAlone(options.pool)
  const alone = series[0]?.quorums ?? {}
  // On loopback all are equally near: the one that signed most often stands for the others.
  const [usual = ''] = Object.keys(alone).sort((a, b) => (alone[b]?.length ?? 0) - (alone[a]?.length ?? 0))
  const turns = links === undefined ? BARE_TURNS_NEAR : BARE_TURNS_FAR
  const bare: Record<string, BareRounds> = {}
  for (const quorum of links === undefined ? [usual] : Object.keys(alone)) {
    progress(`bare rounds of ${quorum}`)
    bare[quorum] = await measureBareRounds(rig.dir, { names: namesOf(quorum), sizes, turns, links })
  }
  const bareOf = (quorum: string) => (bare[quorum] ?? bare[usual])?.p50Ms ?? Number.NaN
  const nodeCpuMs = nodeCost(series[0])
  const ratios = { latencyRatio: latencyRatio(alone, bareOf, cpuMs), latencyRatioOfNode: latencyRatio(alone, bareOf, nodeCpuMs) }
  return { series, bare, cpuMs, nodeCpuMs, ...ratios }
}

async function near(context: Context): Promise<Pick<ClusterReport, 'loopback' | 'memory' | 'keys' | 'burst'>> {
  const { options, progress } = context
  const { parts, requests, pool } = options
  const most = Math.max(...IN_FLIGHT)
  const stock = stockFor(requests)
  const warm = async (rig: ClusterRig) => (pool ? await rig.warm(stock) : undefined)
  progress('five nodes and a coordinator on loopback')
  await using rig = await ClusterRig.start({ stock: pool ? stock : 0 })
  progress('warm-up')
  await rig.sign({ requests: most, inFlight: most })
  const loopback = parts.includes('loopback') ? await measureLinks(rig, context, undefined) : null
  await warm(rig)
  progress('memory')
  const watch = new MemoryWatch(rig.cluster.pids())
  await rig.sign({ requests, inFlight: most })
  const memory = await watch.stop()
  const keys: { keys: number; series: Series }[] = []
  for (const count of parts.includes('keys') ? KEY_COUNTS : []) {
    await warm(rig)
    progress(`${count} keys`)
    keys.push({ keys: count, series: await rig.sign({ requests, inFlight: 8, keys: count }) })
  }
  if (!parts.includes('burst')) return { loopback, memory, keys, burst: null }
  await warm(rig)
  progress('a burst that empties the pool')
  return { loopback, memory, keys, burst: { stock, series: await rig.sign({ requests: stock * BURST, inFlight: most }) } }
}

async function far(context: Context): Promise<LinkFigures> {
  context.progress('five nodes and a coordinator far from each other')
  await using rig = await ClusterRig.start({ stock: context.options.pool ? stockFor(context.options.requests) : 0, links: FAR_LINKS })
  await rig.sign({ requests: Math.max(...IN_FLIGHT), inFlight: Math.max(...IN_FLIGHT) })
  // Awaited here: the cluster ends with this function.
  return await measureLinks(rig, context, FAR_LINKS)
}

async function peerRates(dir: string, progress: Context['progress']): Promise<readonly PeerRate[]> {
  const rates: PeerRate[] = []
  for (const { name } of PEERS.filter((p) => installed(dir, p.name) !== undefined)) {
    progress(`${name} by itself`)
    rates.push(...(await measurePeerRates({ dir, peer: name, threshold: THRESHOLD, parties: PARTIES, durationMs: PEER_DURATION_MS })))
  }
  return rates
}

/** Runs the parts that are asked for, one after the other: they would share two cores otherwise. */
export async function runCluster(options: ClusterOptions, progress: (line: string) => void): Promise<ClusterReport> {
  const machine = describeMachine()
  const context = { options, progress }
  const wants = (...parts: readonly ClusterOptions['parts'][number][]) => parts.some((p) => options.parts.includes(p))
  const peers = options.peers === undefined || !wants('peers') ? [] : await peerRates(options.peers, progress)
  const local = wants('loopback', 'keys', 'burst') ? await near(context) : { loopback: null, memory: null, keys: [], burst: null }
  const distant = wants('far') ? await far(context) : null
  const measured = { ...local, far: distant, peers }
  return { machine, pool: options.pool, requests: options.requests, ratios: clusterRatios(measured), ...measured }
}
