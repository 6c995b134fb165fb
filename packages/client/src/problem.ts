import { ConclaveError } from '@conclave/core'
import type { NodeVerdict, Problem } from './resources.ts'

/** Whether an answer is the coordinator's own: every field that this client or its callers branch on is there. */
export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false
  const { code, detail, status, retriable } = value as Partial<Problem>
  return typeof code === 'string' && typeof detail === 'string' && typeof status === 'number' && typeof retriable === 'boolean'
}

interface Failure {
  readonly cause?: unknown
  readonly retryAfterMs?: number
  readonly mayHaveArrived?: boolean
}

/** A call that failed: at the coordinator (its problem), or on the way there (`status` 0). */
export class ConclaveApiError extends ConclaveError {
  readonly status: number
  readonly problem: Problem
  /** Of the HTTP exchange, or of the operation or signing request that ended so; empty when no coordinator answered. */
  readonly requestId: string
  /** What the nodes said, where they were asked. */
  readonly nodeVerdicts: readonly NodeVerdict[]
  /** What the coordinator asked to wait before another try; 0 when it did not say. */
  readonly retryAfterMs: number
  /** False when it is certain that no coordinator has seen the call. */
  readonly mayHaveArrived: boolean

  constructor(problem: Problem, { cause, retryAfterMs = 0, mayHaveArrived = true }: Failure = {}) {
    super(problem.code, problem.detail || problem.title, { retriable: problem.retriable, cause, details: { status: problem.status } })
    this.status = problem.status
    this.problem = problem
    this.requestId = problem.requestId
    this.nodeVerdicts = problem.nodeVerdicts ?? []
    this.retryAfterMs = retryAfterMs
    this.mayHaveArrived = mayHaveArrived
  }

  /** What this side has to say. */
  static local(code: string, detail: string, { retriable, ...failure }: Failure & { retriable: boolean }): ConclaveApiError {
    return new ConclaveApiError({ type: 'about:blank', title: detail, status: 0, code, detail, retriable, requestId: '' }, failure)
  }
}

/** Whatever stands between us and the coordinator may answer JSON of its own: it is not waited on for ever. */
export function badAnswer(detail: string, failure: Failure & { retriable: boolean } = { retriable: false }): ConclaveApiError {
  return ConclaveApiError.local('BAD_ANSWER', detail, failure)
}
