import pkcs11, { type Handle, type Template } from 'pkcs11js'
import type { Attempts } from './attempts.ts'
import type { Session } from './cryptoki.ts'
import { CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN } from './objects.ts'
import type { TrialKeys } from './trial.ts'

const KEY_BYTES = 32

/** What a key made for a trial may be used for. */
export type SessionKeyUse = 'encrypt' | 'wrap' | 'mac' | 'none'

const MAY: Readonly<Record<SessionKeyUse, readonly number[]>> = {
  encrypt: [pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT],
  wrap: [pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP],
  mac: [pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY],
  none: [],
}

/** A key that is sealed in as a KEK is, and goes with the session that makes it. */
export function generateSessionKey(keeper: Session, use: SessionKeyUse, bytes: number = KEY_BYTES): Handle {
  const uses: Template = [pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT, pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP, pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY]
    .filter((type) => MAY[use].includes(type))
    .map((type) => ({ type, value: true }))
  const template: Template = [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_KEY_TYPE, value: use === 'mac' ? pkcs11.CKK_GENERIC_SECRET : pkcs11.CKK_AES },
    { type: pkcs11.CKA_TOKEN, value: false },
    { type: pkcs11.CKA_PRIVATE, value: true },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    { type: pkcs11.CKA_EXTRACTABLE, value: false },
    { type: pkcs11.CKA_VALUE_LEN, value: bytes },
    ...uses,
  ]
  return keeper.generateKey(use === 'mac' ? CKM_GENERIC_SECRET_KEY_GEN : CKM_AES_KEY_GEN, template)
}

/** One key for each use that profiles have; those that the token does not make are undefined. */
export function sessionTrialKeys(attempts: Attempts, keeper: Session): TrialKeys {
  const made = (use: SessionKeyUse) => {
    const outcome = attempts.try(() => generateSessionKey(keeper, use))
    return outcome.ok ? outcome.value : undefined
  }
  return { encrypt: made('encrypt'), wrap: made('wrap'), mac: made('mac') }
}
