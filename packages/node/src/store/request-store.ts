import { ConclaveError, equalBytes, formatPath, InvalidArgument, toHex } from '@conclave/core'
import { decode, encode, type Propose, StoredRequest } from '@conclave/wire'
import type { Store } from './store.ts'
import { Turns } from './turns.ts'

/** The number after it must still fit the wire. */
const ATTEMPT_MAX = 0xfffffffe

/** What was proposed to this node, and which attempts it has spent. A request id stands for one payload and path for ever. */
export class RequestStore {
  readonly #store: Store
  /** Two proposals at once would both find the id free, and the later write would give spent attempts back. */
  readonly #turns = new Turns()

  constructor(store: Store) {
    this.#store = store
  }

  async get(requestId: Uint8Array): Promise<StoredRequest | undefined> {
    const value = await this.#store.get('request', toHex(requestId))
    return value === undefined ? undefined : decode(StoredRequest, value)
  }

  /** @throws {ConclaveError} REQUEST_CONFLICT when the id was used for something else. */
  remember(p: Propose): Promise<void> {
    return this.#turns.take(async () => {
      const known = await this.get(p.requestId)
      if (known === undefined) return this.#put({ ...p, attempts: 0 })
      const same =
        known.keyId === p.keyId &&
        known.payloadType === p.payloadType &&
        equalBytes(known.payload, p.payload) &&
        formatPath(known.path) === formatPath(p.path)
      if (!same) throw new ConclaveError('REQUEST_CONFLICT', 'this request id was used for another payload or path')
    })
  }

  /**
   * Spends an attempt number: durable before the session begins, so that no session id ever comes twice.
   *
   * @throws {ConclaveError} UNKNOWN_REQUEST, ATTEMPT_SPENT. {InvalidArgument} BAD_ATTEMPT.
   */
  async spend(requestId: Uint8Array, attempt: number): Promise<StoredRequest> {
    if (attempt > ATTEMPT_MAX) throw new InvalidArgument('BAD_ATTEMPT', 'the attempt number is too high')
    return this.#turns.take(async () => {
      const known = await this.get(requestId)
      if (known === undefined) throw new ConclaveError('UNKNOWN_REQUEST', 'this request was not proposed to this node')
      if (attempt < known.attempts) throw new ConclaveError('ATTEMPT_SPENT', `attempt ${attempt} of this request was used already`)
      const spent = { ...known, attempts: attempt + 1 }
      await this.#put(spent)
      return spent
    })
  }

  async #put(r: StoredRequest): Promise<void> {
    await this.#store.apply([{ put: 'request', key: toHex(r.requestId), value: encode(StoredRequest, r) }])
  }
}
