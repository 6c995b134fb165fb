import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Call, type Method, type PathOf, type PlainCall, plainCall } from './api-call.ts'
import { badAnswer, ConclaveApiError, isProblem } from './problem.ts'

export interface ConnectionOptions {
  readonly urls: readonly string[]
  readonly apiKey: string
  readonly retriesMax: number
  readonly retryFirstMs: number
  readonly timeoutMs: number
  readonly deadlineMs: number
}

const RETRY_MAX_MS = 10_000
/** Errors of a connection that was never made. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

interface Retry {
  /** How often the call was tried again already. */
  readonly retries: number
  readonly firstMs: number
  /** What the coordinator asked for. */
  readonly afterMs: number
  /** From 0 to below 1. */
  readonly random: number
}

/** Doubles with each retry, at most ten seconds, of which up to half is left to chance; never less than the coordinator asked for. */
export function retryDelayMs({ retries, firstMs, afterMs, random }: Retry): number {
  return Math.max(afterMs, Math.min(RETRY_MAX_MS, firstMs * 2 ** retries) * (1 - random / 2))
}

function unreachable(cause: unknown): ConclaveApiError {
  const { code } = ((cause as Error).cause ?? {}) as { code?: unknown }
  return ConclaveApiError.local('API_UNREACHABLE', 'the coordinator does not answer', {
    retriable: true,
    cause,
    mayHaveArrived: !NOT_CONNECTED.has(code),
  })
}

/** A call that may be made twice: one that only reads or sets, one with a key that makes it one, or one that nobody has seen. */
function isRepeatable({ method, idempotencyKey }: PlainCall, { mayHaveArrived }: ConclaveApiError): boolean {
  return method !== 'post' || idempotencyKey !== undefined || !mayHaveArrived
}

/** Whether another coordinator of the cluster may do better: this one is away, or says that it cannot serve. */
function isElsewhere({ status, retriable }: ConclaveApiError): boolean {
  return retriable && (status === 0 || (status >= 502 && status <= 504))
}

/** Calls to one coordinator, or to whichever of several answers: the one that answered last is asked first. */
export class Connection {
  readonly #options: Omit<ConnectionOptions, 'apiKey'>
  readonly #apiKey: string
  #at = 0

  constructor({ apiKey, ...options }: ConnectionOptions) {
    this.#options = options
    this.#apiKey = apiKey
  }

  /**
   * One call of the document. It is tried again while its failure says that this may help, never a POST that could do its thing twice,
   * and not beyond the deadline.
   *
   * @throws {ConclaveApiError}
   */
  async call<M extends Method, P extends PathOf<M>>(method: M, path: P, call: Call<M, P>): Promise<Answer<M, P>> {
    const plain = plainCall(method, path, call as Parameters<typeof plainCall>[2])
    const { retriesMax, retryFirstMs: firstMs, deadlineMs } = this.#options
    const endsAtMs = performance.now() + deadlineMs
    for (let retries = 0; ; retries++) {
      try {
        return (await this.#atOne(plain, endsAtMs)) as Answer<M, P>
      } catch (error) {
        if (!(error instanceof ConclaveApiError) || !error.retriable || !isRepeatable(plain, error) || retries >= retriesMax) throw error
        const delayMs = retryDelayMs({ retries, firstMs, afterMs: error.retryAfterMs, random: Math.random() })
        if (performance.now() + delayMs >= endsAtMs) throw error
        await delay(delayMs)
      }
    }
  }

  /** Asks each coordinator once, until one of them serves. */
  async #atOne(call: PlainCall, endsAtMs: number): Promise<unknown> {
    const { urls } = this.#options
    for (let asked = 1; ; asked++) {
      try {
        return await this.#once(call, endsAtMs)
      } catch (error) {
        const next = error instanceof ConclaveApiError && isElsewhere(error) && isRepeatable(call, error)
        if (next) this.#at = (this.#at + 1) % urls.length
        if (!next || asked >= urls.length) throw error
      }
    }
  }

  async #once({ method, path, body, idempotencyKey }: PlainCall, endsAtMs: number): Promise<unknown> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#apiKey}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    let response: Response
    let text: string
    try {
      const timeoutMs = Math.max(1, Math.ceil(Math.min(this.#options.timeoutMs, endsAtMs - performance.now())))
      const init = { method: method.toUpperCase(), headers, signal: AbortSignal.timeout(timeoutMs) }
      response = await fetch(this.#options.urls[this.#at] + path, body === undefined ? init : { ...init, body: JSON.stringify(body) })
      text = await response.text()
    } catch (cause) {
      throw unreachable(cause)
    }
    return answerOf(response, text)
  }
}

/** The answer, when it is the coordinator's. @throws {ConclaveApiError} its problem, or BAD_ANSWER. */
function answerOf(response: Response, text: string): unknown {
  const { status } = response
  // Something on the way says that the coordinator behind it is away, or too busy.
  const isPassing = status === 429 || (status >= 502 && status <= 504)
  const retryAfterMs = 1000 * Math.max(0, Number(response.headers.get('retry-after')) || 0)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw badAnswer(`the coordinator answered ${status} and not JSON`, { retriable: isPassing, cause, retryAfterMs })
  }
  if (response.ok && typeof value === 'object' && value !== null) return value
  if (isProblem(value)) throw new ConclaveApiError(value, { retryAfterMs })
  throw badAnswer(`${status} without a problem document`, { retriable: isPassing, retryAfterMs })
}
