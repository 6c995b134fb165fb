import { z } from 'zod'
import { amount, tokenAmountsMax } from './amount-schema.ts'
import type { PayloadType } from './decoded-payload.ts'
import { COUNT, type Limit } from './limits.ts'

/** Limits of one rule. */
export const LIMITS_MAX = 16
/** The longest window: what was spent before does not have to be known. */
export const WINDOW_MS_MAX = 31 * 86_400_000
const COUNT_LIMIT_MAX = 1_000_000_000

const WINDOW = 'a window is a number of minutes, hours or days up to 31 days, like "15m", "24h" or "7d"'
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

const window = z
  .string({ error: (issue) => (issue.input === undefined ? 'a limit must state "window"' : WINDOW) })
  .regex(/^[1-9][0-9]{0,4}[mhd]$/, WINDOW)
  .transform((text) => Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] as number))
  .refine((ms) => ms <= WINDOW_MS_MAX, WINDOW)

const COUNT_TEXT = `"countMax" is a whole number from 1 to ${COUNT_LIMIT_MAX}`
const countMax = z.int(COUNT_TEXT).min(1, COUNT_TEXT).max(COUNT_LIMIT_MAX, COUNT_TEXT).transform(BigInt)

const limit = z
  .strictObject(
    {
      window,
      per: z.enum(['key', 'rule'], { error: '"per" is "key" or "rule"' }).default('key'),
      countMax: countMax.optional(),
      ...{ amountMaxWei: amount.optional(), feeMaxWei: amount.optional(), amountMaxSat: amount.optional(), feeMaxSat: amount.optional() },
      tokenAmountsMax: tokenAmountsMax.optional(),
    },
    'a limit is a mapping of a window and of what is allowed in it',
  )
  .transform(({ window: windowMs, per, tokenAmountsMax: tokens, ...stated }, context): Limit => {
    const { countMax: count, amountMaxWei, feeMaxWei, amountMaxSat, feeMaxSat } = stated
    const named: readonly (readonly [string, bigint | undefined])[] = [
      [COUNT, count],
      ['wei', amountMaxWei],
      ['fee-wei', feeMaxWei],
      ['sat', amountMaxSat],
      ['fee-sat', feeMaxSat],
      ...(tokens ?? []),
    ]
    const maxima = new Map(named.flatMap(([measure, max]) => (max === undefined ? [] : [[measure, max] as const])))
    if (maxima.size === 0) context.issues.push({ code: 'custom', message: 'a limit without a maximum', input: stated })
    return { windowMs, per, maxima }
  })

/** The limits of an allow rule. */
export const limits = z
  .array(limit, '"limits" is a list of limits')
  .min(1, 'an empty list: leave the condition out, or state a limit')
  .max(LIMITS_MAX, `more than ${LIMITS_MAX} limits`)

const MEASURES: Readonly<Record<PayloadType, RegExp>> = {
  'evm.tx': /^(count|wei|fee-wei|0x.*)$/,
  eip712: /^(count|0x.*)$/,
  'btc.psbt': /^(count|sat|fee-sat)$/,
  raw: /^count$/,
  drill: /^count$/,
}

/** What a limit states that payloads of its rule never have: whoever wrote it meant something else. */
export function limitProblem({ maxima }: Partial<Limit>, payload: PayloadType): string | undefined {
  // What has a problem of its own never became a limit, and is handed on as it was.
  if (maxima === undefined) return undefined
  const other = [...maxima.keys()].find((measure) => !MEASURES[payload].test(measure))
  return other === undefined ? undefined : `payload ${payload} does not say how much it moves of ${other}`
}
