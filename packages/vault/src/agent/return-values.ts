import type { VaultCode } from '../codes.ts'

/**
 * What a CKR value means for us. `CHECK`: the value says nothing, ask the token whether it is well.
 *
 * Keyed by number: the binding knows only some names, and calls the rest vendor-defined.
 */
export type Meaning = VaultCode | 'CHECK'

const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [0x001, 'SESSION_LOST'], // CANCEL
  [0x002, 'BUSY'], // HOST_MEMORY
  [0x003, 'TOKEN_LOST'], // SLOT_ID_INVALID
  [0x005, 'CHECK'], // GENERAL_ERROR: SoftHSM says this for a wrong GCM tag and for a vanished token
  [0x006, 'CHECK'], // FUNCTION_FAILED
  [0x007, 'UNSUPPORTED'], // ARGUMENTS_BAD
  [0x010, 'UNSUPPORTED'], // ATTRIBUTE_READ_ONLY
  [0x011, 'UNSUPPORTED'], // ATTRIBUTE_SENSITIVE
  [0x012, 'UNSUPPORTED'], // ATTRIBUTE_TYPE_INVALID
  [0x013, 'UNSUPPORTED'], // ATTRIBUTE_VALUE_INVALID
  [0x01b, 'UNSUPPORTED'], // ACTION_PROHIBITED
  [0x020, 'UNSUPPORTED'], // DATA_INVALID
  [0x021, 'UNSUPPORTED'], // DATA_LEN_RANGE
  [0x030, 'CHECK'], // DEVICE_ERROR: CloudHSM says this when throttling
  [0x031, 'BUSY'], // DEVICE_MEMORY
  [0x032, 'TOKEN_LOST'], // DEVICE_REMOVED
  [0x040, 'TAMPER'], // ENCRYPTED_DATA_INVALID
  [0x041, 'TAMPER'], // ENCRYPTED_DATA_LEN_RANGE
  [0x042, 'TAMPER'], // AEAD_DECRYPT_FAILED
  [0x050, 'SESSION_LOST'], // FUNCTION_CANCELED
  [0x054, 'UNSUPPORTED'], // FUNCTION_NOT_SUPPORTED
  [0x060, 'SESSION_LOST'], // KEY_HANDLE_INVALID: our cached handle is of an earlier life of the token
  [0x062, 'UNSUPPORTED'], // KEY_SIZE_RANGE
  [0x063, 'UNSUPPORTED'], // KEY_TYPE_INCONSISTENT
  [0x068, 'UNSUPPORTED'], // KEY_FUNCTION_NOT_PERMITTED
  [0x069, 'UNSUPPORTED'], // KEY_NOT_WRAPPABLE
  [0x06a, 'UNSUPPORTED'], // KEY_UNEXTRACTABLE
  [0x070, 'UNSUPPORTED'], // MECHANISM_INVALID
  [0x071, 'UNSUPPORTED'], // MECHANISM_PARAM_INVALID
  [0x082, 'SESSION_LOST'], // OBJECT_HANDLE_INVALID
  [0x090, 'SESSION_LOST'], // OPERATION_ACTIVE
  [0x091, 'SESSION_LOST'], // OPERATION_NOT_INITIALIZED
  [0x0a0, 'PIN_INCORRECT'], // PIN_INCORRECT
  [0x0a1, 'PIN_INCORRECT'], // PIN_INVALID
  [0x0a2, 'PIN_INCORRECT'], // PIN_LEN_RANGE
  [0x0a3, 'PIN_LOCKED'], // PIN_EXPIRED
  [0x0a4, 'PIN_LOCKED'], // PIN_LOCKED
  [0x0b0, 'SESSION_LOST'], // SESSION_CLOSED
  [0x0b1, 'BUSY'], // SESSION_COUNT
  [0x0b3, 'SESSION_LOST'], // SESSION_HANDLE_INVALID
  [0x0b5, 'UNSUPPORTED'], // SESSION_READ_ONLY
  [0x0c0, 'TAMPER'], // SIGNATURE_INVALID
  [0x0c1, 'TAMPER'], // SIGNATURE_LEN_RANGE
  [0x0d0, 'UNSUPPORTED'], // TEMPLATE_INCOMPLETE
  [0x0d1, 'UNSUPPORTED'], // TEMPLATE_INCONSISTENT
  [0x0e0, 'TOKEN_LOST'], // TOKEN_NOT_PRESENT
  [0x0e1, 'TOKEN_LOST'], // TOKEN_NOT_RECOGNIZED
  [0x0e2, 'UNSUPPORTED'], // TOKEN_WRITE_PROTECTED
  [0x101, 'SESSION_LOST'], // USER_NOT_LOGGED_IN
  [0x102, 'PIN_INCORRECT'], // USER_PIN_NOT_INITIALIZED
  [0x104, 'BUSY'], // USER_ANOTHER_ALREADY_LOGGED_IN
  [0x110, 'TAMPER'], // WRAPPED_KEY_INVALID
  [0x112, 'TAMPER'], // WRAPPED_KEY_LEN_RANGE
  [0x130, 'UNSUPPORTED'], // DOMAIN_PARAMS_INVALID
  [0x140, 'UNSUPPORTED'], // CURVE_NOT_SUPPORTED
  [0x190, 'TOKEN_LOST'], // CRYPTOKI_NOT_INITIALIZED
  [0x1b8, 'PIN_INCORRECT'], // PIN_TOO_WEAK
])

export const CKR_USER_ALREADY_LOGGED_IN = 0x100
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191
export const CKR_HOST_MEMORY = 0x002
export const CKR_GENERAL_ERROR = 0x005
export const CKR_FUNCTION_FAILED = 0x006
export const CKR_DEVICE_ERROR = 0x030

/** Meaning of a CKR value; everything that is not listed, vendor values above all, is worth a health check. */
export function meaningOf(rv: number): Meaning {
  return MEANINGS.get(rv) ?? 'CHECK'
}

/**
 * What a value that needed the health check meant, the token having proved to be well.
 *
 * @param opening - the failed call was opening a ciphertext that somebody else may have written.
 */
export function meaningWhenHealthy(rv: number, opening: boolean): VaultCode {
  if (rv === CKR_DEVICE_ERROR) return 'BUSY'
  if (opening && (rv === CKR_GENERAL_ERROR || rv === CKR_FUNCTION_FAILED)) return 'TAMPER'
  return 'SESSION_LOST'
}
