import type { Draw } from './draw.ts'
import { SCALAR_CHECKS } from './scalar-checks.ts'
import { VECTOR_CHECKS } from './vector-checks.ts'

/** One thing in which the compiled kernel and its twin must agree. */
export interface Check {
  readonly name: string
  /** Out of a thousand cases of the long mode, roughly so many are of this check. */
  readonly share: number
  /** One case. @throws {Error} when they differ; says how. */
  run(draw: Draw): void
}

/** Everything that is checked, in the tests briefly and by `npm run kernel:check` at length. */
export const CHECKS: readonly Check[] = [...SCALAR_CHECKS, ...VECTOR_CHECKS]
