import type { Kernel } from '../kernel.ts'
import { bits } from './bits.ts'
import { points } from './points.ts'
import { scalars } from './scalars.ts'
import { vectors } from './vectors.ts'

/** The kernel in plain TypeScript over BigInt: slow, not constant time, and plainly what the specification says. */
export const twin: Kernel = { ...scalars, ...vectors, ...bits, ...points }
