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
  | 'WRONG_IDENTITY'
  | 'PIN_INCORRECT'
  | 'PIN_LOCKED'
  | 'PIN_FINAL_TRY'
  | 'PIN_NEEDED'
  | 'PIN_SOURCE'
  | 'SESSION_LOST'
  | 'TOKEN_LOST'
  | 'BUSY'
  | 'TIMEOUT'
  | 'AGENT_DIED'
  | 'TAKEN_OUT'
  | 'BAD_RANDOM'
  | 'UNSUPPORTED'
  | 'MODULE_MISSING'
  | 'CLOSED'

/** The HSM, not the record or the operator, is the problem: another HSM or a later attempt may succeed. */
const AVAILABILITY: readonly string[] = ['SESSION_LOST', 'TOKEN_LOST', 'BUSY', 'TIMEOUT', 'AGENT_DIED', 'TAKEN_OUT'] satisfies VaultCode[]

/** The token said no to a PIN, or would to the next one; another attempt may lock it for good. */
const PIN_REFUSED: readonly string[] = ['PIN_INCORRECT', 'PIN_LOCKED', 'PIN_FINAL_TRY'] satisfies VaultCode[]

/** This HSM serves nobody until a person has seen to it. Nothing is said against records, keys or other HSMs. */
const NEEDS_PERSON: readonly string[] = [...PIN_REFUSED, 'PIN_NEEDED', 'PIN_SOURCE', 'MODULE_MISSING', 'BAD_RANDOM']

/** Nobody is mistaken, and a person is expected to come: a node starts without such an HSM if another one works. */
const AWAITS_PERSON: readonly string[] = ['PIN_NEEDED', 'PIN_FINAL_TRY', 'PIN_LOCKED'] satisfies VaultCode[]

export function isAvailability(code: string): boolean {
  return AVAILABILITY.includes(code)
}

export function isPinRefused(code: string): boolean {
  return PIN_REFUSED.includes(code)
}

export function needsPerson(code: string): boolean {
  return NEEDS_PERSON.includes(code)
}

export function awaitsPerson(code: string): boolean {
  return AWAITS_PERSON.includes(code)
}
