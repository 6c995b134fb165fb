import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

/** A request that is refused for load is sent again so often before it counts as an error. */
const TRIES_MAX = 1_000
const WAIT_MS = 30_000
const ERRORS_SHOWN = 5

export interface ClientLoad {
  readonly url: string
  readonly apiKey: string
  readonly keyId: string
  readonly clients: number
  readonly requests: number
  /** The unsigned transaction of the i-th request, 0x hex. */
  payloadOf(i: number): string
}

export interface LoadFigures {
  readonly requests: number
  readonly clients: number
  /** Requests that were neither signed nor refused with 429 and a Retry-After. */
  readonly errors: number
  /** Of the first of them. */
  readonly errorCodes: readonly string[]
  /** Answers 429 with a Retry-After; each was sent again after that. */
  readonly refused429: number
  /** From the first sending of a request to its signature, waits after a 429 included. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly perSecond: number
}

interface Answer {
  readonly status: number
  readonly retryAfterS: number | undefined
  readonly body: { readonly state?: string; readonly requestId?: string; readonly code?: string }
}

const quantile = (sorted: readonly number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
const round = (value: number) => Number(value.toFixed(1))

class Clients {
  readonly latencies: number[] = []
  readonly errors: string[] = []
  refused = 0
  readonly #load: ClientLoad
  #next = 0

  constructor(load: ClientLoad) {
    this.#load = load
  }

  /** One client: one request after the other, as long as there are any. */
  async run(): Promise<void> {
    while (this.#next < this.#load.requests) {
      const startedMs = performance.now()
      const failure = await this.#sign(this.#next++).catch((error: Error) => `${error.name} ${error.message}`)
      if (failure === undefined) this.latencies.push(performance.now() - startedMs)
      else this.errors.push(failure)
    }
  }

  /** @returns what went wrong. */
  async #sign(i: number): Promise<string | undefined> {
    const { keyId, payloadOf } = this.#load
    const body = JSON.stringify({ keyId, payload: { type: 'evm.tx', bytes: payloadOf(i) } })
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    let answer = await this.#patiently('/v1/signing-requests', { method: 'POST', headers, body })
    while (answer.status < 300 && ['decoded', 'queued', 'signing'].includes(answer.body.state ?? '')) {
      answer = await this.#patiently(`/v1/signing-requests/${answer.body.requestId}`, {})
    }
    return answer.body.state === 'signed' ? undefined : `${answer.status} ${answer.body.code ?? answer.body.state ?? ''}`
  }

  /** Sends again what is refused with 429 and a Retry-After. */
  async #patiently(path: string, init: RequestInit): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#once(path, init)
      if (answer.status !== 429 || answer.retryAfterS === undefined || tries === TRIES_MAX) return answer
      this.refused++
      await setTimeout(answer.retryAfterS * 1000)
    }
  }

  async #once(path: string, { headers, ...init }: RequestInit): Promise<Answer> {
    const { url, apiKey } = this.#load
    const authorization = { authorization: `Bearer ${apiKey}` }
    const response = await fetch(`${url}${path}?waitMs=${WAIT_MS}`, { ...init, headers: { ...headers, ...authorization } })
    const retryAfter = response.headers.get('retry-after')
    const body = (await response.json()) as Answer['body']
    return { status: response.status, retryAfterS: retryAfter === null ? undefined : Number(retryAfter), body }
  }
}

/** So many clients of one platform at once, each with one request after the other until all are signed. */
export async function runClients(load: ClientLoad): Promise<LoadFigures> {
  const all = new Clients(load)
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: load.clients }, () => all.run()))
  const seconds = (performance.now() - startedMs) / 1000
  const sorted = [...all.latencies].sort((a, b) => a - b)
  return {
    ...{ requests: load.requests, clients: load.clients, errors: all.errors.length, errorCodes: all.errors.slice(0, ERRORS_SHOWN) },
    refused429: all.refused,
    ...{ p50Ms: round(quantile(sorted, 0.5)), p99Ms: round(quantile(sorted, 0.99)), perSecond: round(sorted.length / seconds) },
  }
}
