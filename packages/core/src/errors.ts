import type { PartyId } from './ids.ts'

/** What a person or a log may see beside a code: typed by the thrower, never secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * Base of every error that crosses a package boundary.
 *
 * `code` is stable and is what callers branch on; `message` is one clear line for a person; `details` never holds a secret;
 * `cause` keeps the error underneath.
 */
export class ConclaveError extends Error {
  readonly code: string
  readonly details: ErrorDetails
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retriable: boolean

  constructor(code: string, message: string, options: { details?: ErrorDetails; cause?: unknown; retriable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
    this.retriable = options.retriable ?? false
  }
}

/** The caller passed something that can never be right. */
export class InvalidArgument extends ConclaveError {
  constructor(code: string, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(code, message, { details, cause })
  }
}

/** A settings, lock or policy file is missing, unreadable or wrong. */
export class ConfigError extends ConclaveError {
  constructor(code: string, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(code, message, { details, cause })
  }
}

/**
 * A protocol run stopped because a check of the specification failed.
 *
 * `check` is the number of the check in docs/spec/protocol.md; `culprits` are the parties whom the failed check *proves* to have
 * deviated, and is empty when nobody is proved guilty.
 */
export class ProtocolAbort extends ConclaveError {
  readonly check: string
  readonly culprits: readonly PartyId[]

  constructor(code: string, check: string, culprits: readonly PartyId[], message: string) {
    super(code, message, { details: { check, culprits }, retriable: culprits.length === 0 })
    this.check = check
    this.culprits = culprits
  }
}

/** Something that was waited for did not come. Names whom we waited for, which is not blame. */
export class Timeout extends ConclaveError {
  readonly waitingFor: readonly PartyId[]

  constructor(code: string, message: string, waitingFor: readonly PartyId[]) {
    super(code, message, { details: { waitingFor }, retriable: true })
    this.waitingFor = waitingFor
  }
}

/** A peer cannot be reached, or broke the framing of the transport. */
export class TransportError extends ConclaveError {}

/** The HSM layer: kinds are listed in docs/hsm.md. */
export class VaultError extends ConclaveError {}

/** A node's own policy said no. */
export class PolicyDenied extends ConclaveError {}

/** The `code` of any thrown value; `INTERNAL` for what is not ours. */
export function codeOf(error: unknown): string {
  return error instanceof ConclaveError ? error.code : 'INTERNAL'
}

/** One line for a person, of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Throws when one of our own invariants does not hold; never for input. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new ConclaveError('ASSERTION', `broken invariant: ${claim}`)
}
