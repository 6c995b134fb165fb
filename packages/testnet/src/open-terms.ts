import { tagged } from '@conclave/core'
import { type RequestTerms, timeBytes } from '@conclave/wire'

/** Of a request that nobody signed and that never ends. */
export const OPEN_TERMS: RequestTerms = {
  ...{ requester: 'testnet', nonce: tagged('testnet-nonce'), keyEpoch: 0, signature: new Uint8Array(0) },
  ...{ notBefore: timeBytes(0), expiresAt: timeBytes(Number.MAX_SAFE_INTEGER) },
}
