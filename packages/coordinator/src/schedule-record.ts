/** When a key is to be refreshed, and what came of it. */
export interface ScheduleRecord {
  readonly keyId: string
  readonly refreshEveryDays: number | null
  /** The highest epoch that was seen, and when it was seen first. */
  readonly epoch: number
  readonly refreshedAtMs: number
  /** Scheduled refreshes that failed since. */
  readonly failures: number
  /** Not before this, after a failure. */
  readonly retryAtMs: number | null
}
