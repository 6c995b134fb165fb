import { ConclaveError } from '@conclave/core'

export interface NodeVerdict {
  /** Index in the cluster lock. */
  readonly node: number
  readonly allowed: boolean
  readonly code: string
  readonly reason: string
  readonly rule: string
}

/** RFC 9457 problem details, as the coordinator answers them. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retriable: boolean
  readonly requestId: string
  readonly nodeVerdicts?: readonly NodeVerdict[]
}

/** Whether an answer is the coordinator's own: every field that this client or its callers branch on is there. */
export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false
  const { code, detail, status, retriable } = value as Partial<Problem>
  return typeof code === 'string' && typeof detail === 'string' && typeof status === 'number' && typeof retriable === 'boolean'
}

/** A call that failed: at the coordinator (its problem), or on the way there (`status` 0). */
export class ConclaveApiError extends ConclaveError {
  readonly status: number
  readonly problem: Problem
  /** What the coordinator asked to wait before another try; 0 when it did not say. */
  readonly retryAfterMs: number

  constructor(problem: Problem, { cause, retryAfterMs = 0 }: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(problem.code, problem.detail || problem.title, { retriable: problem.retriable, cause, details: { status: problem.status } })
    this.status = problem.status
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }

  static local(code: string, detail: string, { retriable, cause }: { retriable: boolean; cause?: unknown }): ConclaveApiError {
    return new ConclaveApiError({ type: 'about:blank', title: detail, status: 0, code, detail, retriable, requestId: '' }, { cause })
  }
}
