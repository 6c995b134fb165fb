/** What is asked of a node to have something signed, its answers, and what it stores of it; part of control.proto and store.proto. */
import { PARTIES_MAX, PATH_DEPTH_MAX } from '@conclave/core'
import { bytes, bytesBetween, bytesOrEmpty, flag, list, message, number, text, type ValueOf } from './schema.ts'

/** Payloads of all items of one request together. */
export const PAYLOAD_BYTES_MAX = 128 * 1024
/** Items of one request, which are signatures of one session; and entries of one run that fills the correlation pool. */
export const DIGESTS_MAX = 32

const HASH = bytes(32)
const KEY_ID = text(63)
const PAYLOAD_TYPE = text(32)
/** A hardened index fits too: it is the node that refuses it, with a verdict. */
const PATH = list(number(), PATH_DEPTH_MAX)

export const ProposedItem = message('ProposedItem', { payload: bytesBetween(1, PAYLOAD_BYTES_MAX), path: PATH })
const ITEMS = list(ProposedItem, DIGESTS_MAX, 1)
const TIME = bytes(8)
export const RequestTerms = message('RequestTerms', {
  requester: text(63),
  nonce: HASH,
  notBefore: TIME,
  expiresAt: TIME,
  keyEpoch: number(),
  signature: bytesOrEmpty(64),
})
const REQUEST = { requestId: HASH, keyId: KEY_ID, payloadType: PAYLOAD_TYPE, items: ITEMS }
export const Propose = message('Propose', { ...REQUEST, terms: RequestTerms })
export const Verdict = message('Verdict', {
  requestId: HASH,
  allowed: flag,
  code: text(64),
  reason: text(512),
  rule: text(128),
  digests: list(HASH, DIGESTS_MAX),
  statement: bytesOrEmpty(32),
})
export const Sign = message('Sign', {
  requestId: HASH,
  attempt: number(),
  signers: list(number(PARTIES_MAX), PARTIES_MAX),
  epoch: number(),
})
export const SignedItem = message('SignedItem', { digest: HASH, signature: bytes(64), recovery: number(3) })
export const Signed = message('Signed', { requestId: HASH, items: list(SignedItem, DIGESTS_MAX, 1), bytesSent: number() })

export const StoredRequest = message('StoredRequest', { ...REQUEST, attempts: number(), terms: RequestTerms })
export const StoredUnboundRequest = message('StoredUnboundRequest', { ...REQUEST, attempts: number() })
export const StoredSingleRequest = message('StoredSingleRequest', {
  requestId: HASH,
  keyId: KEY_ID,
  payloadType: PAYLOAD_TYPE,
  payload: bytesBetween(1, PAYLOAD_BYTES_MAX),
  attempts: number(),
  path: PATH,
})

export type ProposedItem = ValueOf<typeof ProposedItem>
export type RequestTerms = ValueOf<typeof RequestTerms>
export type Propose = ValueOf<typeof Propose>
export type Verdict = ValueOf<typeof Verdict>
export type Sign = ValueOf<typeof Sign>
export type SignedItem = ValueOf<typeof SignedItem>
export type Signed = ValueOf<typeof Signed>
export type StoredRequest = ValueOf<typeof StoredRequest>
export type StoredUnboundRequest = ValueOf<typeof StoredUnboundRequest>
export type StoredSingleRequest = ValueOf<typeof StoredSingleRequest>
