import { equalBytes } from '@conclave/core'
import type { RequestTerms } from '@conclave/policy'
import type { RequestTerms as WireTerms } from '@conclave/wire'

/** 64 bits, big-endian. */
export function timeBytes(ms: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(ms))
  return out
}

/** Above 2^53 not exact, which no check of a time lets pass. */
export function msOf(time: Uint8Array): number {
  return Number(new DataView(time.buffer, time.byteOffset, 8).getBigUint64(0))
}

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
