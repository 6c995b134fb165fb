import { fromHex, type PartyId, tagged, toHex, u32 } from '@conclave/core'
import type { ProposedItem, Signed } from '@conclave/wire'
import { unsignedTransfer } from '../evm.ts'
import { PAYEE } from './sim-cluster.ts'

/** What the coordinator knows of a key. */
export interface KnownKey {
  readonly keyId: string
  readonly publicKey: Uint8Array
  epoch: number
  /** The highest epoch that was asked for. */
  asked?: number
  threshold: number
  parties: readonly PartyId[]
}

/** A signing request, with the digest that its first allowing node answered left out: who asks compares for himself. */
export interface KnownRequest {
  readonly requestId: Uint8Array
  readonly keyId: string
  readonly items: readonly ProposedItem[]
  attempts: number
}

/** Most requests of a run are for several signatures. */
const ITEMS_MAX = 3

/** The coordinator's memory. */
export class KeysBook {
  readonly keys = new Map<string, KnownKey>()
  readonly requests = new Map<string, KnownRequest>()
  /** Signatures that nodes answered, by request id in hex. */
  readonly signed: { readonly from: PartyId; readonly signed: Signed }[] = []
  #next = 1

  newRequest(keyId: string): KnownRequest {
    const number = this.#next++
    const requestId = tagged('sim-request', u32(number))
    const items = Array.from({ length: 1 + (number % ITEMS_MAX) }, (_, i) => {
      const transfer = unsignedTransfer({ to: PAYEE, valueWei: BigInt(number), nonce: BigInt(ITEMS_MAX * number + i) })
      return { payload: fromHex(transfer.slice(2)), path: [] }
    })
    const request = { requestId, keyId, items, attempts: 0 }
    this.requests.set(toHex(requestId), request)
    return request
  }
}
