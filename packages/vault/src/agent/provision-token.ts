import { randomBytes } from 'node:crypto'
import pkcs11, { type Handle, type Template } from 'pkcs11js'
import type { PinSource } from '../settings.ts'
import { Attempts } from './attempts.ts'
import { type Cryptoki, CryptokiError, type Session, type Token } from './cryptoki.ts'
import { tryExtraction } from './extractability.ts'
import { AgentFault } from './fault.ts'
import {
  CKM_AES_KEY_GEN,
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EC_KEY_PAIR_GEN,
  CKM_GENERIC_SECRET_KEY_GEN,
  EC_PARAMS,
  findKek,
  findMac,
  findSigningKey,
  kekTemplate,
  listKeks,
  macTemplate,
  SIGNING_LABELS,
  signingTemplate,
} from './objects.ts'
import { readPin } from './pin.ts'
import type { AgentSettings, ProvisionBody, SigningKeyType, SigningUse, WantedKey } from './protocol.ts'
import { meaningOf } from './return-values.ts'
import { sessionTrialKeys } from './session-keys.ts'
import { faultOf, logIn, selectToken } from './token.ts'
import { chooseProfile, type TrialKeys } from './trial.ts'
import type { Choice } from './wrap.ts'

const KEY_ID_BYTES = 16
const KEY_BYTES = 32
/** In order of preference: the first two can be peer ids of libp2p, so that links need no proof of their own. */
const SIGNING_TYPES: readonly SigningKeyType[] = ['ed25519', 'secp256k1', 'p256']
const USES: readonly SigningUse[] = ['identity', 'checkpoint']

/** What makes a key stay inside: it cannot be read, copied into a weaker one, or weakened afterwards. */
const SEALED_IN: Template = [
  { type: pkcs11.CKA_TOKEN, value: true },
  { type: pkcs11.CKA_PRIVATE, value: true },
  { type: pkcs11.CKA_SENSITIVE, value: true },
  { type: pkcs11.CKA_EXTRACTABLE, value: false },
  { type: pkcs11.CKA_MODIFIABLE, value: false },
  { type: pkcs11.CKA_COPYABLE, value: false },
]

/** Attributes that not every module knows; what they forbid then follows from the others, or the probe tells. */
const OPTIONAL: readonly number[] = [pkcs11.CKA_COPYABLE, pkcs11.CKA_MODIFIABLE]

/** The token in the middle of its ceremony. */
export interface Ceremony {
  readonly cryptoki: Cryptoki
  readonly settings: AgentSettings
  readonly token: Token
  readonly session: Session
}

/**
 * The ceremony: a token if asked for, a KEK for the profile that the token can do, the key pairs that it signs with. Refuses when any of them
 * exists, what is to be adopted aside; leaves no half of the keys behind when it fails.
 *
 * @throws {AgentFault} KEY_EXISTS, KEY_MISSING, UNSUPPORTED, PIN_SOURCE, PIN_INCORRECT, TOKEN_LOST
 */
export function provisionToken(cryptoki: Cryptoki, settings: AgentSettings, pin: Buffer, body: ProvisionBody): void {
  try {
    cryptoki.initialise(settings.libraryParameters)
    if (body.soPin !== undefined) createToken(cryptoki, settings, pin, body.soPin)
    const token = selectToken(cryptoki.tokens(), settings.token, settings.serial)
    const session = cryptoki.openSession(token.slot, 'write')
    logIn(session, token, pin)
    requireEmpty(session, settings, body.kek === 'adopt')
    createKeys({ cryptoki, settings, token, session }, body)
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

/** A KEK and a checkpoint key may be there already when keys are to be adopted; an identity never. */
function requireEmpty(session: Session, { kekLabel }: AgentSettings, adopting: boolean): void {
  if (!adopting && listKeks(session, kekLabel).length > 0)
    throw new AgentFault('KEY_EXISTS', `the token holds a KEK "${kekLabel}" already`, { label: kekLabel })
  for (const use of adopting ? (['identity'] as const) : USES) {
    const halves = (['private', 'public'] as const).flatMap((kind) => session.find(signingTemplate(use, kind)))
    if (halves.length > 0) throw new AgentFault('KEY_EXISTS', `the token holds its ${use} key already`)
  }
}

function createKeys(ceremony: Ceremony, body: ProvisionBody): void {
  const { session, settings } = ceremony
  const made: Handle[] = []
  try {
    if (body.kek === 'generate') made.push(...generateKek(ceremony, settings.kekLabel))
    for (const use of USES) {
      const adopted = body.kek === 'adopt' && findSigningKey(session, use) !== undefined
      const pair = adopted ? undefined : generateSigningKey(session, use, body[use])
      if (pair === undefined) continue
      made.push(pair.privateKey, pair.publicKey)
      findSigningKey(session, use)
    }
    // On the keys themselves: found again, not extractable, and able to do the profile.
    const { handle, id, label } = findKek(session, settings.kekLabel, { id: settings.kekId })
    choose(ceremony, { encrypt: handle, wrap: handle, mac: findMac(session, label, id) })
  } catch (error) {
    for (const handle of made) session.destroyObject(handle)
    throw error
  }
}

/** @param keys - undefined: keys for the length of this probe. */
function choose({ cryptoki, settings, token }: Ceremony, keys: TrialKeys | undefined): Choice {
  const attempts = new Attempts(cryptoki, token)
  const offered = cryptoki.mechanisms(token.slot)
  const keeper = cryptoki.openSession(token.slot, 'read')
  const leaks = () => tryExtraction(attempts, keeper, offered).extractability === 'not-enforced'
  try {
    return chooseProfile({ attempts, offered, keys: keys ?? sessionTrialKeys(attempts, keeper), leaks }, settings.profile)
  } finally {
    keeper.close()
  }
}

/** A KEK for the best profile that the token can do, and its HMAC key where the profile needs one. */
export function generateKek(ceremony: Ceremony, label: string): readonly Handle[] {
  const { session } = ceremony
  const { profile } = choose(ceremony, undefined)
  const id = randomBytes(KEY_ID_BYTES).toString('hex')
  const uses = profile.kekUse === 'encrypt' ? [pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT] : [pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP]
  const kek = generateSealedIn(session, CKM_AES_KEY_GEN, kekTemplate(label, id), uses)
  if (profile.name !== 'cbc-hmac') return [kek]
  try {
    const type = { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_GENERIC_SECRET }
    return [kek, generateSealedIn(session, CKM_GENERIC_SECRET_KEY_GEN, [...macTemplate(label, id), type], [pkcs11.CKA_SIGN])]
  } catch (error) {
    session.destroyObject(kek)
    throw error
  }
}

/** A secret key that may do what is listed and nothing else: unwrapping would let a PIN holder place keys, wrapping take others out. */
function generateSealedIn(session: Session, mechanism: number, template: Template, uses: readonly number[]): Handle {
  const all = [
    pkcs11.CKA_ENCRYPT,
    pkcs11.CKA_DECRYPT,
    pkcs11.CKA_WRAP,
    pkcs11.CKA_UNWRAP,
    pkcs11.CKA_SIGN,
    pkcs11.CKA_VERIFY,
    pkcs11.CKA_DERIVE,
  ]
  const named = template.map((a) => a.type)
  return strictest((sealedIn) =>
    session.generateKey(mechanism, [
      ...template,
      ...sealedIn.filter((a) => !named.includes(a.type)),
      { type: pkcs11.CKA_VALUE_LEN, value: KEY_BYTES },
      ...all.map((type) => ({ type, value: uses.includes(type) })),
    ]),
  )
}

/** Makes a key with all attributes that keep it inside; a module that does not know the optional ones is asked again without. */
function strictest<T>(make: (sealedIn: Template) => T): T {
  try {
    return make(SEALED_IN)
  } catch (error) {
    // NSS calls it a general error.
    if (!(error instanceof CryptokiError) || !['UNSUPPORTED', 'CHECK'].includes(meaningOf(error.rv))) throw error
    return make(SEALED_IN.filter((a) => !OPTIONAL.includes(a.type)))
  }
}

/** @throws {AgentFault} UNSUPPORTED when the token makes no such key. */
function generateSigningKey(session: Session, use: SigningUse, wanted: WantedKey): pkcs11.KeyPair | undefined {
  if (wanted === 'none') return undefined
  const anyType = wanted === 'any' || wanted === 'any-or-none'
  for (const type of anyType ? SIGNING_TYPES : [wanted]) {
    try {
      return generateKeyPair(session, use, type)
    } catch (error) {
      if (!anyType || !(error instanceof CryptokiError) || meaningOf(error.rv) !== 'UNSUPPORTED') throw error
    }
  }
  if (wanted === 'any-or-none') return undefined
  throw new AgentFault(
    'UNSUPPORTED',
    `the token makes neither Ed25519 nor secp256k1 nor P-256 keys for the ${use}: keep the identity in another HSM and provision this one as a backup`,
  )
}

function generateKeyPair(session: Session, use: SigningUse, type: SigningKeyType): pkcs11.KeyPair {
  const id = { type: pkcs11.CKA_ID, value: randomBytes(KEY_ID_BYTES) }
  const label = { type: pkcs11.CKA_LABEL, value: SIGNING_LABELS[use] }
  const publicTemplate = [
    id,
    label,
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_PRIVATE, value: false },
    { type: pkcs11.CKA_EC_PARAMS, value: EC_PARAMS[type] },
    { type: pkcs11.CKA_VERIFY, value: true },
  ]
  const mechanism = type === 'ed25519' ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN
  return strictest((sealedIn) => {
    const privateTemplate = [id, label, ...sealedIn, { type: pkcs11.CKA_SIGN, value: true }, { type: pkcs11.CKA_DERIVE, value: false }]
    return session.generateKeyPair(mechanism, publicTemplate, privateTemplate)
  })
}
