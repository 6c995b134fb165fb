// No imports here: the agent process shares this file, and it should load as little as possible beside the PIN.

/** What can go wrong in the HSM layer; docs/hsm.md explains each. */
export type VaultCode =
  | 'TAMPER'
  | 'ROLLBACK'
  | 'KEY_MISSING'
  | 'KEY_AMBIGUOUS'
  | 'KEY_EXISTS'
  | 'KEK_DESTROYED'
  | 'LAST_RECIPIENT'
  | 'IDENTITY_HELD'
  | 'PIN_INCORRECT'
  | 'PIN_LOCKED'
  | 'PIN_SOURCE'
  | 'SESSION_LOST'
  | 'TOKEN_LOST'
  | 'BUSY'
  | 'TIMEOUT'
  | 'AGENT_DIED'
  | 'UNSUPPORTED'
  | 'MODULE_MISSING'
  | 'CLOSED'

/** The HSM, not the record or the operator, is the problem: another HSM or a later attempt may succeed. */
const AVAILABILITY: readonly string[] = ['SESSION_LOST', 'TOKEN_LOST', 'BUSY', 'TIMEOUT', 'AGENT_DIED'] satisfies VaultCode[]

/** Only a person can help; another attempt may lock the token for good. */
const PIN_REFUSED: readonly string[] = ['PIN_INCORRECT', 'PIN_LOCKED'] satisfies VaultCode[]

export function isAvailability(code: string): boolean {
  return AVAILABILITY.includes(code)
}

export function isPinRefused(code: string): boolean {
  return PIN_REFUSED.includes(code)
}
