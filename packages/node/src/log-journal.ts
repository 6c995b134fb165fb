import type { Journal } from '@conclave/core'
import type { Logger } from '@conclave/transport'

/** Events as lines of the node's log. */
export function logJournal(log: Logger): Journal {
  return {
    async record({ kind, details }) {
      log.info({ event: kind, ...details }, `event ${kind}`)
    },
  }
}
