import { concat, u32, utf8 } from './bytes.ts'
import type { DerivationPath } from './derivation.ts'
import { tagged } from './hash.ts'
import { verifyIdentity } from './identity.ts'

/** What a request says beside its payloads, and only the platform knows. */
export interface RequestTerms {
  /** Name of the requester in the policy; or, where nobody signs requests, what the coordinator calls the caller. */
  readonly requester: string
  /** 32 bytes, fresh for every request. */
  readonly nonce: Uint8Array
  /** Milliseconds since 1970, inclusive. */
  readonly notBeforeMs: number
  /** Milliseconds since 1970, exclusive. */
  readonly expiresAtMs: number
}

export interface RequestedItem {
  /** Of the exact bytes: {@link payloadHash}. */
  readonly payloadHash: Uint8Array
  readonly path: DerivationPath
}

/** The part of a statement that a platform signs: what it wants, and none of what the nodes make of it. */
export interface SignedRequest extends RequestTerms {
  /** 32 bytes. */
  readonly clusterId: Uint8Array
  readonly keyId: string
  readonly payloadType: string
  readonly items: readonly RequestedItem[]
}

/** The hash of the exact bytes of a payload: 32 bytes. */
export function payloadHash(payload: Uint8Array): Uint8Array {
  return tagged('payload', payload)
}

/** 64 bits, big-endian. @throws {InvalidArgument} BAD_NUMBER. */
export function u64(value: number): Uint8Array {
  return concat(u32(Math.floor(value / 0x100000000)), u32(value % 0x100000000))
}

/**
 * The id of a request that is signed, and what is signed: 32 bytes that bind all of it (docs/spec/statement.md). So nobody can give a
 * signed request another id, and nobody who has not signed can make one.
 */
export function requestIdOf(request: SignedRequest): Uint8Array {
  const { clusterId, keyId, payloadType, items, requester, nonce, notBeforeMs, expiresAtMs } = request
  return tagged(
    'request',
    ...[clusterId, utf8(keyId), utf8(payloadType), u64(notBeforeMs), u64(expiresAtMs), utf8(requester), nonce],
    ...items.flatMap((item) => [item.payloadHash, concat(...item.path.map(u32))]),
  )
}

/** Whether a requester's Ed25519 key signed the id of a request. Malformed signatures are `false`. */
export function isRequestSigned(requestId: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  return verifyIdentity({ type: 'ed25519', publicKey }, requestId, signature)
}
