import { randomBytes } from 'node:crypto'
import pkcs11, { type Handle, type Template } from 'pkcs11js'
import { DEK_BYTES, profileOf } from '../profile.ts'
import type { PinSource } from '../settings.ts'
import type { Cryptoki, Session, Token } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import {
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EC_KEY_PAIR_GEN,
  CKM_ECDSA,
  CKM_EDDSA,
  EC_PARAMS,
  findIdentity,
  findKek,
  IDENTITY_LABEL,
  identityTemplate,
  kekTemplate,
} from './objects.ts'
import { readPin } from './pin.ts'
import type { AgentSettings, IdentityType, ProvisionBody } from './protocol.ts'
import { faultOf, logIn, selectToken } from './token.ts'
import { tokenWrap } from './wrap.ts'

const CKM_AES_KEY_GEN = 0x1080
const KEY_ID_BYTES = 16
const KEK_BYTES = 32

/** What makes a key stay inside: it cannot be read, copied into a weaker one, or weakened afterwards. */
const SEALED_IN: Template = [
  { type: pkcs11.CKA_TOKEN, value: true },
  { type: pkcs11.CKA_PRIVATE, value: true },
  { type: pkcs11.CKA_SENSITIVE, value: true },
  { type: pkcs11.CKA_EXTRACTABLE, value: false },
  { type: pkcs11.CKA_MODIFIABLE, value: false },
  { type: pkcs11.CKA_COPYABLE, value: false },
]

/**
 * The ceremony: a token if asked for, a KEK, an identity key pair. Refuses when any of them exists; leaves no half of the keys
 * behind when it fails.
 *
 * @throws {AgentFault} KEY_EXISTS, UNSUPPORTED, PIN_SOURCE, PIN_INCORRECT, TOKEN_LOST
 */
export function provisionToken(cryptoki: Cryptoki, settings: AgentSettings, pin: Buffer, body: ProvisionBody): void {
  try {
    cryptoki.initialise()
    if (body.soPin !== undefined) createToken(cryptoki, settings, pin, body.soPin)
    const token = selectToken(cryptoki.tokens(), settings.token, settings.serial)
    const session = cryptoki.openSession(token.slot, 'write')
    logIn(session, token, pin)
    requireEmpty(session, settings)
    createKeys(session, settings, body.identityType ?? preferredIdentity(cryptoki, token))
  } catch (error) {
    throw faultOf(error)
  } finally {
    cryptoki.finalise()
  }
}

function createToken(cryptoki: Cryptoki, { token: label }: AgentSettings, pin: Buffer, soPinSource: PinSource): void {
  const tokens = cryptoki.tokens()
  if (tokens.some((t) => t.initialised && t.label === label))
    throw new AgentFault('KEY_EXISTS', `a token "${label}" exists already`, { token: label })
  // Never a slot in use: initialising a token erases it.
  const free = tokens.find((t) => !t.initialised)
  if (free === undefined)
    throw new AgentFault('UNSUPPORTED', 'the module offers no uninitialised token; initialise one with the tools of its vendor')
  const soPin = readPin(soPinSource)
  try {
    // Before the token exists: it would be left without a user PIN.
    if ([pin, soPin].some((p) => p.length < free.pinMin || p.length > free.pinMax)) {
      throw new AgentFault('PIN_SOURCE', `PINs of this token have ${free.pinMin} to ${free.pinMax} bytes`)
    }
    cryptoki.initToken(free.slot, soPin, label)
    // The new token may sit in another slot than the empty one did.
    const session = cryptoki.openSession(selectToken(cryptoki.tokens(), label, undefined).slot, 'write')
    session.login('so', soPin)
    session.initPin(pin)
    session.logout()
    session.close()
  } finally {
    soPin.fill(0)
  }
}

function requireEmpty(session: Session, { kekLabel }: AgentSettings): void {
  if (session.find(kekTemplate(kekLabel)).length > 0)
    throw new AgentFault('KEY_EXISTS', `the token holds a KEK "${kekLabel}" already`, { label: kekLabel })
  for (const kind of ['private', 'public'] as const) {
    if (session.find(identityTemplate(kind)).length > 0) throw new AgentFault('KEY_EXISTS', 'the token holds an identity key already')
  }
}

function preferredIdentity(cryptoki: Cryptoki, token: Token): IdentityType {
  const offered = cryptoki.mechanisms(token.slot)
  const offers = (...wanted: number[]) => wanted.every((m) => offered.includes(m))
  if (offers(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA)) return 'ed25519'
  if (offers(CKM_EC_KEY_PAIR_GEN, CKM_ECDSA)) return 'secp256k1'
  throw new AgentFault('UNSUPPORTED', 'the token offers neither EdDSA nor ECDSA for the node identity')
}

function createKeys(session: Session, settings: AgentSettings, identityType: IdentityType): void {
  const made: Handle[] = []
  try {
    made.push(generateKek(session, settings.kekLabel))
    const pair = generateIdentity(session, identityType)
    made.push(pair.privateKey, pair.publicKey)
    selfTest(session, settings)
  } catch (error) {
    for (const handle of made) session.destroyObject(handle)
    throw error
  }
}

function generateKek(session: Session, label: string): Handle {
  return session.generateKey(CKM_AES_KEY_GEN, [
    ...kekTemplate(label, randomBytes(KEY_ID_BYTES).toString('hex')),
    ...SEALED_IN.filter((a) => a.type !== pkcs11.CKA_TOKEN),
    { type: pkcs11.CKA_VALUE_LEN, value: KEK_BYTES },
    { type: pkcs11.CKA_ENCRYPT, value: true },
    { type: pkcs11.CKA_DECRYPT, value: true },
    // Unwrapping would let a PIN holder place keys of their own, wrapping take others' keys out.
    { type: pkcs11.CKA_WRAP, value: false },
    { type: pkcs11.CKA_UNWRAP, value: false },
    { type: pkcs11.CKA_SIGN, value: false },
    { type: pkcs11.CKA_VERIFY, value: false },
    { type: pkcs11.CKA_DERIVE, value: false },
  ])
}

function generateIdentity(session: Session, type: IdentityType): pkcs11.KeyPair {
  const id = { type: pkcs11.CKA_ID, value: randomBytes(KEY_ID_BYTES) }
  const label = { type: pkcs11.CKA_LABEL, value: IDENTITY_LABEL }
  const publicTemplate = [
    id,
    label,
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_PRIVATE, value: false },
    { type: pkcs11.CKA_EC_PARAMS, value: EC_PARAMS[type] },
    { type: pkcs11.CKA_VERIFY, value: true },
  ]
  const privateTemplate = [id, label, ...SEALED_IN, { type: pkcs11.CKA_SIGN, value: true }, { type: pkcs11.CKA_DERIVE, value: false }]
  return session.generateKeyPair(type === 'ed25519' ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, publicTemplate, privateTemplate)
}

/** Proves on the new keys what the vault will rely on: found again, not extractable, and able to do the profile. */
function selfTest(session: Session, settings: AgentSettings): void {
  const { handle } = findKek(session, settings.kekLabel)
  findIdentity(session)
  const { wrap, unwrap } = tokenWrap(profileOf(settings.profile))
  const [aad, probe] = [randomBytes(16), randomBytes(DEK_BYTES)]
  const { iv, wrapped } = wrap(session, handle, aad, probe)
  if (!probe.equals(unwrap(session, handle, aad, iv, wrapped)))
    throw new AgentFault('UNSUPPORTED', `the token does not do the profile "${settings.profile}"`)
}
