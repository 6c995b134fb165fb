import { codeOf, tagged, toHex, utf8 } from '@conclave/core'
import type { CoordinatorMetrics } from './coordinator-metrics.ts'
import { ApiError } from './problem.ts'
import type { Records } from './record-store.ts'
import type { IdempotencyRecord, OperationRecord, SigningRecord } from './records.ts'

export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

export interface Post {
  readonly caller: string
  readonly route: string
  readonly idempotencyKey: string | undefined
  readonly body: unknown
  /** Of what carries one name of its own, only one is admitted at a time. */
  readonly named?: string | undefined
}

export interface Admitted {
  readonly record: OperationRecord | SigningRecord
  readonly status: number
  readonly body: unknown
  /** Called instead of `begin` when it cannot be stored. */
  undo?(): void
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** JSON with the keys of every object in order, so that equal bodies are equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  )
}

function checkedKey(key: string | undefined): string {
  if (key === undefined)
    throw new ApiError('IDEMPOTENCY_KEY_REQUIRED', 'send an Idempotency-Key header, a fresh one per request that is meant')
  if (!IDEMPOTENCY_KEY.test(key)) throw new ApiError('BAD_IDEMPOTENCY_KEY', 'Idempotency-Key: 1 to 128 visible ASCII characters')
  return key
}

/** @throws {ApiError} IDEMPOTENCY_CONFLICT. */
function repeated({ bodyHash, status, body }: IdempotencyRecord, asked: string): Answer {
  if (bodyHash !== asked) throw new ApiError('IDEMPOTENCY_CONFLICT', 'this Idempotency-Key was used with another body')
  return { status, body }
}

function conflictOf(record: Admitted['record'], cause: unknown): ApiError {
  if (!('operationId' in record)) return new ApiError('REQUEST_EXISTS', `this is signing request ${record.requestId}`, { cause })
  const { keyId, kind } = record
  if (kind === 'key.create') return new ApiError('KEY_BEING_CREATED', `key ${keyId} is being created`, { cause })
  return new ApiError('KEY_BUSY', `key ${keyId} has an open operation`, { cause, retriable: true })
}

/** Admits what a POST asks for once per idempotency key, and answers repetitions with what was answered first. */
export class Admission {
  readonly #records: Records
  readonly #metrics: CoordinatorMetrics
  #isClosed = false
  /** By idempotency key, while something of it is being admitted. */
  readonly #own = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()

  /** @param metrics - told how long it takes to keep what is admitted. */
  constructor(records: Records, metrics: CoordinatorMetrics) {
    this.#records = records
    this.#metrics = metrics
  }

  /** Nothing new is admitted any more; what was admitted before is still answered again. */
  close(): void {
    this.#isClosed = true
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * @param create - makes the record and its answer; runs in its turn, so what it has checked still holds when the record is stored.
   * @param begin - called once the record is on disk.
   * @param turn - `own` when what `create` checks does not depend on what else is admitted: then only its repetitions wait for it.
   * @throws {ApiError} IDEMPOTENCY_KEY_REQUIRED; BAD_IDEMPOTENCY_KEY; IDEMPOTENCY_CONFLICT; DRAINING; whatever `create` throws, and then nothing is kept.
   */
  async admit<R extends Admitted>(
    post: Post,
    create: () => R | Promise<R>,
    begin: (admitted: R) => void | Promise<void>,
    turn: 'alone' | 'own' = 'alone',
  ): Promise<Answer> {
    const key = checkedKey(post.idempotencyKey)
    // Of a caller's own: two callers that happen to use one key do not meet.
    const hash = toHex(tagged('idempotency-key', utf8(post.caller), utf8(post.route), utf8(key)))
    const bodyHash = toHex(tagged('idempotency-body', utf8(canonical(post.body ?? null))))
    const admit = () => this.#admitNow(hash, bodyHash, create, begin)
    if (turn === 'alone') return await this.alone(admit)
    const { named } = post
    return await this.#inOwnTurn(hash, named === undefined ? admit : () => this.#inOwnTurn(`named ${named}`, admit))
  }

  async #inOwnTurn<T>(hash: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.#own.get(hash) ?? Promise.resolve()).then(action)
    const done = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#own.get(hash) === done) this.#own.delete(hash)
      })
    this.#own.set(hash, done)
    return await turn
  }

  /** Runs something that begins an operation of its own accord; nothing is admitted meanwhile. */
  async alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action)
    this.#last = turn.catch(() => undefined)
    return await turn
  }

  async #admitNow<R extends Admitted>(
    hash: string,
    bodyHash: string,
    create: () => R | Promise<R>,
    begin: (admitted: R) => void | Promise<void>,
  ): Promise<Answer> {
    const earlier = await this.#records.idempotency(hash)
    if (earlier !== undefined) return repeated(earlier, bodyHash)
    if (this.#isClosed) throw new ApiError('DRAINING', 'this coordinator is stopping: ask another one, or again in a moment')
    const admitted = await create()
    const answer: IdempotencyRecord = { bodyHash, status: admitted.status, body: admitted.body }
    try {
      await this.#metrics.stored('admit', () => this.#records.admit(admitted.record, hash, answer))
    } catch (error) {
      admitted.undo?.()
      if (codeOf(error) !== 'STORE_CONFLICT') throw error
      // Another coordinator was faster, with this key or with what this is about.
      const theirs = await this.#records.idempotency(hash)
      if (theirs === undefined) throw conflictOf(admitted.record, error)
      return repeated(theirs, bodyHash)
    }
    await begin(admitted)
    return answer
  }
}
