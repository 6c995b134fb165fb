import { type Clock, ConclaveError, equalBytes, fromHex, isRequestSigned, payloadHash, requestIdOf } from '@conclave/core'
import type { Propose } from '@conclave/wire'
import type { Policies } from './policies/in-force.ts'
import { termsOf } from './request-terms.ts'

/** How far a requester's clock may be ahead of this node's. */
export const AHEAD_MS_MAX = 5_000

export interface RequestGateOptions {
  readonly clusterId: string
  readonly policies: Policies
  readonly clock: Clock
}

/** Whether a request was made by who may make one, and is neither early nor late: before anybody asks what it is about. */
export class RequestGate {
  readonly #o: RequestGateOptions
  readonly #clusterId: Uint8Array

  constructor(options: RequestGateOptions) {
    this.#o = options
    this.#clusterId = fromHex(options.clusterId)
  }

  /** Why a request is not taken; undefined when it is. REQUEST_TOO_EARLY is retriable. */
  refusal(p: Pick<Propose, 'requestId' | 'keyId' | 'payloadType' | 'items' | 'terms'>): ConclaveError | undefined {
    return this.#origin(p) ?? this.#window(p)
  }

  #origin({ requestId, keyId, payloadType, items, terms }: Parameters<RequestGate['refusal']>[0]): ConclaveError | undefined {
    const { requesters } = this.#o.policies.present.policy
    if (requesters === undefined) return undefined
    if (terms.signature.length === 0) return new ConclaveError('REQUEST_UNSIGNED', 'the policy takes signed requests only')
    const requester = requesters.find((r) => r.name === terms.requester)
    if (requester === undefined) return new ConclaveError('UNKNOWN_REQUESTER', 'the policy names no such requester')
    const asked = items.map(({ payload, path }) => ({ payloadHash: payloadHash(payload), path }))
    const id = requestIdOf({ clusterId: this.#clusterId, keyId, payloadType, items: asked, ...termsOf(terms) })
    if (!equalBytes(id, requestId)) return new ConclaveError('REQUEST_ID', 'the id is not that of this request')
    if (isRequestSigned(id, requester.key, terms.signature)) return undefined
    return new ConclaveError('REQUEST_SIGNATURE', `requester ${requester.name} did not sign this request`)
  }

  #window({ terms }: Pick<Propose, 'terms'>): ConclaveError | undefined {
    const { notBeforeMs, expiresAtMs } = termsOf(terms)
    const nowMs = this.#o.clock.nowMs()
    if (nowMs >= expiresAtMs) return new ConclaveError('REQUEST_EXPIRED', `the request expired at ${isoOf(expiresAtMs)}`)
    if (nowMs + AHEAD_MS_MAX >= notBeforeMs) return undefined
    return new ConclaveError('REQUEST_TOO_EARLY', `the request begins at ${isoOf(notBeforeMs)}`, { retriable: true })
  }
}

/** The last time that has a text. */
const TIME_MAX_MS = 8.64e15
const isoOf = (ms: number) => (ms <= TIME_MAX_MS ? new Date(ms).toISOString() : `${ms} ms`)
