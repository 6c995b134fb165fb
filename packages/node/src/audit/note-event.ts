import type { AuditEvent, Journal } from '@conclave/core'
import type { Logger } from '@conclave/transport'

/** Records what has happened already, without anybody waiting for it. Never rejects. */
export async function noteEvent(journal: Journal, log: Logger, event: AuditEvent): Promise<void> {
  try {
    await journal.record(event)
  } catch (error) {
    log.error({ event: event.kind, ...event.details, err: error }, 'an event could not be recorded')
  }
}
