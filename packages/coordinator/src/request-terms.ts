import { fromHex, parsePath, payloadHash, type Random, requestIdOf, toHex } from '@conclave/core'
import { payloadBytes } from './payload.ts'
import type { SigningItem } from './records.ts'
import type { CreateSigningBody } from './signing-schemas.ts'

/** What the nodes are told of a request beside its payloads (docs/spec/statement.md). */
export interface TermsRecord {
  /** Of the policy when the platform signed the request; else the API key that asked. */
  readonly requester: string
  readonly nonce: string
  readonly notBeforeMs: number
  readonly expiresAtMs: number
  /** Of the key when the request was made. */
  readonly keyEpoch: number
  /** Of the requester; empty when nobody signed. */
  readonly signature: string
}

export interface NewRequest {
  readonly clusterId: string
  readonly body: Pick<CreateSigningBody, 'signed'>
  readonly keyId: string
  readonly keyEpoch: number
  readonly items: readonly SigningItem[]
  /** The API key that asks. */
  readonly caller: string
  readonly nowMs: number
  /** When it has to be signed at the latest. */
  readonly deadlineAtMs: number
  readonly random: Random
}

export interface NamedRequest {
  readonly requestId: string
  readonly terms: TermsRecord
}

/** The name and the terms of a new request: those that the platform signed, or, when it signed nothing, fresh ones. */
export function nameRequest({ body: { signed }, ...r }: NewRequest): NamedRequest {
  const { keyEpoch } = r
  if (signed === undefined) {
    const terms = { requester: r.caller, nonce: toHex(r.random.bytes(32)), notBeforeMs: r.nowMs, expiresAtMs: r.deadlineAtMs }
    return { requestId: toHex(r.random.bytes(32)), terms: { ...terms, keyEpoch, signature: '' } }
  }
  const { requester, nonce, notBeforeMs, expiresAtMs, signature } = signed
  const items = r.items.map(({ payload, derivationPath }) => ({
    payloadHash: payloadHash(payloadBytes(payload.bytes)),
    path: parsePath(derivationPath),
  }))
  const payloadType = r.items[0]?.payload.type ?? ''
  const said = { requester, nonce: fromHex(nonce), notBeforeMs, expiresAtMs }
  const requestId = requestIdOf({ clusterId: fromHex(r.clusterId), keyId: r.keyId, payloadType, items, ...said })
  return { requestId: toHex(requestId), terms: { requester, nonce, notBeforeMs, expiresAtMs, keyEpoch, signature } }
}
