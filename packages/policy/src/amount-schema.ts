import { messageOf } from '@conclave/core'
import { z } from 'zod'
import { parseEvmAddress } from './evm-address.ts'

export const RULE_LIST_MAX = 10_000
const UINT256_MAX = (1n << 256n) - 1n

const AMOUNT = 'an amount is a quoted whole number of base units, like "1000000000000000000": no sign, point, exponent or leading zero'

/** A whole number of base units in quotes, below 2^256. */
export const amount = z
  .string(AMOUNT)
  .regex(/^(0|[1-9][0-9]{0,77})$/, AMOUNT)
  .transform(BigInt)
  .refine((units) => units <= UINT256_MAX, 'an amount is below 2^256')

/** By the token's EIP-55 address. */
export const tokenAmountsMax = z
  .record(z.string(), amount, '"tokenAmountsMax" is a mapping of token addresses to amounts')
  .transform((limits, context) => {
    const parsed = new Map<string, bigint>()
    for (const [text, max] of Object.entries(limits)) {
      try {
        parsed.set(parseEvmAddress(text), max)
      } catch (error) {
        context.issues.push({ code: 'custom', message: messageOf(error), input: text, path: [text] })
      }
    }
    if (parsed.size === 0 || parsed.size > RULE_LIST_MAX)
      context.issues.push({ code: 'custom', message: `1 to ${RULE_LIST_MAX} tokens`, input: limits })
    if (parsed.size < Object.keys(limits).length) context.issues.push({ code: 'custom', message: 'a token is listed twice', input: limits })
    return parsed
  })
