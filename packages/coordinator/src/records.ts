import type { SummaryLine } from '@conclave/policy'
import type { NodeVerdict, Problem } from './problem.ts'
import type { TermsRecord } from './request-terms.ts'
import type { ScheduleRecord } from './schedule-record.ts'
import type { Store, Write } from './store.ts'
import { readSigning, type StoredSigning } from './stored-signing.ts'

/** Requests and operations that may be open at once; past it new ones are answered 429. */
export const OPEN_MAX = 10_000

export type OperationState = 'pending' | 'running' | 'succeeded' | 'failed'

export const OPERATION_KINDS = ['key.create', 'key.refresh', 'key.reshare'] as const
export type OperationKind = (typeof OPERATION_KINDS)[number]

/** Epochs that a renewal has asked the nodes for; on disk before anything is sent. */
export interface RenewalEpochs {
  readonly first: number
  readonly last: number
}

/** The creation or the renewal of a key. Times are milliseconds since the epoch, keys and hashes lower-case hex. */
export interface OperationRecord {
  readonly operationId: string
  readonly kind: OperationKind
  readonly keyId: string
  /** The API key that asked, or `schedule`. */
  readonly requestedBy: string
  /** What the key is to have when the operation has succeeded, and so has `parties`. */
  readonly threshold: number
  readonly parties: readonly number[]
  readonly state: OperationState
  /** Null for a creation, and for a renewal that has sent nothing yet. */
  readonly epochs: RenewalEpochs | null
  readonly createdAtMs: number
  readonly endedAtMs: number | null
  readonly error: Problem | null
}

/** A key that enough nodes have confirmed; kept, so that it is known while nodes are down. */
export interface KeyRecord {
  readonly keyId: string
  readonly publicKey: string
  readonly chainCode: string
  readonly threshold: number
  readonly parties: readonly number[]
  readonly epoch: number
  readonly state: string
}

export type SigningState =
  | 'decoded'
  | 'pending_approval'
  | 'queued'
  | 'signing'
  | 'signed'
  | 'denied'
  | 'rejected'
  | 'expired'
  | 'failed'
  | 'cancelled'

export interface AttemptRecord {
  readonly attempt: number
  readonly signers: readonly number[]
  /** `interrupted`: the coordinator stopped before it knew. */
  readonly outcome: 'running' | 'signed' | 'failed' | 'interrupted'
  readonly code: string | null
  readonly culprits: readonly number[]
  readonly waitingFor: readonly number[]
  /** Signers that answered a failure and named nobody for it. */
  readonly refusedBy: readonly number[]
  readonly bytesOnWire: number
  readonly startedAtMs: number
  readonly endedAtMs: number | null
}

/** One digest of an item: whose signature is asked for. */
export interface DigestRecord {
  readonly derivationPath: string
  /** Of the child at that path: what the signature verifies under. */
  readonly publicKey: string
  readonly digest: string
}

/** One payload that is asked for. */
export interface SigningItem {
  readonly derivationPath: string
  /** Of the child at that path. */
  readonly publicKey: string
  readonly payload: { readonly type: string; readonly bytes: string }
  /** One, or those of the inputs of a PSBT, on the paths that it names. */
  readonly digests: readonly DigestRecord[]
  readonly summary: readonly SummaryLine[]
}

export interface DigestSignature {
  /** r || s. */
  readonly signature: string
  readonly recovery: number
}

export interface ItemResult {
  /** One for each digest, in their order. */
  readonly signatures: readonly DigestSignature[]
  /** 0x and the raw transaction, where the signatures are all that it needs. */
  readonly signedTransaction: string | null
  /** 0x and the PSBT with the signatures. */
  readonly signedPsbt: string | null
}

export interface SigningResult {
  /** One for each item, in their order. */
  readonly signatures: readonly ItemResult[]
  readonly signers: readonly number[]
}

export interface SigningRecord {
  readonly requestId: string
  readonly keyId: string
  /** 1 to DIGESTS_MAX: all are signed or none. */
  readonly items: readonly SigningItem[]
  readonly requester: string
  readonly terms: TermsRecord
  readonly state: SigningState
  readonly cancelRequested: boolean
  readonly nodeVerdicts: readonly NodeVerdict[]
  /** Numbers only grow; each is stored before anything is sent under it. */
  readonly attempts: readonly AttemptRecord[]
  readonly result: SigningResult | null
  readonly error: Problem | null
  readonly createdAtMs: number
  readonly deadlineAtMs: number
  readonly endedAtMs: number | null
}

/** Every digest of a request, in the order in which they are signed. */
export function digestsOf({ items }: Pick<SigningRecord, 'items'>): readonly DigestRecord[] {
  return items.flatMap((item) => item.digests)
}

/** The answer that a repeated POST gets. */
export interface IdempotencyRecord {
  readonly bodyHash: string
  readonly status: number
  readonly body: unknown
}

export interface Page<R> {
  readonly items: readonly R[]
  readonly nextCursor: string | null
}

export function isOver(record: OperationRecord | SigningRecord): boolean {
  return record.endedAtMs !== null
}

const ORDER_DIGITS = 16
/** One table per key: a slash is in no key id, so the tables do not meet. */
const operationsOf = (keyId: string) => `operation-of/${keyId}`
const order = (n: number) => String(n).padStart(ORDER_DIGITS, '0')

/** What is kept in the store, by its name. */
export class Records {
  readonly #store: Store
  #nextOrder: number
  #nextOperation: number

  private constructor(store: Store, nextOrder: number, nextOperation: number) {
    this.#store = store
    this.#nextOrder = nextOrder
    this.#nextOperation = nextOperation
  }

  static async load(store: Store): Promise<Records> {
    const next = async (table: string) => {
      const [last] = await store.scan(table, { limit: 1, reverse: true })
      return last === undefined ? 1 : Number(last[0]) + 1
    }
    return new Records(store, await next('order'), await next('operation-order'))
  }

  async operation(id: string): Promise<OperationRecord | undefined> {
    const stored = (await this.#store.get('operation', id)) as OperationRecord | undefined
    // Stores of 0.1.0 hold creations only, without these fields.
    return stored === undefined ? undefined : { ...{ kind: 'key.create', requestedBy: '', epochs: null }, ...stored }
  }

  async signing(id: string): Promise<SigningRecord | undefined> {
    const stored = (await this.#store.get('signing', id)) as StoredSigning | undefined
    return stored === undefined ? undefined : readSigning(stored)
  }

  async idempotency(hash: string): Promise<IdempotencyRecord | undefined> {
    return (await this.#store.get('idempotency', hash)) as IdempotencyRecord | undefined
  }

  async keys(): Promise<readonly KeyRecord[]> {
    const rows = await this.#store.scan('key', { limit: -1 })
    return rows.map(([, value]) => value as KeyRecord)
  }

  /** Signing requests, newest first, and the cursor of the next page. */
  async signings(limit: number, cursor?: string): Promise<Page<SigningRecord>> {
    return await this.#page('order', { limit, cursor }, (id) => this.signing(id))
  }

  /** Operations, newest first: of one key, or of all. */
  async operations(page: { limit: number; cursor?: string | undefined; keyId?: string | undefined }): Promise<Page<OperationRecord>> {
    const table = page.keyId === undefined ? 'operation-order' : operationsOf(page.keyId)
    return await this.#page(table, page, (id) => this.operation(id))
  }

  async schedules(): Promise<readonly ScheduleRecord[]> {
    return (await this.#store.scan('schedule', { limit: -1 })).map(([, value]) => value as ScheduleRecord)
  }

  async openOperations(): Promise<readonly OperationRecord[]> {
    const rows = await this.#store.scan('open-operation', { limit: -1 })
    return (await Promise.all(rows.map(([id]) => this.operation(id)))).filter((r) => r !== undefined)
  }

  async openSignings(): Promise<readonly SigningRecord[]> {
    const rows = await this.#store.scan('open-signing', { limit: -1 })
    return (await Promise.all(rows.map(([id]) => this.signing(id)))).filter((r) => r !== undefined)
  }

  /** A new operation or request together with the answer it is acknowledged with: both are kept, or neither. */
  async admit(record: OperationRecord | SigningRecord, hash: string, answer: IdempotencyRecord): Promise<void> {
    const writes: Write[] = [{ table: 'idempotency', key: hash, value: answer }]
    if ('operationId' in record) writes.push(...operationWrites(record), ...this.#operationOrder(record))
    else writes.push(...signingWrites(record), { table: 'order', key: order(this.#nextOrder++), value: record.requestId })
    await this.#store.write(writes)
  }

  /** A new operation that nobody waits for an answer of. */
  async addOperation(record: OperationRecord): Promise<void> {
    await this.#store.write([...operationWrites(record), ...this.#operationOrder(record)])
  }

  async saveOperation(record: OperationRecord): Promise<void> {
    await this.#store.write(operationWrites(record))
  }

  async saveSigning(record: SigningRecord): Promise<void> {
    await this.#store.write(signingWrites(record))
  }

  async saveKeys(keys: readonly KeyRecord[]): Promise<void> {
    await this.#store.write(keys.map((key) => ({ table: 'key', key: key.keyId, value: key })))
  }

  async saveSchedules(schedules: readonly ScheduleRecord[]): Promise<void> {
    await this.#store.write(schedules.map((value) => ({ table: 'schedule', key: value.keyId, value })))
  }

  #operationOrder({ operationId, keyId }: OperationRecord): readonly Write[] {
    const key = order(this.#nextOperation++)
    return ['operation-order', operationsOf(keyId)].map((table) => ({ table, key, value: operationId }))
  }

  async #page<R>(
    table: string,
    { limit, cursor }: { limit: number; cursor?: string | undefined },
    read: (id: string) => Promise<R | undefined>,
  ): Promise<Page<R>> {
    const scan = { limit: limit + 1, reverse: true, ...(cursor === undefined ? {} : { beyond: cursor }) }
    const rows = await this.#store.scan(table, scan)
    const page = rows.slice(0, limit)
    const items = await Promise.all(page.map(([, id]) => read(id as string)))
    return { items: items.filter((r) => r !== undefined), nextCursor: rows.length > limit ? (page.at(-1)?.[0] ?? null) : null }
  }
}

function operationWrites(record: OperationRecord): readonly Write[] {
  const open = isOver(record) ? undefined : true
  return [
    { table: 'operation', key: record.operationId, value: record },
    { table: 'open-operation', key: record.operationId, value: open },
  ]
}

function signingWrites(record: SigningRecord): readonly Write[] {
  const open = isOver(record) ? undefined : true
  return [
    { table: 'signing', key: record.requestId, value: record },
    { table: 'open-signing', key: record.requestId, value: open },
  ]
}
