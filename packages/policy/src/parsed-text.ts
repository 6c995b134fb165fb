import { messageOf } from '@conclave/core'
import { z } from 'zod'

/** Text that a parser accepts, replaced by what the parser returns. @param what - it is, for whoever wrote something else. */
export const parsedText = <T>(what: string, parse: (text: string) => T) =>
  z.string({ error: `${what} is text: put it in quotes` }).transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.issues.push({ code: 'custom', message: messageOf(error), input: text })
      return z.NEVER
    }
  })
