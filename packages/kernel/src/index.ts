import { bits } from './bits.ts'
import type { Kernel } from './kernel.ts'
import { points } from './points.ts'
import { scalars } from './scalars.ts'
import { vectors } from './vectors.ts'

export type { BitKernel, Kernel, Point, PointKernel, PointTable, Scalar, ScalarKernel, Scalars, VectorKernel } from './kernel.ts'

/** The arithmetic that Conclave runs on. */
export const kernel: Kernel = { ...scalars, ...vectors, ...bits, ...points }
