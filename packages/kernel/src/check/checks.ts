import type { Draw } from './draw.ts'
import { FIELD_CHECKS } from './field.ts'
import { POINT_CHECKS } from './points.ts'
import { SCALAR_CHECKS } from './scalars.ts'
import { VECTOR_CHECKS } from './vectors.ts'

/** One thing in which the compiled kernel and its twin must agree. */
export interface Check {
  readonly name: string
  /** How many cases of the long mode are of this check, in proportion to the others. */
  readonly share: number
  /** One case. @throws {Error} when they differ; says how. */
  run(draw: Draw): void
}

/** Everything that is checked, in the tests briefly and by `npm run kernel:check` at length. */
export const CHECKS: readonly Check[] = [...SCALAR_CHECKS, ...VECTOR_CHECKS, ...FIELD_CHECKS, ...POINT_CHECKS]
