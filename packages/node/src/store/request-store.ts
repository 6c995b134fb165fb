import { ConclaveError, equalBytes, formatPath, InvalidArgument, toHex } from '@conclave/core'
import {
  decode,
  encode,
  type MessageField,
  type Propose,
  StoredRequest,
  StoredSingleRequest,
  StoredUnboundRequest,
  type ValueOf,
  WireError,
} from '@conclave/wire'
import { sameTerms, UNBOUND_TERMS } from '../request-terms.ts'
import { NonceBook } from './nonce-book.ts'
import type { Change, Page, Store } from './store.ts'
import { NamedTurns } from './turns.ts'

/** The number after it must still fit the wire. */
const ATTEMPT_MAX = 0xfffffffe
/** Requests that are kept in memory after they were written: those of a moment ago are asked for again. */
export const RECENT_MAX = 256

/** A request as it will be on the disk. */
interface Recent {
  readonly request: StoredRequest
  /** Resolves when it is there. */
  readonly written: Promise<void>
}

/** @throws {WireError} WIRE_DECODE. */
function readRequest(value: Uint8Array): StoredRequest {
  const bound = readAs(StoredRequest, value)
  if (bound !== undefined) return bound
  const unbound = readAs(StoredUnboundRequest, value)
  if (unbound !== undefined) return { ...unbound, terms: UNBOUND_TERMS }
  const { payload, path, ...rest } = decode(StoredSingleRequest, value)
  return { ...rest, items: [{ payload, path }], terms: UNBOUND_TERMS }
}

function readAs<M extends MessageField>(type: M, value: Uint8Array): ValueOf<M> | undefined {
  try {
    return decode(type, value)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return undefined
  }
}

function isSame(a: Propose | StoredRequest, b: Propose | StoredRequest): boolean {
  if (a.keyId !== b.keyId || a.payloadType !== b.payloadType || a.items.length !== b.items.length || !sameTerms(a.terms, b.terms))
    return false
  return a.items.every(({ payload, path }, i) => {
    const other = b.items[i]
    return other !== undefined && equalBytes(payload, other.payload) && formatPath(path) === formatPath(other.path)
  })
}

/**
 * What was proposed to this node, and which attempts it has spent. A request id stands for one list of payloads and paths for ever.
 *
 * What is decided here is decided at once, in the order of the calls, and is on the disk when the promise resolves. A proposal and the
 * attempt that came right behind it are two writes that wait for the disk together.
 */
export class RequestStore {
  readonly #store: Store
  /** Two proposals of one id at once would both find it free, and the later write would give spent attempts back. */
  readonly #turns = new NamedTurns()
  readonly #recent = new Map<string, Recent>()
  /** Writes that have not resolved: what they hold is not on the disk for sure, so it stays in memory. */
  readonly #writing = new Set<Recent>()

  readonly #nonces: NonceBook

  constructor(store: Store) {
    this.#store = store
    this.#nonces = new NonceBook(store)
  }

  /** After every proposal of that id that came before has been decided, if not written. */
  async get(requestId: Uint8Array): Promise<StoredRequest | undefined> {
    const name = toHex(requestId)
    return this.#turns.take(name, async () => (await this.#known(name))?.request)
  }

  /** Requests in the order of their ids, as they are on the disk. @throws {StoreError}; {WireError}. */
  async page(page: Page): Promise<readonly StoredRequest[]> {
    return (await this.#store.list('request', page)).map(({ value }) => readRequest(value))
  }

  /** @throws {ConclaveError} REQUEST_CONFLICT when the id was used for something else; NONCE_REUSED when a requester's nonce was. */
  async remember(p: Propose): Promise<void> {
    const name = toHex(p.requestId)
    const { written } = await this.#turns.take(name, async () => {
      const known = await this.#known(name)
      if (known === undefined) {
        const { changes, release } = await this.#nonces.claim(p)
        const recent = this.#put(name, { ...p, attempts: 0 }, changes)
        recent.written.then(release, release)
        return recent
      }
      if (!isSame(known.request, p))
        throw new ConclaveError('REQUEST_CONFLICT', 'this request id was used for another payload, path or time')
      return known
    })
    await written
  }

  /**
   * Spends an attempt number: durable before the session begins, so that no session id ever comes twice.
   *
   * @throws {ConclaveError} UNKNOWN_REQUEST, ATTEMPT_SPENT. {InvalidArgument} BAD_ATTEMPT.
   */
  async spend(requestId: Uint8Array, attempt: number): Promise<StoredRequest> {
    if (attempt > ATTEMPT_MAX) throw new InvalidArgument('BAD_ATTEMPT', 'the attempt number is too high')
    const name = toHex(requestId)
    const { request, written } = await this.#turns.take(name, async () => {
      const known = (await this.#known(name))?.request
      if (known === undefined) throw new ConclaveError('UNKNOWN_REQUEST', 'this request was not proposed to this node')
      if (attempt < known.attempts) throw new ConclaveError('ATTEMPT_SPENT', `attempt ${attempt} of this request was used already`)
      return this.#put(name, { ...known, attempts: attempt + 1 })
    })
    await written
    return request
  }

  async #known(name: string): Promise<Recent | undefined> {
    const recent = this.#recent.get(name)
    if (recent !== undefined) return recent
    const value = await this.#store.get('request', name)
    return value === undefined ? undefined : { request: readRequest(value), written: Promise.resolve() }
  }

  #put(name: string, request: StoredRequest, more: readonly Change[] = []): Recent {
    const written = this.#store.apply([{ put: 'request', key: name, value: encode(StoredRequest, request) }, ...more])
    const recent: Recent = { request, written }
    this.#recent.delete(name)
    this.#recent.set(name, recent)
    this.#writing.add(recent)
    written.then(
      () => this.#writing.delete(recent),
      () => {
        this.#writing.delete(recent)
        // Whether it is on the disk, only the disk can tell.
        if (this.#recent.get(name) === recent) this.#recent.delete(name)
      },
    )
    this.#forgetOld()
    return recent
  }

  #forgetOld(): void {
    for (const [name, recent] of this.#recent) {
      if (this.#recent.size <= RECENT_MAX) return
      if (!this.#writing.has(recent)) this.#recent.delete(name)
    }
  }
}
