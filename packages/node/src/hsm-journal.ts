import { codeOf, type Journal } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { KeyVault } from '@conclave/vault'

export interface HsmJournalOptions {
  readonly vault: KeyVault
  readonly journal: Journal
  readonly log: Logger
}

/**
 * Writes down what happens to the HSMs of a node from now on: `hsm.failed`, `hsm.returned`, `hsm.failover`, `record.short`. What is wrong
 * already is told first.
 *
 * @returns ends it.
 */
export async function recordHsmEvents({ vault, journal, log }: HsmJournalOptions): Promise<() => void> {
  // These things have happened: that they cannot be written down changes nothing in them.
  const record: Journal['record'] = (event) =>
    journal
      .record(event)
      .catch((error: unknown) => log.error({ event: event.kind, ...event.details, code: codeOf(error) }, 'event not recorded'))
  const health = await vault.health()
  // From here on whatever happens is an event, and nothing is told twice.
  const stop = vault.watch((event) => void record(event))
  for (const { name, ok, code } of health) {
    if (!ok) await record({ kind: 'hsm.failed', details: { hsm: name, code: code ?? 'UNKNOWN' } })
  }
  return stop
}
