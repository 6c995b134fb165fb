import { assert } from '@conclave/core'

/** As `Intl` names them in English. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

export const DAY_MINUTES = 1440

/** Hours of some weekdays by the clock on the wall of a place. */
export interface TimeWindow {
  /** An IANA name, like `Europe/Berlin`. */
  readonly zone: string
  /** In the order of {@link WEEKDAYS}. */
  readonly days: readonly Weekday[]
  /** Minutes since midnight; the first that is inside. */
  readonly fromMinute: number
  /** The first that is outside again, up to {@link DAY_MINUTES}. */
  readonly toMinute: number
}

/** Formatters that are kept: making one costs a thousand times what using it costs. */
const ZONES_KEPT_MAX = 64
const formatters = new Map<string, Intl.DateTimeFormat>()

/** @throws {RangeError} when there is no such zone. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known !== undefined) return known
  const fields = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const made = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: zone, calendar: 'gregory', numberingSystem: 'latn' })
  if (formatters.size >= ZONES_KEPT_MAX) formatters.clear()
  formatters.set(zone, made)
  return made
}

/** An IANA name that this process has the rules of; no offsets. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][\w+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(zone)) return false
  try {
    formatterOf(zone)
    return true
  } catch {
    // The only error of a well-formed name: nobody knows it.
    return false
  }
}

/**
 * Whether an instant lies in a window: its local day and minute are looked up, never computed, so an hour that a place skips has no
 * instant in it, and one that it repeats is inside twice or not at all.
 *
 * @param nowMs - milliseconds since the Unix epoch.
 */
export function isWithin({ zone, days, fromMinute, toMinute }: TimeWindow, nowMs: number): boolean {
  // Without a time the library would take the present one of this machine.
  assert(Number.isSafeInteger(nowMs), 'a time is a whole number of milliseconds')
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(nowMs)
      .map(({ type, value }) => [type, value]),
  )
  const day = WEEKDAYS.find((d) => d === parts.get('weekday')?.toLowerCase())
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
  assert(day !== undefined && minute >= 0 && minute < DAY_MINUTES, 'a local time has a weekday, an hour and a minute')
  return days.includes(day) && minute >= fromMinute && minute < toMinute
}

/** The same text for the same window. */
export function timeWindowText({ zone, days, fromMinute, toMinute }: TimeWindow): string {
  return `${zone} ${days.join()} ${fromMinute}-${toMinute}`
}
