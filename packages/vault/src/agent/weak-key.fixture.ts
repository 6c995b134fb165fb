import pkcs11 from 'pkcs11js'
import type { PinSource } from '../settings.ts'
import { Cryptoki } from './cryptoki.ts'
import { CKM_AES_KEY_GEN, kekTemplate } from './objects.ts'
import { readPin } from './pin.ts'
import { selectToken } from './token.ts'

// Makes a KEK that may leave its token, in a process of its own, as a careless vendor's tool would. Arguments: library, token label,
// KEK label, user PIN source as JSON.

const [module, label, kekLabel, pin] = process.argv.slice(2) as [string, string, string, string]
const cryptoki = new Cryptoki(module)
cryptoki.initialise()
const session = cryptoki.openSession(selectToken(cryptoki.tokens(), label, undefined).slot, 'write')
session.login('user', readPin(JSON.parse(pin) as PinSource))
const uses = [pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT, pkcs11.CKA_WRAP, pkcs11.CKA_EXTRACTABLE]
session.generateKey(CKM_AES_KEY_GEN, [
  ...kekTemplate(kekLabel, 'f00d'),
  { type: pkcs11.CKA_SENSITIVE, value: false },
  { type: pkcs11.CKA_VALUE_LEN, value: 32 },
  ...uses.map((type) => ({ type, value: true })),
])
cryptoki.finalise()
