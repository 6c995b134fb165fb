import pkcs11, { type Handle, type Template } from 'pkcs11js'
import type { Kek } from '../hsm.ts'
import type { Session } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import type { SigningKeyType, SigningUse, TokenPoint } from './protocol.ts'

export const SIGNING_LABELS: Readonly<Record<SigningUse, string>> = { identity: 'conclave-identity', checkpoint: 'conclave-checkpoint' }
const MAC_SUFFIX = '-mac'
const GENERATION_MARK = '-g'
const GENERATION = /^[1-9][0-9]{0,8}$/
export const KEK_GENERATION_MAX = 999_999_999
/** What is looked through for KEKs, once for each connection. */
const AES_KEYS_MAX = 4096

export const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055
export const CKM_EDDSA = 0x1057
export const CKM_EC_KEY_PAIR_GEN = 0x1040
export const CKM_ECDSA = 0x1041
export const CKM_AES_KEY_GEN = 0x1080
export const CKM_GENERIC_SECRET_KEY_GEN = 0x350
export const CKM_SHA256_HMAC = 0x251
const CKK_EC = 0x3
const CKK_EC_EDWARDS = 0x40

/** DER object identifiers. */
export const EC_PARAMS: Readonly<Record<SigningKeyType, Buffer>> = {
  ed25519: Buffer.from('06032b6570', 'hex'),
  secp256k1: Buffer.from('06052b8104000a', 'hex'),
  p256: Buffer.from('06082a8648ce3d030107', 'hex'),
}

export interface SigningHandles extends TokenPoint {
  readonly privateKey: Handle
}

const AES_TOKEN_KEYS: Template = [
  { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
  { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
  { type: pkcs11.CKA_TOKEN, value: true },
]

export function kekTemplate(label: string, id?: string): Template {
  const base = [...AES_TOKEN_KEYS, { type: pkcs11.CKA_LABEL, value: label }]
  return id === undefined ? base : [...base, { type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') }]
}

export function signingTemplate(use: SigningUse, kind: 'private' | 'public'): Template {
  return [
    { type: pkcs11.CKA_CLASS, value: kind === 'private' ? pkcs11.CKO_PRIVATE_KEY : pkcs11.CKO_PUBLIC_KEY },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: SIGNING_LABELS[use] },
  ]
}

/** A key that could leave the HSM protects nothing, so one is refused wherever it came from. @throws {AgentFault} UNSUPPORTED */
export function requireSealedIn(session: Session, key: Handle, what: string): void {
  const extractable = session.attribute(key, pkcs11.CKA_EXTRACTABLE)
  const sensitive = session.attribute(key, pkcs11.CKA_SENSITIVE)
  if (extractable[0] !== 0 || sensitive[0] !== 1)
    throw new AgentFault('UNSUPPORTED', `the ${what} can be extracted from the token: refusing to use it`)
}

/** Label of the KEK of a generation: the first has the label of the settings, which is older than generations are. */
export function kekLabelOf(label: string, generation: number): string {
  return generation === 1 ? label : `${label}${GENERATION_MARK}${generation}`
}

function generationOf(label: string, found: string): number | undefined {
  if (found === label) return 1
  const digits = found.startsWith(label + GENERATION_MARK) ? found.slice(label.length + GENERATION_MARK.length) : ''
  return GENERATION.test(digits) && Number(digits) > 1 ? Number(digits) : undefined
}

/** A KEK as it lies on the token. */
export interface FoundKek extends Kek {
  readonly handle: Handle
  /** Its own, with the generation. */
  readonly label: string
}

/** Which KEK is looked for; without an id the one that seals. `generation`: as far as the caller knows it. */
export interface WantedKek {
  readonly id?: string | undefined
  readonly generation?: number | undefined
}

/** Every KEK with this label, of whatever generation, the oldest first. @throws {AgentFault} UNSUPPORTED on a token with too many keys. */
export function listKeks(session: Session, label: string): readonly FoundKek[] {
  const all = session.findAll(AES_TOKEN_KEYS, AES_KEYS_MAX)
  if (all === undefined) throw new AgentFault('UNSUPPORTED', `the token holds more than ${AES_KEYS_MAX} AES keys`)
  const keks = all.flatMap((handle): FoundKek[] => {
    const found = session.attribute(handle, pkcs11.CKA_LABEL).toString('utf8')
    const generation = generationOf(label, found)
    if (generation === undefined) return []
    return [{ handle, label: found, generation, id: session.attribute(handle, pkcs11.CKA_ID).toString('hex') }]
  })
  return keks.sort((a, b) => a.generation - b.generation)
}

/**
 * The KEK of the newest generation with this label, or the one with this id, of whatever generation.
 *
 * A search that finds nothing is an error and never a reason to create one: a vanished token finds nothing either.
 *
 * @throws {AgentFault} KEY_MISSING; KEK_DESTROYED when the token holds a later generation than the one that is missing; KEY_AMBIGUOUS,
 *   UNSUPPORTED.
 */
export function findKek(session: Session, label: string, wanted: WantedKek = {}): FoundKek {
  const { id, generation } = wanted
  const all = listKeks(session, label)
  const newest = all.at(-1)?.generation ?? 0
  const [kek, second] = all.filter((k) => (id === undefined ? k.generation === newest : k.id === id))
  const which = id === undefined ? `"${label}"` : `"${label}" (${id})`
  if (kek === undefined) {
    if (generation !== undefined && newest > generation)
      throw new AgentFault(
        'KEK_DESTROYED',
        `the record was sealed under KEK generation ${generation}, which a rotation has destroyed: this is an old copy of the disk`,
        { generation, newest },
      )
    throw new AgentFault('KEY_MISSING', `the token holds no KEK ${which}`, { label })
  }
  if (second !== undefined) throw new AgentFault('KEY_AMBIGUOUS', `the token holds several KEKs ${which}: name one by its id`, { label })
  requireSealedIn(session, kek.handle, 'KEK')
  return kek
}

export function macTemplate(kekLabel: string, id: string): Template {
  return [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: `${kekLabel}${MAC_SUFFIX}` },
    { type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') },
  ]
}

/** The HMAC key of a KEK, told by the same id and the label with `-mac`; undefined when it has none. @throws {AgentFault} KEY_AMBIGUOUS, UNSUPPORTED */
export function findMac(session: Session, label: string, id: string): Handle | undefined {
  const [handle, second] = session.find(macTemplate(label, id))
  if (second !== undefined)
    throw new AgentFault('KEY_AMBIGUOUS', `the token holds several HMAC keys for the KEK "${label}" (${id})`, { label })
  if (handle !== undefined) requireSealedIn(session, handle, 'HMAC key')
  return handle
}

/** The key pair of that use, or undefined when the token holds none. @throws {AgentFault} KEY_AMBIGUOUS, KEY_MISSING, UNSUPPORTED */
export function findSigningKey(session: Session, use: SigningUse): SigningHandles | undefined {
  const [privateKey, second] = session.find(signingTemplate(use, 'private'))
  if (privateKey === undefined) return undefined
  const [publicKey, secondPublic] = session.find(signingTemplate(use, 'public'))
  if (second !== undefined || secondPublic !== undefined) throw new AgentFault('KEY_AMBIGUOUS', `the token holds several ${use} keys`)
  if (publicKey === undefined) throw new AgentFault('KEY_MISSING', `the public half of the ${use} key is missing from the token`)
  requireSealedIn(session, privateKey, `${use} key`)
  const type = signingKeyType(session, privateKey)
  if (type === undefined) throw new AgentFault('UNSUPPORTED', `the ${use} key of the token is neither Ed25519 nor secp256k1 nor P-256`)
  return { privateKey, type, point: new Uint8Array(session.attribute(publicKey, pkcs11.CKA_EC_POINT)) }
}

function signingKeyType(session: Session, privateKey: Handle): SigningKeyType | undefined {
  const keyType = session.attribute(privateKey, pkcs11.CKA_KEY_TYPE)[0]
  // Ed448 shares the key type; its point has another length, which the caller refuses.
  if (keyType === CKK_EC_EDWARDS) return 'ed25519'
  if (keyType !== CKK_EC) return undefined
  const parameters = session.attribute(privateKey, pkcs11.CKA_EC_PARAMS)
  return (['secp256k1', 'p256'] as const).find((type) => parameters.equals(EC_PARAMS[type]))
}
