import { z } from 'zod'
import { DAY_MINUTES, isZone, type TimeWindow, WEEKDAYS } from './time-windows.ts'

/** Time windows of one rule. */
export const TIMES_MAX = 32

const ZONE = 'a zone is an IANA name, like "Europe/Berlin" or "UTC"'
const DAYS = `"days" is a list of ${WEEKDAYS.join(', ')}`
const HOUR = 'a time of day is quoted, from "00:00" to "24:00"'

const minutes = z
  .string(HOUR)
  .regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, HOUR)
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)))

const days = z
  .array(z.enum(WEEKDAYS, { error: DAYS }), DAYS)
  .min(1, 'an empty list: leave the days out, or state one')
  .refine((stated) => new Set(stated).size === stated.length, 'a day is listed twice')

const time = z
  .strictObject(
    {
      zone: z.string({ error: (issue) => (issue.input === undefined ? 'a time must state "zone"' : ZONE) }).refine(isZone, ZONE),
      days: days.optional(),
      ...{ from: minutes.optional(), to: minutes.optional() },
    },
    'a time is a mapping of zone, days, from and to',
  )
  .transform(({ zone, days: stated, from, to }, context): TimeWindow => {
    const complain = (message: string) => context.issues.push({ code: 'custom', message, input: zone })
    const [fromMinute, toMinute] = [from ?? 0, to ?? DAY_MINUTES]
    if (stated === undefined && from === undefined && to === undefined) complain('a time must state "days", "from" or "to"')
    if (fromMinute >= toMinute) complain('"from" is before "to": hours over midnight are two times')
    return { zone, days: WEEKDAYS.filter((day) => stated?.includes(day) ?? true), fromMinute, toMinute }
  })

/** When a rule holds: in any of them. */
export const times = z
  .array(time, '"times" is a list of times')
  .min(1, 'an empty list: leave the condition out, or state a time')
  .max(TIMES_MAX, `more than ${TIMES_MAX} times`)
