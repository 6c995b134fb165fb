import { randomUUID } from 'node:crypto'
import { canonicalJson, type JsonValue } from '@conclave/core'
import type { ApprovalAnswers, GiveApproval } from './approval-resources.ts'
import { ConclaveApiError, isProblem, type Problem } from './problem.ts'
import type {
  CreateKey,
  DerivedKey,
  DerivedRange,
  Key,
  Node,
  Operation,
  Page,
  RequestSignature,
  ReshareKey,
  SigningAccepted,
  SigningRequest,
} from './resources.ts'

export interface ClientOptions {
  /** Of the coordinator, e.g. http://127.0.0.1:8080. */
  readonly url: string
  readonly apiKey: string
  /** How often one call is tried again when the failure says that it may help. Default 3. */
  readonly retriesMax?: number
  /** Before the first retry; doubles with each, unless the coordinator asks for more. Default 250. */
  readonly retryFirstMs?: number
  /** Longest wait for one answer. Default 60,000. */
  readonly timeoutMs?: number
}

/** Sent with a POST: the same key with the same body gives the same answer, so a retry is safe. */
export interface Idempotent {
  readonly idempotencyKey?: string
}

const WAIT_MS = 20_000
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 10_000
const ENDED: ReadonlySet<SigningRequest['state']> = new Set(['signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'])
const OPEN: ReadonlySet<string> = new Set(['decoded', 'pending_approval', 'queued', 'signing', 'pending', 'running'])

/** Whatever stands between us and the coordinator may answer JSON of its own: it is not waited on for ever. */
function badAnswer(detail: string, retriable = false): ConclaveApiError {
  return ConclaveApiError.local('BAD_ANSWER', detail, { retriable })
}

/** @throws {ConclaveApiError} its own error when it did not end signed. */
function signedOr(request: SigningRequest): SigningRequest {
  if (request.state === 'signed') return request
  throw isProblem(request.error) ? new ConclaveApiError(request.error) : badAnswer('a signing request that failed without a problem')
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
}

/** The coordinator's API. Every method throws {@link ConclaveApiError}; branch on its `code`. */
export class ConclaveClient {
  readonly #url: string
  readonly #apiKey: string
  readonly #retriesMax: number
  readonly #retryFirstMs: number
  readonly #timeoutMs: number

  constructor({ url, apiKey, retriesMax = 3, retryFirstMs = RETRY_FIRST_MS, timeoutMs = 60_000 }: ClientOptions) {
    this.#url = url.replace(/\/+$/, '')
    this.#apiKey = apiKey
    this.#retriesMax = retriesMax
    this.#retryFirstMs = retryFirstMs
    this.#timeoutMs = timeoutMs
  }

  /** Begins the creation of a key; see {@link waitForKey}. */
  createKey({ idempotencyKey = randomUUID(), ...body }: CreateKey & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#call({ method: 'POST', path: '/v1/keys', body, idempotencyKey })
  }

  operation(operationId: string, { waitMs = 0 } = {}): Promise<Operation> {
    return this.#call({ method: 'GET', path: `/v1/operations/${encodeURIComponent(operationId)}?waitMs=${waitMs}` })
  }

  /** Newest first; of one key when `keyId` is given. */
  operations({ keyId, limit = 50, cursor }: { keyId?: string; limit?: number; cursor?: string } = {}): Promise<Page<Operation>> {
    const query = new URLSearchParams({
      limit: `${limit}`,
      ...(keyId === undefined ? {} : { keyId }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    return this.#call({ method: 'GET', path: `/v1/operations?${query}` })
  }

  /**
   * The operation once it has succeeded.
   *
   * @param seen - called with the operation whenever its state is another one than before, also with the last one.
   * @throws {ConclaveApiError} the operation's own error when it failed.
   */
  async waitForOperation(operationId: string, seen?: (operation: Operation) => void): Promise<Operation> {
    let state: Operation['state'] | undefined
    for (;;) {
      // Whoever watches hears at once that something goes on.
      const operation = await this.operation(operationId, { waitMs: seen !== undefined && state === undefined ? 0 : WAIT_MS })
      const isFailed = operation.state === 'failed' && isProblem(operation.error)
      if (!isFailed && operation.state !== 'succeeded' && !OPEN.has(operation.state)) throw badAnswer('an operation in no known state')
      if (operation.state !== state) seen?.(operation)
      state = operation.state
      if (state === 'succeeded') return operation
      if (isFailed) throw new ConclaveApiError(operation.error as Problem)
    }
  }

  /** The key that an operation made or renewed. @throws {ConclaveApiError} the operation's own error when it failed. */
  async waitForKey(operationId: string): Promise<Key> {
    const { result } = await this.waitForOperation(operationId)
    if (typeof result !== 'object' || result === null) throw badAnswer('an operation that has succeeded without a key')
    return result
  }

  /** Begins to give every party a new share of the same key; see {@link waitForOperation}. */
  refreshKey({ keyId, idempotencyKey = randomUUID() }: { readonly keyId: string } & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#call({ method: 'POST', path: `/v1/keys/${encodeURIComponent(keyId)}:refresh`, body: {}, idempotencyKey })
  }

  /** Begins to give the nodes of the present lock shares of a key, with the threshold that is asked for; see {@link waitForOperation}. */
  reshareKey({ keyId, idempotencyKey = randomUUID(), ...body }: ReshareKey & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#call({ method: 'POST', path: `/v1/keys/${encodeURIComponent(keyId)}:reshare`, body, idempotencyKey })
  }

  /** Sets how often a key is refreshed by itself, in days; null ends it. */
  setSchedule(keyId: string, refreshEveryDays: number | null): Promise<Key> {
    return this.#call({ method: 'PATCH', path: `/v1/keys/${encodeURIComponent(keyId)}`, body: { refreshEveryDays } })
  }

  key(keyId: string): Promise<Key> {
    return this.#call({ method: 'GET', path: `/v1/keys/${encodeURIComponent(keyId)}` })
  }

  async keys(): Promise<readonly Key[]> {
    return (await this.#call<{ items: readonly Key[] }>({ method: 'GET', path: '/v1/keys' })).items
  }

  /** The child of a key at a path like `m/0/5`. */
  derivedKey(keyId: string, path: string): Promise<DerivedKey> {
    return this.#call({ method: 'GET', path: `/v1/keys/${encodeURIComponent(keyId)}/derived?path=${encodeURIComponent(path)}` })
  }

  /** Many children at once, by index; fewer than `count` where the indices end. */
  async derivedKeys(keyId: string, { prefix = 'm', from = 0, count = 100 }: DerivedRange = {}): Promise<readonly DerivedKey[]> {
    const query = `prefix=${encodeURIComponent(prefix)}&from=${from}&count=${count}`
    return (
      await this.#call<{ items: readonly DerivedKey[] }>({ method: 'GET', path: `/v1/keys/${encodeURIComponent(keyId)}/derived?${query}` })
    ).items
  }

  /** Asks for a signature, or for several at once; see {@link waitForSignature}. */
  requestSignature({ idempotencyKey = randomUUID(), ...body }: RequestSignature & Idempotent): Promise<SigningAccepted> {
    return this.#call({ method: 'POST', path: '/v1/signing-requests', body, idempotencyKey })
  }

  /**
   * Asks for a signature and waits for it: one round trip, when it does not take long.
   *
   * @throws {ConclaveApiError} like {@link waitForSignature}; when it does not tell whether the request was taken up, the same
   * `idempotencyKey` asks again and signs nothing twice.
   */
  async sign({ idempotencyKey = randomUUID(), ...body }: RequestSignature & Idempotent): Promise<SigningRequest> {
    const path = `/v1/signing-requests?waitMs=${WAIT_MS}`
    const request = await this.#call<SigningRequest>({ method: 'POST', path, body, idempotencyKey })
    return ENDED.has(request.state) ? signedOr(request) : this.waitForSignature(request.requestId)
  }

  /** Carries an approval to the nodes. @throws {ConclaveApiError} APPROVAL_REFUSED with what each node said. */
  giveApproval(requestId: string, body: GiveApproval): Promise<ApprovalAnswers> {
    return this.#call({ method: 'POST', path: `/v1/signing-requests/${encodeURIComponent(requestId)}/approvals`, body })
  }

  signingRequest(requestId: string, { waitMs = 0 } = {}): Promise<SigningRequest> {
    return this.#call({ method: 'GET', path: `/v1/signing-requests/${encodeURIComponent(requestId)}?waitMs=${waitMs}` })
  }

  signingRequests({ limit = 50, cursor }: { limit?: number; cursor?: string } = {}): Promise<Page<SigningRequest>> {
    const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    return this.#call({ method: 'GET', path: `/v1/signing-requests?limit=${limit}${from}` })
  }

  cancel(requestId: string): Promise<SigningRequest> {
    return this.#call({ method: 'POST', path: `/v1/signing-requests/${encodeURIComponent(requestId)}:cancel` })
  }

  /** The request once it has ended, however it ended. */
  async settled(requestId: string): Promise<SigningRequest> {
    for (;;) {
      const request = await this.signingRequest(requestId, { waitMs: WAIT_MS })
      if (ENDED.has(request.state)) return request
      if (!OPEN.has(request.state)) throw badAnswer('a signing request in no known state')
    }
  }

  /** The signed request. @throws {ConclaveApiError} the request's own error when it ended in any other way. */
  async waitForSignature(requestId: string): Promise<SigningRequest> {
    return signedOr(await this.settled(requestId))
  }

  /**
   * Proof of what was signed and why: the text that `conclave receipt verify` takes.
   *
   * @throws {ConclaveApiError} RECEIPT_NOT_READY (retriable) until the nodes' logs are cosigned; NO_RECEIPT.
   */
  async receipt(requestId: string): Promise<string> {
    const path = `/v1/signing-requests/${encodeURIComponent(requestId)}/receipt`
    return canonicalJson(await this.#call<JsonValue>({ method: 'GET', path }))
  }

  async nodes(): Promise<readonly Node[]> {
    return (await this.#call<{ items: readonly Node[] }>({ method: 'GET', path: '/v1/nodes' })).items
  }

  /** @param index - of the node in the cluster lock. @throws {ConclaveApiError} NODE_NOT_FOUND. */
  node(index: number): Promise<Node> {
    return this.#call({ method: 'GET', path: `/v1/nodes/${index}` })
  }

  async #call<T>(call: Call): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once<T>(call)
      } catch (error) {
        // A POST carries its idempotency key, so trying again cannot do the thing twice; a cancel or a schedule is the same twice.
        const again = error instanceof ConclaveApiError && error.retriable && attempt < this.#retriesMax
        if (!again) throw error
        const delayMs = Math.min(RETRY_MAX_MS, Math.max(this.#retryFirstMs * 2 ** attempt, error.retryAfterMs))
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      }
    }
  }

  async #once<T>({ method, path, body, idempotencyKey }: Call): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#apiKey}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    let response: Response
    let text: string
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs)
      response = await fetch(this.#url + path, { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      text = await response.text()
    } catch (cause) {
      throw ConclaveApiError.local('API_UNREACHABLE', 'the coordinator does not answer', { retriable: true, cause })
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw ConclaveApiError.local('BAD_ANSWER', `the coordinator answered ${response.status} and not JSON`, {
        retriable: response.status >= 502,
        cause,
      })
    }
    const isObject = typeof value === 'object' && value !== null
    if (response.ok && isObject) return value as T
    if (!isProblem(value)) throw badAnswer(`${response.status} without a problem document`, response.status >= 502)
    throw new ConclaveApiError(value, { retryAfterMs: 1000 * (Number(response.headers.get('retry-after')) || 0) })
  }
}
