import { fromHex, type PartyId, tagged, toHex, u32 } from '@conclave/core'
import type { Signed } from '@conclave/wire'
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
  readonly payload: Uint8Array
  attempts: number
}

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
    const payload = fromHex(unsignedTransfer({ to: PAYEE, valueWei: BigInt(number), nonce: BigInt(number) }).slice(2))
    const request = { requestId, keyId, payload, attempts: 0 }
    this.requests.set(toHex(requestId), request)
    return request
  }
}
