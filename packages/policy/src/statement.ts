import { checkPath, type DerivationPath, InvalidArgument, parseKeyId } from '@conclave/core'

/** Digests of one statement, all items together; as many as one signing session has. */
export const STATEMENT_DIGESTS_MAX = 32

/** One signature that is asked for. */
export interface StatementDigest {
  /** Below the key; empty for the key itself. */
  readonly path: DerivationPath
  /** 32 bytes: what is signed. */
  readonly digest: Uint8Array
}

/** One payload: a transaction, a message, a PSBT. */
export interface StatementItem {
  /** Of the exact bytes: `payloadHash`. */
  readonly payloadHash: Uint8Array
  /** Of what a person was shown: `summaryHash`. */
  readonly summaryHash: Uint8Array
  /** At least one; in the order in which they are signed. */
  readonly digests: readonly StatementDigest[]
}

/** The one thing that everybody signs: what is asked for, by whom, of which key, when, and under which policy. */
export interface Statement {
  /** 32 bytes. */
  readonly clusterId: Uint8Array
  /** 32 bytes. */
  readonly requestId: Uint8Array
  readonly keyId: string
  /** 0..2^32-1. */
  readonly keyEpoch: number
  /** Of every item. */
  readonly payloadType: string
  /** 1..32: all are signed, in one session, or none is. */
  readonly items: readonly StatementItem[]
  /** 1..2^32-1. */
  readonly policySequence: number
  /** 32 bytes. */
  readonly policyHash: Uint8Array
  /** Milliseconds since 1970, inclusive; below 2^53. */
  readonly notBeforeMs: number
  /** Milliseconds since 1970, exclusive; above `notBeforeMs`. */
  readonly expiresAtMs: number
  /** Name of the requester in the policy: as a key id. */
  readonly requester: string
  /** 32 bytes, fresh for every request. */
  readonly nonce: Uint8Array
}

const PAYLOAD_TYPE = /^[a-z0-9][a-z0-9.]{0,31}$/

export function badStatement(message: string, cause?: unknown): InvalidArgument {
  return new InvalidArgument('BAD_STATEMENT', `statement: ${message}`, {}, cause)
}

function check32(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 32) throw badStatement(`${name} is 32 bytes`)
}

function checkNumber(value: number, min: number, name: string): void {
  if (!Number.isInteger(value) || value < min || value > 0xffffffff) throw badStatement(`${name} is a whole number of 32 bits from ${min}`)
}

function checkTime(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw badStatement(`${name} is a whole number of milliseconds since 1970`)
}

function checkName(text: string, name: string): void {
  try {
    parseKeyId(text)
  } catch (cause) {
    throw badStatement(`${name} is 1 to 63 characters of a-z, 0-9 and "-"`, cause)
  }
}

function checkItem({ payloadHash, summaryHash, digests }: StatementItem): void {
  check32(payloadHash, 'a payload hash')
  check32(summaryHash, 'a summary hash')
  if (digests.length === 0) throw badStatement('every item has a digest')
  for (const { path, digest } of digests) {
    check32(digest, 'a digest')
    try {
      checkPath(path)
    } catch (cause) {
      throw badStatement('a path leads nowhere', cause)
    }
  }
}

/** @throws {InvalidArgument} BAD_STATEMENT unless every field is as {@link Statement} says. */
export function checkStatement(statement: Statement): void {
  check32(statement.clusterId, 'the cluster id')
  check32(statement.requestId, 'the request id')
  check32(statement.policyHash, 'the policy hash')
  check32(statement.nonce, 'the nonce')
  checkName(statement.keyId, 'the key id')
  checkName(statement.requester, 'the requester')
  checkNumber(statement.keyEpoch, 0, 'the key epoch')
  checkNumber(statement.policySequence, 1, 'the policy sequence')
  if (!PAYLOAD_TYPE.test(statement.payloadType)) throw badStatement('the payload type is 1 to 32 characters of a-z, 0-9 and "."')
  checkTime(statement.notBeforeMs, 'notBefore')
  checkTime(statement.expiresAtMs, 'expiresAt')
  if (statement.expiresAtMs <= statement.notBeforeMs) throw badStatement('it expires before it begins')
  const digests = statement.items.reduce((n, item) => n + item.digests.length, 0)
  if (statement.items.length === 0 || Math.max(statement.items.length, digests) > STATEMENT_DIGESTS_MAX)
    throw badStatement(`it has 1 to ${STATEMENT_DIGESTS_MAX} digests`)
  statement.items.forEach(checkItem)
}
