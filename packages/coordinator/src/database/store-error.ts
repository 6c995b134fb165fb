import { ConclaveError } from '@conclave/core'

/**
 * STORE_LOCKED, STORE_DAMAGED, STORE_NEWER: the store cannot be opened.
 * STORE_UNAVAILABLE: not now (retriable). STORE_CONFLICT: a name that must be unique is taken, in `details.constraint`.
 * LEASE_LOST: another coordinator drives what was to be written. STORE_FAILED: anything else.
 */
export class StoreError extends ConclaveError {}

const UNIQUE_VIOLATION = '23505'
/** Classes of SQLSTATE that pass: connection, resources, operator intervention, system, rollback, and a server that is starting. */
const PASSING = /^(08|53|57|58|40|55)/
const DAMAGED = /^XX00[12]$/

/** What a database said, as far as it says what is to be done. Texts and parameters of statements are not repeated. */
export interface SqlFault {
  /** SQLSTATE; of a connection that failed, none or that of the system. */
  readonly code?: string | undefined
  readonly constraint?: string | undefined
  readonly message: string
}

export function storeError({ code = '', constraint, message }: SqlFault, cause?: unknown): StoreError {
  if (code === 'STORE_NEWER') return new StoreError(code, message, { cause })
  if (code === UNIQUE_VIOLATION) return new StoreError('STORE_CONFLICT', 'the name is taken', { details: { constraint }, cause })
  if (DAMAGED.test(code)) return new StoreError('STORE_DAMAGED', `the database is damaged: ${message}`, { cause })
  if (!/^[0-9A-Z]{5}$/.test(code) || PASSING.test(code)) {
    return new StoreError('STORE_UNAVAILABLE', 'the database cannot be used at the moment', { cause, retriable: true })
  }
  return new StoreError('STORE_FAILED', `the database refused a statement (${code})`, { cause })
}
