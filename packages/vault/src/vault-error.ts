import { type ErrorDetails, VaultError } from '@conclave/core'
import { isAvailability, needsPerson, type VaultCode } from './codes.ts'

/** A {VaultError} whose `retriable` follows from its code. */
export function vaultError(code: VaultCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}): VaultError {
  return new VaultError(code, message, { ...options, retriable: isAvailability(code) })
}

/** Whether the next HSM may be asked after this error: it is about this HSM, and not about the record or its keys. */
export function canFailOver(error: unknown): error is VaultError {
  return error instanceof VaultError && (isAvailability(error.code) || needsPerson(error.code))
}
