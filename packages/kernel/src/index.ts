import type { Kernel } from './kernel.ts'
import { points } from './points.ts'
import { twin } from './twin/index.ts'

export type { BitKernel, Kernel, Point, PointKernel, PointTable, Scalar, ScalarKernel, Scalars, VectorKernel } from './kernel.ts'

/** The arithmetic that Conclave runs on. */
export const kernel: Kernel = { ...twin, ...points }
