/** Stands in for packages/wire/src/sizes.ts in simulations. */
import { COLUMN_BYTES, COLUMNS, KAPPA, M } from './constants.ts'

export const OT_COLUMNS = KAPPA
export const OT_COLUMN_BYTES = COLUMN_BYTES
export const VOLE_ROWS = M
export const VOLE_ROW_SCALARS = COLUMNS
export const TRACEPARENT_CHARS_MAX = 55
