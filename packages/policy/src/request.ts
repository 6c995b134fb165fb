import type { RequestTerms } from '@conclave/core'
import { checkStatement, type Statement, type StatementItem } from './statement.ts'

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
