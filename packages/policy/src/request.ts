import { concat, type DerivationPath, tagged, u32, utf8, verifyIdentity } from '@conclave/core'
import { checkStatement, type Statement, type StatementItem } from './statement.ts'

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
  /** Of the exact bytes: `payloadHash`. */
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

const time = (ms: number) => concat(u32(Math.floor(ms / 0x100000000)), u32(ms % 0x100000000))

/**
 * The id of a request that is signed, and what is signed: 32 bytes that bind all of it (docs/spec/statement.md). So nobody can give a
 * signed request another id, and nobody who has not signed can make one.
 */
export function requestIdOf(request: SignedRequest): Uint8Array {
  const { clusterId, keyId, payloadType, items, requester, nonce, notBeforeMs, expiresAtMs } = request
  return tagged(
    'request',
    ...[clusterId, utf8(keyId), utf8(payloadType), time(notBeforeMs), time(expiresAtMs), utf8(requester), nonce],
    ...items.flatMap(({ payloadHash, path }) => [payloadHash, concat(...path.map(u32))]),
  )
}

/** Whether a requester's key signed the id of a request. Malformed signatures are `false`. */
export function isRequestSigned(requestId: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  return verifyIdentity({ type: 'ed25519', publicKey }, requestId, signature)
}

/** What a node makes of a request itself; the rest of a statement comes with its terms. */
export interface StatementFacts {
  readonly clusterId: Uint8Array
  readonly requestId: Uint8Array
  readonly keyId: string
  readonly keyEpoch: number
  readonly payloadType: string
  readonly items: readonly StatementItem[]
  readonly policySequence: number
  readonly policyHash: Uint8Array
}

/** The statement of a request. @throws {InvalidArgument} BAD_STATEMENT. */
export function statementOf(facts: StatementFacts, { requester, nonce, notBeforeMs, expiresAtMs }: RequestTerms): Statement {
  const statement: Statement = { ...facts, requester, nonce, notBeforeMs, expiresAtMs }
  checkStatement(statement)
  return statement
}
