import { randomUUID } from 'node:crypto'
import { canonicalJson, type JsonValue } from '@conclave/core'
import { ApiKeys } from './api-keys.ts'
import { Connection } from './connection.ts'
import { badAnswer, ConclaveApiError, isProblem } from './problem.ts'
import type {
  AddChildren,
  ApprovalAnswers,
  Approver,
  ChangeChild,
  ChildKey,
  ChildrenAdded,
  CreateKey,
  DerivedKey,
  DerivedRange,
  Freeze,
  GiveApproval,
  Key,
  Node,
  NodePolicy,
  NodeStatement,
  NodeVerdict,
  Operation,
  Page,
  PageOf,
  RequestSignature,
  ReshareKey,
  SigningAccepted,
  SigningRequest,
  SigningState,
  Simulate,
} from './resources.ts'
import { poll, type Waiting } from './wait.ts'
import { Webhooks } from './webhooks.ts'

export interface ClientOptions {
  /** Of the coordinator, e.g. http://127.0.0.1:8080, or of several of one cluster: when one does not answer, the next is asked. */
  readonly url: string | readonly string[]
  readonly apiKey: string
  /** How often one call is tried again when the failure says that it may help. Default 3. */
  readonly retriesMax?: number
  /** Before the first retry; doubles with each, unless the coordinator asks for more. Default 250. */
  readonly retryFirstMs?: number
  /** Longest wait for one answer. Default 60,000. */
  readonly timeoutMs?: number
  /** Longest time for one call with all that is tried again of it. Default 120,000. */
  readonly deadlineMs?: number
}

/** Sent with a POST: the same key with the same body gives the same answer, so a retry is safe. */
export interface Idempotent {
  readonly idempotencyKey?: string
}

/** How a signing request is waited for. */
export interface WaitingForSignature extends Waiting<SigningRequest> {
  /** A state that is enough, although the request has not ended in it: `pending_approval` waits for people. */
  readonly until?: SigningState
}

const WAIT_MS = 20_000
const PAGE_MAX = 200
const PAGES_MAX = 1000
/** Of one look for a state in which nothing has ended: the coordinator tells of ends only. */
const LOOK_MS = 1_000
const ENDED: ReadonlySet<string> = new Set<SigningState>(['signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'])
const OPEN: ReadonlySet<string> = new Set<SigningState | Operation['state']>([
  'created',
  'decoded',
  'pending_approval',
  'queued',
  'signing',
  'pending',
  'running',
])

/** @throws {ConclaveApiError} its own error when it did not end signed. */
function signedOr(request: SigningRequest): SigningRequest {
  if (request.state === 'signed') return request
  throw isProblem(request.error) ? new ConclaveApiError(request.error) : badAnswer('a signing request that failed without a problem')
}

/** The coordinator's API. Every method throws {@link ConclaveApiError}; branch on its `code`. */
export class ConclaveClient {
  /** What is told to whom of what happens. */
  readonly webhooks: Webhooks
  /** Who may call, and as what. */
  readonly apiKeys: ApiKeys
  readonly #api: Connection
  readonly #pauseMs: number

  constructor(options: ClientOptions) {
    const { url, apiKey, retriesMax = 3, retryFirstMs = 250, timeoutMs = 60_000, deadlineMs = 120_000 } = options
    const urls = (typeof url === 'string' ? [url] : url).map((each) => each.replace(/\/+$/, ''))
    this.#api = new Connection({ urls, apiKey, retriesMax, retryFirstMs, timeoutMs, deadlineMs })
    this.#pauseMs = retryFirstMs
    this.webhooks = new Webhooks(this.#api)
    this.apiKeys = new ApiKeys(this.#api)
  }

  /** Begins the creation of a key; see {@link waitForKey}. */
  createKey({ idempotencyKey = randomUUID(), ...body }: CreateKey & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#api.call('post', '/v1/keys', { body, idempotencyKey })
  }

  operation(operationId: string, { waitMs = 0 } = {}): Promise<Operation> {
    return this.#api.call('get', '/v1/operations/{operationId}', { params: { operationId }, query: { waitMs } })
  }

  /** Newest first; of one key when `keyId` is given. */
  operations({ limit = 50, ...query }: PageOf<'listOperations'> = {}): Promise<Page<Operation>> {
    return this.#api.call('get', '/v1/operations', { query: { limit, ...query } })
  }

  /** The operation once it has succeeded. @throws {ConclaveApiError} the operation's own error when it failed; WAIT_TIMEOUT. */
  async waitForOperation(operationId: string, waiting: Waiting<Operation> = {}): Promise<Operation> {
    const isOver = ({ state, error }: Operation) => {
      const isOpen = OPEN.has(state)
      if (!isOpen && state !== 'succeeded' && !(state === 'failed' && isProblem(error))) throw badAnswer('an operation in no known state')
      return !isOpen
    }
    const ask = (waitMs: number) => this.operation(operationId, { waitMs })
    const operation = await poll({ ...waiting, ask, isOver, waitMs: WAIT_MS, pauseMs: this.#pauseMs })
    if (operation.error !== null && operation.state === 'failed') throw new ConclaveApiError(operation.error)
    return operation
  }

  /** The key that an operation made or renewed. @throws {ConclaveApiError} the operation's own error when it failed. */
  async waitForKey(operationId: string): Promise<Key> {
    const { result } = await this.waitForOperation(operationId)
    if (typeof result !== 'object' || result === null) throw badAnswer('an operation that has succeeded without a key')
    return result
  }

  /** Begins to give every party a new share of the same key; see {@link waitForOperation}. */
  refreshKey({ keyId, idempotencyKey = randomUUID() }: { readonly keyId: string } & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#api.call('post', '/v1/keys/{keyId}:refresh', { params: { keyId }, body: {}, idempotencyKey })
  }

  /** Begins to give the nodes of the present lock shares of a key, with the threshold that is asked for; see {@link waitForOperation}. */
  reshareKey({ keyId, idempotencyKey = randomUUID(), ...body }: ReshareKey & Idempotent): Promise<{ readonly operationId: string }> {
    return this.#api.call('post', '/v1/keys/{keyId}:reshare', { params: { keyId }, body, idempotencyKey })
  }

  /** Sets how often a key is refreshed by itself, in days; null ends it. */
  setSchedule(keyId: string, refreshEveryDays: number | null): Promise<Key> {
    return this.#api.call('patch', '/v1/keys/{keyId}', { params: { keyId }, body: { refreshEveryDays } })
  }

  key(keyId: string): Promise<Key> {
    return this.#api.call('get', '/v1/keys/{keyId}', { params: { keyId } })
  }

  /** Every key, or every one with a tag or a role, however many pages that is. */
  async keys(query: { readonly tag?: string; readonly role?: string } = {}): Promise<readonly Key[]> {
    const keys: Key[] = []
    let cursor: string | undefined
    for (let page = 0; page < PAGES_MAX; page++) {
      const { items, nextCursor } = await this.#api.call('get', '/v1/keys', {
        query: { limit: PAGE_MAX, ...query, ...(cursor === undefined ? {} : { cursor }) },
      })
      keys.push(...items)
      if (typeof nextCursor !== 'string') return keys
      cursor = nextCursor
    }
    throw badAnswer('a list of keys without an end')
  }

  /** Takes child keys into use, by index or by path: the coordinator keeps their names, tags and states. */
  addChildren(keyId: string, body: AddChildren): Promise<ChildrenAdded> {
    return this.#api.call('post', '/v1/keys/{keyId}/derived', { params: { keyId }, body })
  }

  /** Child keys that were taken into use. */
  children(keyId: string, query: PageOf<'listChildren'> = {}): Promise<Page<ChildKey>> {
    return this.#api.call('get', '/v1/keys/{keyId}/children', { params: { keyId }, query })
  }

  /** Names, tags, suspends or revokes a child key. */
  changeChild(keyId: string, path: string, body: ChangeChild): Promise<ChildKey> {
    return this.#api.call('patch', '/v1/keys/{keyId}/children/{path}', { params: { keyId, path }, body })
  }

  /** The child of a key at a path like `m/0/5`. */
  async derivedKey(keyId: string, path: string): Promise<DerivedKey> {
    const answer = await this.#api.call('get', '/v1/keys/{keyId}/derived', { params: { keyId }, query: { path } })
    if ('items' in answer) throw badAnswer('many keys where one was asked for')
    return answer
  }

  /** Many children at once, by index; fewer than `count` where the indices end. */
  async derivedKeys(keyId: string, { prefix = 'm', from = 0, count = 100 }: DerivedRange = {}): Promise<readonly DerivedKey[]> {
    const query = { prefix, from, count }
    const answer = await this.#api.call('get', '/v1/keys/{keyId}/derived', { params: { keyId }, query })
    if (!('items' in answer)) throw badAnswer('one key where many were asked for')
    return answer.items
  }

  /** Asks for a signature, or for several at once; see {@link waitForSignature}. */
  requestSignature({ idempotencyKey = randomUUID(), ...body }: RequestSignature & Idempotent): Promise<SigningAccepted> {
    return this.#api.call('post', '/v1/signing-requests', { body, idempotencyKey })
  }

  /**
   * Asks for a signature and waits for it: one round trip, when it does not take long.
   *
   * @throws {ConclaveApiError} like {@link waitForSignature}; when it does not tell whether the request was taken up, the same
   * `idempotencyKey` asks again and signs nothing twice.
   */
  async sign({ idempotencyKey = randomUUID(), ...body }: RequestSignature & Idempotent): Promise<SigningRequest> {
    const request = await this.#api.call('post', '/v1/signing-requests', { query: { waitMs: WAIT_MS }, body, idempotencyKey })
    // Who waits is told the whole request.
    return ENDED.has(request.state) ? signedOr(request as SigningRequest) : this.waitForSignature(request.requestId)
  }

  /** Carries an approval to the nodes. @throws {ConclaveApiError} APPROVAL_REFUSED with what each node said. */
  giveApproval(requestId: string, body: GiveApproval): Promise<ApprovalAnswers> {
    return this.#api.call('post', '/v1/signing-requests/{requestId}/approvals', { params: { requestId }, body })
  }

  signingRequest(requestId: string, { waitMs = 0 } = {}): Promise<SigningRequest> {
    return this.#api.call('get', '/v1/signing-requests/{requestId}', { params: { requestId }, query: { waitMs } })
  }

  /** Newest first. */
  signingRequests({ limit = 50, ...query }: PageOf<'listSigningRequests'> = {}): Promise<Page<SigningRequest>> {
    return this.#api.call('get', '/v1/signing-requests', { query: { limit, ...query } })
  }

  cancel(requestId: string): Promise<SigningRequest> {
    return this.#api.call('post', '/v1/signing-requests/{requestId}:cancel', { params: { requestId } })
  }

  /** What each node made of a request, and who approved it there: what approvers sign. */
  async statements(requestId: string): Promise<readonly NodeStatement[]> {
    return (await this.#api.call('get', '/v1/signing-requests/{requestId}/statement', { params: { requestId } })).items
  }

  /** What each node would say to a request; nothing is asked for. */
  async simulate(body: Simulate): Promise<readonly NodeVerdict[]> {
    return (await this.#api.call('post', '/v1/policies:simulate', { body })).items
  }

  /** The policy that each node judges by. */
  async policies(): Promise<readonly NodePolicy[]> {
    return (await this.#api.call('get', '/v1/policies', {})).items
  }

  async approvers(): Promise<readonly Approver[]> {
    return (await this.#api.call('get', '/v1/approvers', {})).items
  }

  async freezes(): Promise<readonly Freeze[]> {
    return (await this.#api.call('get', '/v1/freezes', {})).items
  }

  /** The request once it has ended, however it ended, or is in the state that is enough. @throws {ConclaveApiError} WAIT_TIMEOUT. */
  settled(requestId: string, { until, ...waiting }: WaitingForSignature = {}): Promise<SigningRequest> {
    const isOver = ({ state }: SigningRequest) => {
      if (!ENDED.has(state) && !OPEN.has(state)) throw badAnswer('a signing request in no known state')
      return ENDED.has(state) || state === until
    }
    const ask = (waitMs: number) => this.signingRequest(requestId, { waitMs })
    const waitMs = until === undefined && waiting.seen === undefined ? WAIT_MS : LOOK_MS
    return poll({ ...waiting, ask, isOver, waitMs, pauseMs: this.#pauseMs })
  }

  /** The signed request. @throws {ConclaveApiError} the request's own error when it ended in any other way; WAIT_TIMEOUT. */
  async waitForSignature(requestId: string, waiting: Waiting<SigningRequest> = {}): Promise<SigningRequest> {
    return signedOr(await this.settled(requestId, waiting))
  }

  /**
   * Proof of what was signed and why: the text that `conclave receipt verify` takes.
   *
   * @throws {ConclaveApiError} RECEIPT_NOT_READY (retriable) until the nodes' logs are cosigned; NO_RECEIPT.
   */
  async receipt(requestId: string): Promise<string> {
    const receipt = await this.#api.call('get', '/v1/signing-requests/{requestId}/receipt', { params: { requestId } })
    return canonicalJson(receipt as unknown as JsonValue)
  }

  async nodes(): Promise<readonly Node[]> {
    return (await this.#api.call('get', '/v1/nodes', {})).items
  }

  /** @param index - of the node in the cluster lock. @throws {ConclaveApiError} NODE_NOT_FOUND. */
  node(index: number): Promise<Node> {
    return this.#api.call('get', '/v1/nodes/{index}', { params: { index: `${index}` } })
  }
}
