import { ApiError } from './problem.ts'
import type { Page } from './records.ts'
import { PAGE_DEFAULT } from './schemas.ts'

const CURSOR = /^\d{16}$/
const CURSOR_DIGITS = 16

/** A part of a list, in the order of places. */
export interface PageQuery {
  readonly limit: number
  /** Only rows that come after this place in the order of the list. */
  readonly beyond: number | undefined
}

/** @throws {ApiError} BAD_CURSOR. */
export function pageQuery({ limit = PAGE_DEFAULT, cursor }: { limit?: number; cursor?: string }): PageQuery {
  if (cursor !== undefined && !CURSOR.test(cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
  return { limit, beyond: cursor === undefined ? undefined : Number(cursor) }
}

/** @param rows - one more than the page has, when there is a next page. */
export function pageOf<Row extends { readonly place: number }, R>(rows: readonly Row[], limit: number, read: (row: Row) => R): Page<R> {
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return { items: page.map(read), nextCursor: last === undefined ? null : String(last.place).padStart(CURSOR_DIGITS, '0') }
}
