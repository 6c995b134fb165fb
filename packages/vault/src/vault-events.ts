import type { AuditEvent } from '@conclave/core'

/**
 * How an HSM stands. `up`: it serves. `down`: it is not there, and is checked until it is. `refused`: it is there and only a person can put
 * it right (a PIN, a missing key). `out`: its operator took it out of service.
 */
export type HsmState = 'up' | 'down' | 'refused' | 'out'

/** What happens to the HSMs of a vault, and to what is sealed while one is missing. */
export interface VaultEvent extends AuditEvent {
  readonly kind:
    | 'hsm.failed' // {hsm, code}
    | 'hsm.returned' // {hsm, awayMs}
    | 'hsm.failover' // {from, to, code}: records that `from` opened are now opened by `to`
    | 'record.short' // {hsm, code, recordType, keyId, epoch}: sealed without this HSM
}
