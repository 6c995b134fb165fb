import { codeOf } from '@conclave/core'
import type { Insertable } from 'kysely'
import type { Logger } from 'pino'
import type { ApiSchema } from './database/api-tables.ts'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { type PageQuery, pageOf } from './pages.ts'
import type { Page } from './records.ts'

/** Written together at the latest after so long. */
const GATHERED_MS = 250
const GATHERED_MAX = 500
/** While the database takes nothing. */
const WAITING_MAX = 20_000

type Row = Insertable<ApiSchema['api_call']>

/** One call of the API: who, what, and how it ended; nothing of its contents. */
export interface ApiCall {
  readonly atMs: number
  readonly tenant: string | null
  readonly caller: string | null
  readonly method: string
  /** As in the OpenAPI document, not as it was asked for: a path may hold anything. */
  readonly route: string | null
  readonly status: number
  readonly durationMs: number
  readonly httpRequestId: string
}

export interface CallFilter {
  readonly caller?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  /** Calls without a valid key too. */
  readonly strangers?: boolean
}

/** The calls of the API, in a table that is only added to. Written some at a time: a kill may lose the last quarter of a second. */
export class CallLog {
  readonly #database: Database
  readonly #logger: Logger
  #waiting: Row[] = []
  #lost = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(database: Database, logger: Logger) {
    this.#database = database
    this.#logger = logger
  }

  add(call: ApiCall): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#lost++
      return
    }
    this.#waiting.push({
      ...{ at_ms: call.atMs, tenant: call.tenant, caller: call.caller, method: call.method, route: call.route },
      ...{ status: call.status, duration_ms: call.durationMs, http_request_id: call.httpRequestId },
    })
    if (this.#waiting.length === GATHERED_MAX) void this.flush()
    else if (this.#timer === undefined) this.#timer = setTimeout(() => void this.flush(), GATHERED_MS).unref()
  }

  /** Resolves when everything so far is written, or could not be and stays for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write())
    await this.#writing
  }

  /** Newest first. @throws {StoreError}. */
  async list(tenant: string, page: PageQuery, { caller, fromMs, toMs, strangers = false }: CallFilter): Promise<Page<ApiCall>> {
    await this.flush()
    let query = sqlOf.selectFrom('api_call').selectAll()
    query = strangers
      ? query.where((is) => is.or([is('tenant', '=', tenant), is('tenant', 'is', null)]))
      : query.where('tenant', '=', tenant)
    if (page.beyond !== undefined) query = query.where('place', '<', page.beyond)
    if (caller !== undefined) query = query.where('caller', '=', caller)
    if (fromMs !== undefined) query = query.where('at_ms', '>=', fromMs)
    if (toMs !== undefined) query = query.where('at_ms', '<', toMs)
    const rows = await rowsOf(
      this.#database,
      query
        .orderBy('place', 'desc')
        .limit(page.limit + 1)
        .compile(),
    )
    return pageOf(rows, page.limit, (r) => ({
      ...{ atMs: r.at_ms, tenant: r.tenant, caller: r.caller, method: r.method, route: r.route },
      ...{ status: r.status, durationMs: r.duration_ms, httpRequestId: r.http_request_id },
    }))
  }

  async #write(): Promise<void> {
    const rows = this.#waiting.splice(0, WAITING_MAX)
    for (let i = 0; i < rows.length; i += GATHERED_MAX) {
      try {
        await this.#database.run([
          sqlOf
            .insertInto('api_call')
            .values(rows.slice(i, i + GATHERED_MAX))
            .compile(),
        ])
      } catch (error) {
        this.#waiting = [...rows.slice(i), ...this.#waiting].slice(0, WAITING_MAX)
        this.#logger.error({ code: codeOf(error), waiting: this.#waiting.length, lost: this.#lost }, 'calls of the API not recorded')
        return
      }
    }
  }
}
