import type { SigningRequest } from '@conclave/client'
import type { LocalCluster } from './local-cluster.ts'
import { clusterCosts, type ProcessCosts } from './process-costs.ts'

export interface SigningLoad {
  readonly keyId: string
  readonly requests: number
  readonly inFlight: number
  /** The unsigned transaction of the i-th request, 0x hex. */
  payloadOf(i: number): string
  /** The path of the key that signs it. */
  pathOf(i: number): string
  /** Told of every signed request and its latency, once all of them are. */
  readonly signed?: (request: SigningRequest, ms: number) => void
}

/** Processor time for one signature, in milliseconds. */
export interface ProcessCost {
  readonly name: string
  readonly main: number
  readonly workers: number
  readonly pool: number
  readonly engine: number
  readonly children: number
  readonly total: number
  readonly residentMiB: number
}

export interface SigningFigures {
  readonly requests: number
  readonly inFlight: number
  readonly signaturesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Over all processes, the client too, for one signature. */
  readonly cpuMs: number
  readonly processes: readonly ProcessCost[]
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits))

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

function costOf(before: ProcessCosts, after: ProcessCosts, requests: number): ProcessCost {
  const each = (a: number, b: number) => round((b - a) / requests, 3)
  const [a, b] = [before.threads, after.threads]
  const parts = {
    main: each(a.main, b.main),
    workers: each(a.workers, b.workers),
    pool: each(a.pool, b.pool),
    engine: each(a.engine, b.engine),
    children: each(before.children, after.children),
  }
  const sum = Object.values(parts).reduce((x, y) => x + y, 0)
  return { name: after.name, ...parts, total: round(sum, 3), residentMiB: round(after.residentBytes / 2 ** 20, 0) }
}

/**
 * Asks the coordinator of a running cluster for signatures, so many at a time, as a platform does.
 *
 * @returns latency from the request to the signature at the client, and the processor time of every process per signature.
 * @throws {ConclaveApiError} when a request ends in any other way than signed.
 */
export async function measureSigning(cluster: LocalCluster, load: SigningLoad): Promise<SigningFigures> {
  const { keyId, requests, inFlight } = load
  const payloads = Array.from({ length: requests }, (_, i) => load.payloadOf(i))
  const signed: { readonly request: SigningRequest; readonly ms: number }[] = []
  let next = 0
  const signMore = async () => {
    while (next < requests) {
      const i = next++
      const startedAt = performance.now()
      const request = { keyId, derivationPath: load.pathOf(i), payload: { type: 'evm.tx', bytes: payloads[i] as string } }
      const signature = await cluster.client.sign(request)
      signed.push({ request: signature, ms: performance.now() - startedAt })
    }
  }
  const before = new Map((await clusterCosts(cluster)).map((c) => [c.name, c]))
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: inFlight }, signMore))
  const seconds = (performance.now() - startedAt) / 1e3
  const processes = (await clusterCosts(cluster)).flatMap((after) => {
    const earlier = before.get(after.name)
    return earlier === undefined ? [] : [costOf(earlier, after, requests)]
  })
  for (const { request, ms } of signed) load.signed?.(request, ms)
  const latencies = signed.map(({ ms }) => ms).sort((a, b) => a - b)
  return {
    requests,
    inFlight,
    signaturesPerSecond: round(requests / seconds, 1),
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    cpuMs: round(processes.reduce((sum, p) => sum + p.total, 0)),
    processes,
  }
}
