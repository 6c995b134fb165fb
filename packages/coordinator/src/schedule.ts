import { type Clock, codeOf, messageOf } from '@conclave/core'
import type { Logger } from 'pino'
import type { KeyDirectory } from './key-directory.ts'
import type { Notices } from './notices.ts'
import type { Records } from './record-store.ts'
import type { KeyRecord } from './records.ts'
import type { ScheduleRecord } from './schedule-record.ts'
import { Pulse } from './wait.ts'

/** Who asked for a scheduled refresh; no API key may have this name. */
export const BY_SCHEDULE = 'schedule'
export const DAY_MS = 86_400_000
export const RETRY_FIRST_MS = 600_000
export const RETRY_MAX_MS = 21_600_000

/** What people see of it: times in milliseconds since the epoch. */
export interface RefreshTimes {
  readonly refreshEveryDays: number | null
  readonly refreshedAtMs: number | null
  readonly nextRefreshAtMs: number | null
}

function nextRefreshAtMs({ refreshEveryDays, refreshedAtMs, retryAtMs }: ScheduleRecord): number | null {
  return refreshEveryDays === null ? null : Math.max(refreshedAtMs + refreshEveryDays * DAY_MS, retryAtMs ?? 0)
}

export interface SchedulesOptions {
  readonly records: Records
  readonly directory: KeyDirectory
  readonly notices: Notices
  readonly clock: Clock
  readonly logger: Logger
}

/** When each key was renewed last and is to be refreshed next; kept in the store. */
export class Schedules {
  /** Fires when a schedule was set or a key was renewed. */
  readonly changed = new Pulse()
  readonly #options: SchedulesOptions
  readonly #byKey: Map<string, ScheduleRecord>
  #saving: Promise<void> = Promise.resolve()
  #writing = 0

  private constructor(options: SchedulesOptions, records: readonly ScheduleRecord[]) {
    this.#options = options
    this.#byKey = new Map(records.map((record) => [record.keyId, record]))
  }

  static async load(options: SchedulesOptions): Promise<Schedules> {
    const schedules = new Schedules(options, await options.records.schedules())
    schedules.#observe()
    options.directory.changed.subscribe(() => schedules.#observe())
    options.notices.on('schedules', () => void schedules.#reload())
    return schedules
  }

  times(keyId: string): RefreshTimes {
    const record = this.#byKey.get(keyId)
    if (record === undefined) return { refreshEveryDays: null, refreshedAtMs: null, nextRefreshAtMs: null }
    const { refreshEveryDays, refreshedAtMs } = record
    return { refreshEveryDays, refreshedAtMs, nextRefreshAtMs: nextRefreshAtMs(record) }
  }

  /** Keys with a schedule, the one that is due first at the front. */
  dueTimes(): readonly { readonly keyId: string; readonly atMs: number }[] {
    return [...this.#byKey.values()]
      .flatMap((record) => {
        const atMs = nextRefreshAtMs(record)
        return atMs === null ? [] : [{ keyId: record.keyId, atMs }]
      })
      .sort((a, b) => a.atMs - b.atMs)
  }

  /** Sets or ends the schedule of a known key; resolves when it is on disk. */
  async setEveryDays(key: KeyRecord, refreshEveryDays: number | null): Promise<void> {
    const record = this.#byKey.get(key.keyId) ?? this.#fresh(key)
    const next = { ...record, refreshEveryDays, failures: 0, retryAtMs: null }
    await this.#save([next], (records) => records.saveRefreshEvery(next))
  }

  /** A scheduled refresh has failed: the next one waits, longer each time. */
  async noteFailure(keyId: string): Promise<void> {
    const record = this.#byKey.get(keyId)
    if (record === undefined) return
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(record.failures, 16))
    const next = { ...record, failures: record.failures + 1, retryAtMs: this.#options.clock.nowMs() + delayMs }
    await this.#save([next], (records) => records.saveFailure(next))
  }

  /** Resolves when everything observed so far is stored. */
  async settled(): Promise<void> {
    await this.#saving.catch(() => undefined)
  }

  #fresh({ keyId, epoch }: KeyRecord): ScheduleRecord {
    return { keyId, refreshEveryDays: null, epoch, refreshedAtMs: this.#options.clock.nowMs(), failures: 0, retryAtMs: null }
  }

  /** A new epoch is a renewal, whoever asked for it and whether or not its operation saw it come true. */
  #observe(): void {
    const news = this.#options.directory.list().flatMap((key) => {
      const record = this.#byKey.get(key.keyId)
      if (record !== undefined && record.epoch >= key.epoch) return []
      return [{ ...this.#fresh(key), refreshEveryDays: record?.refreshEveryDays ?? null }]
    })
    if (news.length === 0) return
    this.#save(news, (records) => records.saveRenewals(news)).catch((error) =>
      this.#options.logger.error({ code: codeOf(error), reason: messageOf(error) }, 'cannot store when keys were renewed'),
    )
  }

  /** What another coordinator may have changed. */
  async #reload(): Promise<void> {
    const { records, logger } = this.#options
    try {
      const schedules = await records.schedules()
      // What is being written is newer, and is told of when it is there.
      if (this.#writing > 0) return
      for (const record of schedules) this.#byKey.set(record.keyId, record)
      this.changed.fire()
    } catch (error) {
      logger.warn({ code: codeOf(error), reason: messageOf(error) }, 'cannot read the schedules')
    }
  }

  #save(news: readonly ScheduleRecord[], write: (records: Records) => Promise<void>): Promise<void> {
    for (const record of news) this.#byKey.set(record.keyId, record)
    this.changed.fire()
    this.#writing++
    const saved = this.#saving
      .catch(() => undefined)
      .then(() => write(this.#options.records))
      .finally(() => this.#writing--)
    this.#saving = saved
    return saved
  }
}
