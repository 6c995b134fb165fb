import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatLock, toHex } from '@conclave/core'
import { type Logger, pino } from 'pino'
import { type Coordinator, startCoordinator } from '../coordinator.ts'
import type { Database } from '../database/database.ts'
import type { OperationBody } from '../key-schemas.ts'
import { type ApiRole, type CoordinatorSettings, parseCoordinatorSettings } from '../settings.ts'
import type { SigningBody } from '../signing-schemas.ts'
import { Contract, type OpenApi } from './contract.ts'
import { type Borrowed, borrowDatabase, Mortal } from './databases.ts'
import { eventually, FakeClock } from './fake-clock.ts'
import { COORDINATOR_NAME, coordinatorSeed, FakeCluster, REPLICA_NAME } from './fake-cluster.ts'
import { payment } from './payment.ts'

export { PostgresServer, postgresPrograms } from './postgres.ts'
export { Receiver } from './receiver.ts'
export { eventually, FakeClock, FakeCluster, payment }

export const API_KEYS: Readonly<Record<ApiRole, string>> = {
  viewer: 'viewer-key-0123456789',
  requester: 'requester-key-0123456789',
  admin: 'admin-key-0123456789',
}

export interface Call {
  /** Null for no Authorization header. */
  readonly as?: ApiRole | null
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** What a test reads of any answer: a problem, or nothing in common. */
export interface ProblemAnswer {
  readonly code: string
  readonly detail: string
  readonly retriable: boolean
}

interface HarnessParts {
  readonly cluster: FakeCluster
  readonly clock: FakeClock
  readonly directory: string
  readonly settings: CoordinatorSettings
  readonly borrowed: Borrowed
  /** Not a replica of another. */
  readonly isFirst: boolean
}

function yamlOf(signing: Partial<CoordinatorSettings['signing']>): string {
  const keys = Object.entries(API_KEYS).map(([role, key]) => ({ name: role, role, sha256: createHash('sha256').update(key).digest('hex') }))
  // JSON is YAML.
  return JSON.stringify({
    cluster: { lock: 'cluster.lock.json' },
    coordinator: { name: COORDINATOR_NAME, identity: { file: `identity-${COORDINATOR_NAME}` } },
    http: { listen: '127.0.0.1:0', rate: { perSecond: 1_000_000, burst: 1_000_000 } },
    p2p: { listen: [] },
    // On the clock of the database: nothing ends a lease but the test.
    store: { path: 'store', leaseMs: 600_000 },
    api: { keys },
    signing,
  })
}

const OPENAPI = '/v1/openapi.json'
/** The same for all coordinators of a process. */
let contract: Promise<Contract> | undefined

/** What was answered; nothing of a stream, which may have no end. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type') !== 'text/event-stream') return await response.text()
  await response.body?.cancel()
  return ''
}

/** A coordinator with fake nodes in a directory of its own. Dispose stops it and removes the directory. */
export class Harness implements AsyncDisposable {
  readonly cluster: FakeCluster
  readonly clock: FakeClock
  readonly log: string[] = []
  settings: CoordinatorSettings
  coordinator: Coordinator | undefined
  readonly #directory: string
  readonly #logger: Logger
  readonly #borrowed: Borrowed
  readonly #isFirst: boolean
  #process: Mortal | undefined
  #posts = 0

  private constructor({ cluster, clock, directory, settings, borrowed, isFirst }: HarnessParts) {
    this.cluster = cluster
    this.clock = clock
    this.#borrowed = borrowed
    this.settings = settings
    this.#directory = directory
    this.#isFirst = isFirst
    this.#logger = pino({ level: 'trace' }, { write: (line: string) => void this.log.push(line) })
  }

  static async prepare(
    signing: Partial<CoordinatorSettings['signing']> = {},
    quorum: { required?: number; of?: number } = {},
    borrow: () => Promise<Borrowed> = borrowDatabase,
  ): Promise<Harness> {
    const cluster = await FakeCluster.start(quorum)
    const directory = await mkdtemp(join(tmpdir(), 'conclave-coordinator-'))
    await writeFile(join(directory, 'cluster.lock.json'), formatLock(cluster.lock))
    const settings = parseCoordinatorSettings(yamlOf(signing), directory)
    for (const name of [COORDINATOR_NAME, REPLICA_NAME]) {
      await writeFile(join(directory, `identity-${name}`), toHex(coordinatorSeed(name)), { mode: 0o600 })
    }
    return new Harness({ cluster, clock: new FakeClock(), directory, settings, borrowed: await borrow(), isFirst: true })
  }

  /** Another coordinator of the same cluster on the same database, which runs. Disposing of it stops it. */
  async replica(): Promise<Harness> {
    const { cluster, clock } = this
    const identity = { file: join(this.#directory, `identity-${REPLICA_NAME}`) }
    const settings = { ...this.settings, coordinator: { name: REPLICA_NAME, identity } }
    const parts = { cluster, clock, settings, directory: this.#directory, borrowed: this.#borrowed, isFirst: false }
    const other = new Harness(parts)
    await other.run()
    return other
  }

  /** A running coordinator; with a key `main` unless told otherwise. */
  static async start(signing: Partial<CoordinatorSettings['signing']> = {}, { withKey = true } = {}): Promise<Harness> {
    const harness = await Harness.prepare(signing)
    if (withKey) harness.cluster.addKey('main')
    await harness.run()
    if (withKey) await eventually(async () => (await harness.get('/v1/keys/main')).status === 200)
    return harness
  }

  async run(): Promise<void> {
    const { settings, clock } = this
    const database = new Mortal(this.database)
    this.#process = database
    const transport = this.cluster.transport(settings.coordinator.name)
    this.coordinator = await startCoordinator({ settings, clock, database, transport, logger: this.#logger })
  }

  /** What is in the database now is what a SIGKILL at this moment leaves; a new coordinator starts from exactly that. */
  async crashAndRestart(): Promise<void> {
    await this.crash()
    await this.run()
  }

  /** SIGKILL. */
  async crash(): Promise<void> {
    this.cluster.cutOffCoordinator(this.settings.coordinator.name)
    this.process?.kill()
    await this.coordinator?.stop()
  }

  /** The database as the present run of this coordinator has it. */
  get process(): Mortal | undefined {
    return this.#process
  }

  get database(): Database {
    return this.#borrowed.database
  }

  async stop(): Promise<void> {
    await this.coordinator?.stop()
  }

  async call<T = ProblemAnswer>(method: string, path: string, call: Call = {}): Promise<Answered<T>> {
    const { text, ...answered } = await this.exchange(method, path, call)
    const isJson = answered.headers.get('content-type')?.includes('json') === true
    return { ...answered, body: (isJson ? JSON.parse(text) : text) as T }
  }

  /** Any call, also of what is not JSON. The answer is held to the document. */
  async exchange(
    method: string,
    path: string,
    { as = 'admin', body, raw, headers = {} }: Call = {},
  ): Promise<Omit<Answered<never>, 'body'> & { text: string }> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(`${this.coordinator?.url}${path}`, {
      method,
      headers: {
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...(as === null ? {} : { authorization: `Bearer ${API_KEYS[as]}` }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    })
    const { status } = response
    const text = await textOf(response)
    await this.#hold(method, path, { status, headers: response.headers, text })
    return { status, headers: response.headers, text }
  }

  /** The contract that every answer is held to: the document that the coordinator serves. */
  async contract(): Promise<Contract> {
    contract ??= fetch(`${this.coordinator?.url}${OPENAPI}`).then(async (answer) => new Contract((await answer.json()) as OpenApi))
    return await contract
  }

  async #hold(method: string, path: string, { status, headers, text }: { status: number; headers: Headers; text: string }): Promise<void> {
    if (path === OPENAPI) return
    const contentType = headers.get('content-type') ?? ''
    const body: unknown = /json/.test(contentType) ? JSON.parse(text) : text
    const faults = (await this.contract()).faults({ method, path, status, contentType, body })
    if (faults.length > 0) throw new Error(`not what the OpenAPI document says: ${faults.join('; ')}`)
  }

  get<T = ProblemAnswer>(path: string, call: Call = {}): Promise<Answered<T>> {
    return this.call<T>('GET', path, call)
  }

  /** With an idempotency key of its own, unless the call brings one. */
  post<T = ProblemAnswer>(path: string, body: unknown, call: Call = {}): Promise<Answered<T>> {
    const headers = { 'idempotency-key': `test-${++this.#posts}`, ...call.headers }
    return this.call<T>('POST', path, { ...call, body, headers })
  }

  /** A new signing request of key `main`. */
  async request(nonce = 0, more: { deadlineMs?: number; keyId?: string; derivationPath?: string } = {}): Promise<string> {
    const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment(nonce) }, ...more }
    const answer = await this.post<{ requestId: string }>('/v1/signing-requests', body)
    if (answer.status !== 201) throw new Error(`not admitted: ${JSON.stringify(answer.body)}`)
    return answer.body.requestId
  }

  async signing(requestId: string): Promise<SigningBody> {
    return (await this.get<SigningBody>(`/v1/signing-requests/${requestId}`)).body
  }

  /** The request when it is terminal. The clock must not be what it waits for. */
  async ended(requestId: string): Promise<SigningBody> {
    return (await this.get<SigningBody>(`/v1/signing-requests/${requestId}?waitMs=30000`)).body
  }

  /** The request when it is terminal, with what every signer of its last attempt answered. */
  async recorded(requestId: string): Promise<SigningBody> {
    const body = await this.ended(requestId)
    await eventually(() => this.log.filter((l) => l.includes('"attempt ended"') && l.includes(requestId)).length >= body.attempts.length)
    return await this.signing(requestId)
  }

  async operationEnded(operationId: string): Promise<OperationBody> {
    return (await this.get<OperationBody>(`/v1/operations/${operationId}?waitMs=30000`)).body
  }

  /** Begins a renewal of key `main`. */
  async renew(action: 'refresh' | 'reshare', body?: unknown): Promise<string> {
    const answer = await this.post<{ operationId: string }>(`/v1/keys/main:${action}`, body)
    if (answer.status !== 202) throw new Error(`not admitted: ${JSON.stringify(answer.body)}`)
    return answer.body.operationId
  }

  /** Lets time pass as long as somebody waits for exactly `stepMs`, until it holds. */
  async passing(stepMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(async () => {
      if (await holds()) return true
      if (this.clock.hasTimer(stepMs)) this.clock.advance(stepMs)
      return false
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    if (!this.#isFirst) return
    for (const node of this.cluster.nodes) node.kill()
    await this.#borrowed[Symbol.asyncDispose]()
    await rm(this.#directory, { recursive: true, force: true })
  }
}
