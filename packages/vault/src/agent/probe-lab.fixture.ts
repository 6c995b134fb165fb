import { randomBytes } from 'node:crypto'
import { renameSync } from 'node:fs'
import pkcs11, { type Handle } from 'pkcs11js'
import { PROFILES, profileOf } from '../profile.ts'
import { SOFT_WRAPS } from '../soft-wraps.ts'
import { Attempts } from './attempts.ts'
import { Cryptoki, CryptokiError, Session } from './cryptoki.ts'
import { findKek, findMac, findSigningKey } from './objects.ts'
import { PinHolder, readPin } from './pin.ts'
import type { AgentSettings } from './protocol.ts'
import { sessionTrialKeys } from './session-keys.ts'
import { faultOf, selectToken, TokenConnection } from './token.ts'
import { type TrialToken, tryProfile } from './trial.ts'
import { wrapDek } from './wrap.ts'

// Tries profiles on a real token, in a process of its own, with a flaw that its answers are given on the way. Arguments: experiment,
// agent settings, token directory, as JSON where it is not text. Prints one JSON value.

const [experiment, settingsJson, tokens] = process.argv.slice(2) as [string, string, string]
const settings = JSON.parse(settingsJson) as AgentSettings
const cryptoki = new Cryptoki(settings.module)

interface Lab {
  readonly attempts: Attempts
  readonly keeper: Session
  readonly offered: readonly number[]
}

function loggedIn(): Lab {
  cryptoki.initialise(settings.libraryParameters)
  const token = selectToken(cryptoki.tokens(), settings.token, settings.serial)
  const keeper = cryptoki.openSession(token.slot, 'read')
  keeper.login('user', readPin(settings.pin))
  return { attempts: new Attempts(cryptoki, token), keeper, offered: cryptoki.mechanisms(token.slot) }
}

/** Works, or why not, by profile. Whether the token lets keys out is left aside. */
function trial({ attempts, keeper, offered }: Lab, change: Partial<TrialToken> = {}): Record<string, string> {
  const token: TrialToken = { attempts, offered, keys: sessionTrialKeys(attempts, keeper), leaks: () => false, ...change }
  return Object.fromEntries(
    PROFILES.map(({ name }) => {
      const { mechanism, reason } = tryProfile(token, name)
      return [name, mechanism === undefined ? reason! : `0x${mechanism.toString(16)}`]
    }),
  )
}

const real = {
  encrypt: Session.prototype.encrypt,
  decrypt: Session.prototype.decrypt,
  sign: Session.prototype.sign,
  wrapKey: Session.prototype.wrapKey,
  attribute: Session.prototype.attribute,
}

/** The same parameter with another IV or AAD, whatever was asked for. */
function withParameter(mechanism: pkcs11.Mechanism, change: Record<string, unknown>): pkcs11.Mechanism {
  const parameter = mechanism.parameter as object
  return Buffer.isBuffer(parameter) ? mechanism : ({ ...mechanism, parameter: { ...parameter, ...change } } as unknown as pkcs11.Mechanism)
}

function bothWays(change: Record<string, unknown>): void {
  Session.prototype.encrypt = function (mechanism, key, clear) {
    return real.encrypt.call(this, withParameter(mechanism, change), key, clear)
  }
  Session.prototype.decrypt = function (mechanism, key, cipher) {
    return real.decrypt.call(this, withParameter(mechanism, change), key, cipher)
  }
}

/** What a token would have to do to fail one check of the trial. */
const FLAWS: Readonly<Record<string, () => void>> = {
  'no-aad': () => bothWays({ aad: Buffer.alloc(0) }),
  'fixed-iv': () => bothWays({ iv: Buffer.alloc(12), ivBits: 96 }),
  'blind-decrypt': () => {
    let last: Uint8Array = new Uint8Array(32)
    Session.prototype.encrypt = function (mechanism, key, clear) {
      last = clear.slice()
      return real.encrypt.call(this, mechanism, key, clear)
    }
    Session.prototype.decrypt = () => last
  },
  'blind-mac': () => {
    Session.prototype.sign = () => new Uint8Array(32)
  },
  'wrong-key': () => {
    Session.prototype.decrypt = () => new Uint8Array(32)
    Session.prototype.attribute = function (object, type) {
      return type === pkcs11.CKA_VALUE ? Buffer.alloc(32) : real.attribute.call(this, object, type)
    }
  },
  short: () => {
    Session.prototype.encrypt = function (...args) {
      return real.encrypt.apply(this, args).subarray(1)
    }
    Session.prototype.wrapKey = function (...args) {
      return Uint8Array.of(...real.wrapKey.apply(this, args), 0)
    }
  },
  'throttled-once': () => {
    let calls = 0
    Session.prototype.encrypt = function (...args) {
      if (++calls === 1) throw new CryptokiError('C_Encrypt', 0x30)
      return real.encrypt.apply(this, args)
    }
  },
  none: () => undefined,
}

function flawed(name: string): unknown {
  const lab = loggedIn()
  FLAWS[name]!()
  return trial(lab)
}

/** A token that vanishes in the middle, and answers as SoftHSM does then. */
function vanishing(): unknown {
  const lab = loggedIn()
  Session.prototype.encrypt = () => {
    renameSync(tokens, `${tokens}.away`)
    throw new CryptokiError('C_Encrypt', 0x05)
  }
  try {
    return trial(lab)
  } catch (error) {
    return faultOf(error).code
  } finally {
    renameSync(`${tokens}.away`, tokens)
  }
}

/** A key that we know, wrapping a data key that we know, beside the software of the standards. */
function reference(): unknown {
  const { keeper, offered } = loggedIn()
  const [kek, dek] = [randomBytes(32), randomBytes(32)]
  const handle: Handle = keeper.createObject([
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
    { type: pkcs11.CKA_TOKEN, value: false },
    { type: pkcs11.CKA_WRAP, value: true },
    { type: pkcs11.CKA_VALUE, value: kek },
  ])
  const none = new Uint8Array(0)
  const compared = (['kwp', 'kw'] as const).flatMap((name) =>
    profileOf(name)
      .mechanisms.filter((m) => offered.includes(m))
      .map((mechanism) => {
        const expected = SOFT_WRAPS[name].wrap({ kek, mac: kek }, none, none, dek)
        try {
          const { wrapped } = wrapDek({ session: keeper, kek: handle, mac: undefined }, { profile: profileOf(name), mechanism }, none, dek)
          return [`${name} 0x${mechanism.toString(16)}`, Buffer.from(wrapped).equals(expected)]
        } catch (error) {
          return [`${name} 0x${mechanism.toString(16)}`, faultOf(error).message]
        }
      }),
  )
  return Object.fromEntries(compared)
}

/** An HSM that makes IVs as it should, and from some moment on always the same one. */
function stuckLater(): unknown {
  const connection = new TokenConnection(cryptoki, settings, PinHolder.of(readPin(settings.pin)))
  const wrap = () => {
    try {
      connection.run((c) => connection.wrap(c, new Uint8Array(8), new Uint8Array(32)))
      return 'OK'
    } catch (error) {
      return `${faultOf(error).code}: ${faultOf(error).message}`
    }
  }
  const before = [wrap(), wrap()]
  process.env.HSM_SHIM = 'iv-stuck'
  return [...before, wrap(), wrap()]
}

/** What the token says of the KEK, of its HMAC key if there is one, and of the private halves of what it signs with. */
function attributes(): unknown {
  const { keeper } = loggedIn()
  const { handle, id, label } = findKek(keeper, settings.kekLabel)
  const mac = findMac(keeper, label, id)
  const flag = (key: Handle, type: number) => keeper.attribute(key, type)[0]
  const signing = (['identity', 'checkpoint'] as const).flatMap((use) => findSigningKey(keeper, use)?.privateKey ?? [])
  return [handle, ...(mac === undefined ? [] : [mac]), ...signing].map((key) => ({
    extractable: flag(key, pkcs11.CKA_EXTRACTABLE),
    sensitive: flag(key, pkcs11.CKA_SENSITIVE),
  }))
}

const EXPERIMENTS: Readonly<Record<string, () => unknown>> = {
  vanishing,
  reference,
  attributes,
  'stuck-later': stuckLater,
  'without-0x210b': () => {
    const lab = loggedIn()
    return trial(lab, { offered: lab.offered.filter((m) => m !== 0x210b) })
  },
  leaking: () => trial(loggedIn(), { leaks: () => true }),
  keyless: () => trial(loggedIn(), { keys: { encrypt: undefined, wrap: undefined, mac: undefined } }),
}

process.stdout.write(JSON.stringify(EXPERIMENTS[experiment]?.() ?? flawed(experiment)))
