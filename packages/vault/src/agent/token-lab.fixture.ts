import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import pkcs11 from 'pkcs11js'
import { Cryptoki, CryptokiError, rvOf, Session } from './cryptoki.ts'
import { findKek, findMac, findSigningKey, kekLabelOf, kekTemplate, macTemplate, signingTemplate } from './objects.ts'
import { PinHolder, readPin } from './pin.ts'
import type { AgentSettings } from './protocol.ts'
import { provisionToken } from './provision-token.ts'
import { faultOf, selectToken, TokenConnection } from './token.ts'
import { gcmMechanism } from './wrap.ts'

// Does to a real token, in a process of its own, what the vault never would. Arguments: experiment, agent settings and a token
// directory as JSON. Prints one JSON value.

const USES = ['identity', 'checkpoint'] as const
const [experiment, settingsJson, tokens] = process.argv.slice(2) as [string, string, string]
const settings = JSON.parse(settingsJson) as AgentSettings
const cryptoki = new Cryptoki(settings.module)
const GCM = {
  mechanism: 0x1087,
  parameter: { type: pkcs11.CK_PARAMS_GCM, iv: Buffer.alloc(12, 1), ivBits: 96, aad: Buffer.alloc(1), tagBits: 128 },
}

function codeOf(act: () => unknown): string | number {
  try {
    act()
    return 'OK'
  } catch (error) {
    return error instanceof CryptokiError ? error.rv : faultOf(error).code
  }
}

function loggedIn(): { session: Session; raw: pkcs11.PKCS11; handle: Buffer } {
  cryptoki.initialise()
  const token = selectToken(cryptoki.tokens(), settings.token, settings.serial)
  const session = cryptoki.openSession(token.slot, 'write')
  session.login('user', readPin(settings.pin))
  // A second instance of the binding over the same library: the calls that our wrapper does not offer.
  const raw = new pkcs11.PKCS11()
  raw.load(settings.module)
  return { session, raw, handle: raw.C_OpenSession(token.slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION) }
}

function rawCode(act: () => unknown): string | number {
  try {
    act()
    return 'OK'
  } catch (error) {
    const { code, message } = error as { code?: number; message: string }
    return code ?? Number(/:(\d+)/.exec(message)?.[1])
  }
}

/** Every way to get a key out, or to make that possible later. */
function extract(): unknown {
  const { session, raw, handle } = loggedIn()
  const kek = findKek(session, settings.kekLabel).handle
  const [identity, checkpoint] = USES.map((use) => findSigningKey(session, use)!.privateKey)
  const wrapper = raw.C_GenerateKey(handle, { mechanism: 0x1080 }, [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_TOKEN, value: false },
    { type: pkcs11.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11.CKA_WRAP, value: true },
  ])
  const wrapWith = (key: Buffer, target: Buffer) =>
    rawCode(() => raw.C_WrapKey(handle, { mechanism: 0x2109 }, key, target, Buffer.alloc(512)))
  const weaker = [{ type: pkcs11.CKA_EXTRACTABLE, value: true }]
  return Object.fromEntries(
    Object.entries({ kek, identity, checkpoint } as Record<string, Buffer>).map(([name, key]) => [
      name,
      {
        value: rawCode(() => raw.C_GetAttributeValue(handle, key, [{ type: pkcs11.CKA_VALUE }])),
        wrap: wrapWith(wrapper, key),
        wrapByKek: wrapWith(kek, key),
        copy: rawCode(() => raw.C_CopyObject(handle, key, weaker)),
        weaken: rawCode(() => raw.C_SetAttributeValue(handle, key, weaker)),
      },
    ]),
  )
}

function destroyKek(): unknown {
  const { session } = loggedIn()
  session.destroyObject(findKek(session, settings.kekLabel).handle)
  return null
}

function countObjects(): unknown {
  const { session } = loggedIn()
  const templates = [
    kekTemplate(settings.kekLabel),
    ...USES.flatMap((use) => [signingTemplate(use, 'private'), signingTemplate(use, 'public')]),
  ]
  return templates.map((t) => session.find(t).length)
}

function countingLogins(act: (connection: TokenConnection) => unknown): unknown {
  const login = Session.prototype.login
  let logins = 0
  Session.prototype.login = function (...args) {
    logins++
    login.apply(this, args)
  }
  const result = act(new TokenConnection(cryptoki, settings, PinHolder.of(readPin(settings.pin))))
  return { result, logins }
}

const use = (connection: TokenConnection) => codeOf(() => connection.run((c) => connection.roundTrip(c)))

function failingProvision(): unknown {
  const foreign = kekTemplate('a key of somebody else', '0f')
  const { session } = loggedIn()
  session.generateKey(0x1080, [...foreign, { type: pkcs11.CKA_VALUE_LEN, value: 32 }])
  cryptoki.finalise()
  const generate = Session.prototype.generateKeyPair
  let made = 0
  // Every pair but the first fails, so that there is a first one to take away again.
  Session.prototype.generateKeyPair = function (...args) {
    if (++made >= 2) throw new CryptokiError('C_GenerateKeyPair', 0x30)
    return generate.apply(this, args)
  }
  const body = { soPin: undefined, identity: 'any', checkpoint: 'any', kek: 'generate' } as const
  const code = codeOf(() => provisionToken(cryptoki, settings, readPin(settings.pin), body))
  return { code, objects: countObjects(), foreign: loggedIn().session.find(foreign).length }
}

function emptyIv(): unknown {
  return codeOf(() => gcmMechanism(0x1087, Buffer.alloc(0), Buffer.alloc(1)))
}

/** Begins a decryption and fails before its end, which leaves the operation active on that session; then works as usual. */
function interruptedOperation(connection: TokenConnection): unknown {
  const interrupted = codeOf(() =>
    connection.run((c) => c.work.decrypt(GCM, connection.trial(c).keys.encrypt!, undefined as unknown as Uint8Array)),
  )
  return [interrupted, use(connection)]
}

/** What a failed opening means when the token fails everything, and when it fails only this. */
function generalError(connection: TokenConnection): unknown {
  const decrypt = Session.prototype.decrypt
  const open = () => codeOf(() => connection.run((c) => c.work.decrypt(GCM, connection.trial(c).keys.encrypt!, Buffer.alloc(48)), true))
  const codes = [open()]
  for (const rv of [0x005, 0x006, 0x030, 0x80000001]) {
    Session.prototype.decrypt = () => {
      throw new CryptokiError('C_Decrypt', rv)
    }
    codes.push(open())
  }
  Session.prototype.decrypt = decrypt
  return [...codes, use(connection)]
}

/** A search in a token that vanished after the login. */
function searchWhileAway(connection: TokenConnection): unknown {
  connection.run(({ work }) => work.random(1))
  renameSync(tokens, `${tokens}.away`)
  return use(connection)
}

/** The token's own directory goes and comes back, inside one that stays. */
function useWhileEmpty(connection: TokenConnection): unknown {
  const [own] = readdirSync(tokens) as [string]
  const codes = [use(connection)]
  renameSync(join(tokens, own), `${tokens}.away`)
  codes.push(use(connection), use(connection))
  renameSync(`${tokens}.away`, join(tokens, own))
  return [...codes, use(connection)]
}

function extraKek(extractable: boolean, label = settings.kekLabel): unknown {
  const { session } = loggedIn()
  session.generateKey(0x1080, [
    ...kekTemplate(label, '07'),
    { type: pkcs11.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11.CKA_EXTRACTABLE, value: extractable },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    { type: pkcs11.CKA_ENCRYPT, value: true },
    { type: pkcs11.CKA_DECRYPT, value: true },
  ])
  return null
}

/** One more HMAC key for the KEK; with `instead`, in the place of the one that is there. */
function extraMac({ extractable, instead }: { extractable: boolean; instead: boolean }): unknown {
  const { session } = loggedIn()
  const { id } = findKek(session, settings.kekLabel)
  if (instead) session.destroyObject(findMac(session, settings.kekLabel, id)!)
  session.generateKey(0x350, [
    ...macTemplate(settings.kekLabel, id),
    { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_GENERIC_SECRET },
    { type: pkcs11.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11.CKA_EXTRACTABLE, value: extractable },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    { type: pkcs11.CKA_SIGN, value: true },
  ])
  return null
}

/** The error of a call whose errors the binding does not dress up. */
function uncodedError(): unknown {
  const { raw } = loggedIn()
  try {
    raw.C_FindObjects(Buffer.alloc(8, 0x7f), 5)
  } catch (error) {
    return { code: typeof (error as { code?: unknown }).code, rv: rvOf(error) }
  }
  return null
}

/** Labels of all secret keys on the token. */
function secretKeys(): unknown {
  const { session } = loggedIn()
  const all = session.findAll([{ type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY }], 64) ?? []
  return all.map((key) => session.attribute(key, pkcs11.CKA_LABEL).toString('utf8')).sort()
}

function rawLabel(): unknown {
  const { raw } = loggedIn()
  return raw.C_GetSlotList(true).map((slot) => raw.C_GetTokenInfo(slot).label)
}

const EXPERIMENTS: Readonly<Record<string, () => unknown>> = {
  extract,
  'destroy-kek': destroyKek,
  'count-objects': countObjects,
  'use-five-times': () => countingLogins((c) => [1, 2, 3, 4, 5].map(() => use(c))),
  'use-while-away': () =>
    countingLogins((c) => {
      const codes = [use(c)]
      renameSync(tokens, `${tokens}.away`)
      codes.push(use(c), use(c))
      renameSync(`${tokens}.away`, tokens)
      return [...codes, use(c), use(c)]
    }),
  'use-while-empty': () => countingLogins(useWhileEmpty),
  'search-while-away': () => countingLogins(searchWhileAway),
  'general-error': () => countingLogins(generalError),
  'extra-kek': () => extraKek(false),
  'extractable-kek': () => extraKek(true),
  'extractable-next-kek': () => extraKek(true, kekLabelOf(settings.kekLabel, 2)),
  'next-kek': () => extraKek(false, kekLabelOf(settings.kekLabel, 2)),
  'extractable-mac': () => extraMac({ extractable: true, instead: true }),
  'extra-mac': () => extraMac({ extractable: false, instead: false }),
  'uncoded-error': uncodedError,
  'raw-label': rawLabel,
  'secret-keys': secretKeys,
  'failing-provision': failingProvision,
  'empty-iv': emptyIv,
  'interrupted-operation': () => countingLogins(interruptedOperation),
}

process.stdout.write(JSON.stringify(EXPERIMENTS[experiment]!()))
