import { equalBytes, type RequestTerms } from '@conclave/core'
import { msOf, timeBytes, type RequestTerms as WireTerms } from '@conclave/wire'

export function termsOf({ requester, nonce, notBefore, expiresAt }: WireTerms): RequestTerms {
  return { requester, nonce, notBeforeMs: msOf(notBefore), expiresAtMs: msOf(expiresAt) }
}

/** Of a request that was stored before there were any: long over. */
export const UNBOUND_TERMS: WireTerms = {
  ...{ requester: 'unknown', nonce: new Uint8Array(32), notBefore: timeBytes(0), expiresAt: timeBytes(1), keyEpoch: 0 },
  signature: new Uint8Array(0),
}

export function sameTerms(a: WireTerms, b: WireTerms): boolean {
  const bytes = ['nonce', 'notBefore', 'expiresAt', 'signature'] as const
  return a.requester === b.requester && a.keyEpoch === b.keyEpoch && bytes.every((name) => equalBytes(a[name], b[name]))
}
