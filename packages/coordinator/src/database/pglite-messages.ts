import type { Row } from './database.ts'
import type { SqlFault } from './store-error.ts'

/** What the thread of PGlite is started with. */
export interface PgliteStart {
  /** Undefined: in memory. */
  readonly directory: string | undefined
}

export interface ToPglite {
  readonly id: number
  /** In one transaction; none: close, and answer when that is done. */
  readonly queries: readonly { readonly sql: string; readonly parameters: readonly unknown[] }[]
}

export type FromPglite =
  | { readonly type: 'open' }
  | { readonly type: 'refused'; readonly fault: SqlFault }
  | { readonly type: 'done'; readonly id: number; readonly rows: readonly (readonly Row[])[] }
  | { readonly type: 'failed'; readonly id: number; readonly fault: SqlFault }
  | { readonly type: 'heard'; readonly payload: string }
