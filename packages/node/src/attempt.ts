import { tagged, u32 } from '@conclave/core'
import type { SignRequest } from '@conclave/mpc'
import type { Span } from '@conclave/telemetry'
import type { KeyPublic } from '@conclave/wire'
import type { Judged, Proposal } from './judge.ts'
import type { Reservation } from './ledger/spending-ledger.ts'
import type { RequestScope } from './request-scope.ts'

/** An attempt that was asked for, and what this node makes of it. */
export interface Attempted {
  readonly known: Proposal
  readonly judged: Judged
  readonly scope: RequestScope
}

/** An attempt that this node takes part in. */
export interface Prepared {
  readonly key: KeyPublic
  readonly request: SignRequest
  readonly reserved: Reservation
  readonly span: Span
  /** Sees to it that the verdict is in the log. */
  noted(): Promise<void>
}

/**
 * What all signers call an attempt, also one whose policy is another: the statement that it made of the request, and so the name of its
 * session, is another too.
 */
export function attemptId({ requestId, attempt, signers }: Pick<SignRequest, 'requestId' | 'attempt' | 'signers'>): Uint8Array {
  return tagged('sign-attempt', requestId, u32(attempt), Uint8Array.from(signers))
}
