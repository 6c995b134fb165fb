import { ConclaveError, equalBytes, fromHex, toHex } from '@conclave/core'
import type { Propose } from '@conclave/wire'
import type { Change, Store } from './store.ts'

/** What a nonce stands for, and how to let go of it once that is on the disk, or never will be. */
export interface Claim {
  readonly changes: readonly Change[]
  release(): void
}

const NO_CLAIM: Claim = { changes: [], release: () => undefined }

/** Nonces of signed requests: a requester means one thing by a nonce, however often and under whatever id somebody asks for it. */
export class NonceBook {
  readonly #store: Store
  /** Whose first request is on its way to the disk. */
  readonly #claimed = new Map<string, string>()

  constructor(store: Store) {
    this.#store = store
  }

  /** @throws {ConclaveError} NONCE_REUSED; {StoreError}. */
  async claim({ requestId, terms: { requester, nonce, signature } }: Pick<Propose, 'requestId' | 'terms'>): Promise<Claim> {
    if (signature.length === 0) return NO_CLAIM
    const key = `${requester}/${toHex(nonce)}`
    const name = toHex(requestId)
    const claimed = this.#claimed.get(key)
    if (claimed !== undefined && claimed !== name) throw reused(requester)
    this.#claimed.set(key, name)
    const release = () => void this.#claimed.delete(key)
    try {
      const taken = await this.#store.get('nonce', key)
      if (taken !== undefined && !equalBytes(taken, requestId)) throw reused(requester)
    } catch (error) {
      release()
      throw error
    }
    return { changes: [{ put: 'nonce', key, value: fromHex(name) }], release }
  }
}

function reused(requester: string): ConclaveError {
  return new ConclaveError('NONCE_REUSED', `requester ${requester} used this nonce for another request`)
}
