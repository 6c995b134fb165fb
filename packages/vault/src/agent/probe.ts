import { randomBytes } from 'node:crypto'
import pkcs11 from 'pkcs11js'
import type { TokenProbe } from '../probe-report.ts'
import { PROFILES, type ProfileName, profileOf } from '../profile.ts'
import { Attempts } from './attempts.ts'
import { type Cryptoki, CryptokiError, type Session } from './cryptoki.ts'
import { tryExtraction } from './extractability.ts'
import { AgentFault } from './fault.ts'
import { CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_EDDSA, EC_PARAMS } from './objects.ts'
import type { AgentSettings, SigningKeyType } from './protocol.ts'
import { CKR_HOST_MEMORY } from './return-values.ts'
import { sessionTrialKeys } from './session-keys.ts'
import type { Connection, TokenConnection } from './token.ts'
import { chooseProfile, type TrialKeys, type TrialToken, tryProfile } from './trial.ts'

const DIGEST_BYTES = 32

/** Changes nothing on the token: it works with session keys, and with the KEK for the profile that seals. */
export function probeToken(cryptoki: Cryptoki, settings: AgentSettings, token: TokenConnection, connection: Connection): TokenProbe {
  const attempts = new Attempts(cryptoki, connection.token)
  const offered = cryptoki.mechanisms(connection.token.slot)
  const keeper = cryptoki.openSession(connection.token.slot, 'read')
  try {
    const extraction = tryExtraction(attempts, keeper, offered)
    const leaks = () => extraction.extractability === 'not-enforced'
    const sessionKeys = sessionTrialKeys(attempts, keeper)
    const ownKeys = hasKeys(sessionKeys)
    const kek = kekTrial(token, connection)
    const keys = ownKeys || kek === undefined ? sessionKeys : kek.keys
    const trial: TrialToken = { attempts, offered, keys, leaks }
    const profiles = PROFILES.map(({ name }) => tryProfile(trial, name))
    return {
      token: connection.token.label,
      tokenSerial: connection.token.serial,
      profiles,
      triedWith: ownKeys ? 'session-keys' : kek === undefined ? 'nothing' : 'kek',
      chosen: chosen(kek === undefined ? trial : { ...kek, leaks }, settings.profile),
      emptyIv: tryEmptyIv(trial),
      ...extraction,
      identities: (Object.keys(EC_PARAMS) as SigningKeyType[]).filter((curve) => attempts.try((s) => tryIdentity(s, curve)).ok),
    }
  } finally {
    keeper.close()
  }
}

function hasKeys({ encrypt, wrap, mac }: TrialKeys): boolean {
  return encrypt !== undefined || wrap !== undefined || mac !== undefined
}

/** Undefined on a token without a KEK. */
function kekTrial(token: TokenConnection, connection: Connection): TrialToken | undefined {
  try {
    return token.trial(connection)
  } catch (error) {
    if (error instanceof AgentFault && error.code === 'KEY_MISSING') return undefined
    throw error
  }
}

function chosen(trial: TrialToken, wanted: ProfileName | undefined): ProfileName | undefined {
  try {
    return chooseProfile(trial, wanted).profile.name
  } catch (error) {
    if (error instanceof AgentFault && error.code === 'UNSUPPORTED') return undefined
    throw error
  }
}

function tryEmptyIv({ attempts, offered, keys }: TrialToken): TokenProbe['emptyIv'] {
  const [mechanism] = profileOf('gcm').mechanisms as [number]
  const key = keys.encrypt
  if (!offered.includes(mechanism) || key === undefined) return 'not-testable'
  // Not by gcmMechanism, which refuses it.
  const parameter = { type: pkcs11.CK_PARAMS_GCM, iv: Buffer.alloc(0), ivBits: 0, aad: Buffer.alloc(0), tagBits: 128 }
  const refused = attempts.try((session) => {
    try {
      session.encrypt({ mechanism, parameter }, key, randomBytes(DIGEST_BYTES))
      return false
    } catch (error) {
      // NSS finds no memory for such a cipher.
      if (error instanceof CryptokiError && error.rv === CKR_HOST_MEMORY) return true
      throw error
    }
  })
  return !refused.ok || refused.value ? 'refused' : 'accepted'
}

/** A key pair for the length of one session, and a signature with it. */
function tryIdentity(session: Session, curve: SigningKeyType): void {
  const pair = session.generateKeyPair(
    curve === 'ed25519' ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN,
    [
      { type: pkcs11.CKA_TOKEN, value: false },
      { type: pkcs11.CKA_EC_PARAMS, value: EC_PARAMS[curve] },
      { type: pkcs11.CKA_VERIFY, value: true },
    ],
    [
      { type: pkcs11.CKA_TOKEN, value: false },
      { type: pkcs11.CKA_PRIVATE, value: true },
      { type: pkcs11.CKA_SENSITIVE, value: true },
      { type: pkcs11.CKA_EXTRACTABLE, value: false },
      { type: pkcs11.CKA_SIGN, value: true },
    ],
  )
  session.sign(curve === 'ed25519' ? CKM_EDDSA : CKM_ECDSA, pair.privateKey, randomBytes(DIGEST_BYTES))
}
