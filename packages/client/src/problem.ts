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

/** A call that failed: at the coordinator (its problem), or on the way there (`status` 0). */
export class ConclaveApiError extends ConclaveError {
  readonly status: number
  readonly problem: Problem

  constructor(problem: Problem, cause?: unknown) {
    super(problem.code, problem.detail || problem.title, { retriable: problem.retriable, cause, details: { status: problem.status } })
    this.status = problem.status
    this.problem = problem
  }

  static local(code: string, detail: string, { retriable, cause }: { retriable: boolean; cause: unknown }): ConclaveApiError {
    return new ConclaveApiError({ type: 'about:blank', title: detail, status: 0, code, detail, retriable, requestId: '' }, cause)
  }
}
