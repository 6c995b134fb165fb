import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import pkcs11, { type Handle } from 'pkcs11js'
import type { Found, HsmInspection, InspectedKey, InspectedPin, InspectedToken } from '../inspection.ts'
import type { PinSource } from '../settings.ts'
import { Attempts } from './attempts.ts'
import { Cryptoki, CryptokiError, type Session, type Token } from './cryptoki.ts'
import { tryExtraction } from './extractability.ts'
import { AgentFault } from './fault.ts'
import { findSigningKey, listKeks, macTemplate, signingTemplate } from './objects.ts'
import { readPin } from './pin.ts'
import { fingerprint, holdsPin, judgePin, samePin } from './pin-quality.ts'
import type { AgentSettings, TokenPoint } from './protocol.ts'
import { faultOf, logIn, selectToken } from './token.ts'

const FILE_BYTES_MAX = 256 * 1024
const PIN_BYTES_MAX = 256
const IS_REGULAR = 0o100000
const FILE_TYPE = 0o170000

/** What the inspecting process answers: the identity as the token gave it. */
export type RawInspection = Omit<HsmInspection, 'identity'> & { readonly identity: Found<TokenPoint> }

/** What the inspecting process is asked, once. */
export interface InspectRequest {
  readonly settings: AgentSettings
  /** Not PINs: names that people make PINs of. */
  readonly names: readonly string[]
  /** Of this inspection, for comparing PINs of several HSMs. */
  readonly salt: Uint8Array
  readonly soPin: PinSource | undefined
  /** Files in which no PIN belongs. */
  readonly files: readonly string[]
  /** False: nothing is logged in to. */
  readonly login: boolean
}

const failed = (code: string, why: string): { readonly ok: false; readonly code: string; readonly why: string } => ({
  ok: false,
  code,
  why,
})
const refused = (error: unknown) => {
  const { code, message } = faultOf(error)
  return failed(code, message)
}

/**
 * Looks at one HSM: module, tokens, the quality of the PIN, and, after at most one login, the keys. It makes session keys only, and
 * leaves the token as it is. A token that counts a wrong PIN already is not logged in to: whoever runs this twice must not lock it.
 */
export function inspectToken(request: InspectRequest): RawInspection {
  const { settings } = request
  const pin = pinOf(request)
  try {
    const shown = pin.ok ? { ok: true as const, value: pin.value.about } : pin
    const nothing = (why: string) => {
      const untried = failed('NOT_TRIED', why)
      return { pin: shown, keys: untried, identity: untried, leaks: untried }
    }
    let cryptoki: Cryptoki
    try {
      cryptoki = new Cryptoki(settings.module)
      cryptoki.initialise(settings.libraryParameters)
    } catch (error) {
      return { module: refused(error), tokens: [], ...nothing('the module does not work') }
    }
    try {
      const tokens = cryptoki.tokens()
      const module = { ok: true as const, value: cryptoki.info() }
      const about = { module, tokens: tokens.map(describe) }
      const why = reasonNotToLogIn(request, tokens, pin)
      return why === undefined && pin.ok
        ? { ...about, pin: shown, ...behindLogin(cryptoki, request, tokens, pin.value.bytes) }
        : { ...about, ...nothing(why ?? '') }
    } catch (error) {
      return { module: refused(error), tokens: [], ...nothing('the module does not list its tokens') }
    } finally {
      cryptoki.finalise()
    }
  } finally {
    if (pin.ok) pin.value.bytes.fill(0)
  }
}

function describe({ label, serial, initialised, hasPin, countLow, finalTry, locked }: Token): InspectedToken {
  return { label, serial, initialised, hasPin, countLow, finalTry, locked }
}

function reasonNotToLogIn(
  { login, settings }: InspectRequest,
  tokens: readonly Token[],
  pin: ReturnType<typeof pinOf>,
): string | undefined {
  if (!login) return 'no login was asked for'
  if (!pin.ok) return pin.why
  if (pin.value.about.refusal !== undefined) return 'the node would not take the PIN from its source'
  return riskOfLogin(tokens, settings)
}

/** Why a wrong PIN would do harm, or which token is meant is not clear; undefined when one login may be tried. */
export function riskOfLogin(tokens: readonly Token[], settings: Pick<AgentSettings, 'token' | 'serial'>): string | undefined {
  try {
    const token = selectToken(tokens, settings.token, settings.serial)
    if (!token.hasPin) return 'the token has no user PIN yet'
    if (token.locked) return 'the PIN is locked'
    if (token.finalTry) return 'one wrong PIN would lock the token'
    return token.countLow ? 'the token counts a wrong PIN already, and another one might lock it' : undefined
  } catch (error) {
    return faultOf(error).message
  }
}

/** The PIN from a source that the agent would refuse, to be judged and not used. Undefined when there is none to read. */
function exposedPin(source: PinSource): Buffer | undefined {
  if (!('file' in source)) return undefined
  const bytes = readStart(source.file, PIN_BYTES_MAX + 2)
  const text = bytes?.toString('utf8').replace(/\r?\n$/, '') ?? ''
  bytes?.fill(0)
  return text === '' ? undefined : Buffer.from(text)
}

/** At most `bytesMax` bytes of a regular file; undefined when it cannot be read or is not one. */
function readStart(path: string, bytesMax: number): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    // Not there or not ours to read: there is nothing to judge.
    return undefined
  }
  try {
    if ((fstatSync(fd).mode & FILE_TYPE) !== IS_REGULAR) return undefined
    const bytes = Buffer.alloc(bytesMax)
    return bytes.subarray(0, readSync(fd, bytes))
  } finally {
    closeSync(fd)
  }
}

/** A source that only the node's own process has, or a person, says nothing about the node. */
function isElsewhere(source: PinSource): boolean {
  if ('prompt' in source) return true
  if ('credential' in source) return process.env.CREDENTIALS_DIRECTORY === undefined
  return 'env' in source && process.env[source.env] === undefined
}

function pinOf(request: InspectRequest): Found<{ readonly bytes: Buffer; readonly about: InspectedPin }> {
  const { pin: source } = request.settings
  if (isElsewhere(source)) return failed('PIN_ELSEWHERE', 'only the running service, or a person, has the PIN')
  try {
    const bytes = readPin(source)
    return { ok: true, value: { bytes, about: aboutPin(request, bytes, undefined) } }
  } catch (error) {
    const { code, message } = faultOf(error)
    const bytes = exposedPin(source)
    if (bytes === undefined) return failed(code, message)
    return { ok: true, value: { bytes, about: aboutPin(request, bytes, message) } }
  }
}

function aboutPin({ names, salt, soPin, files }: InspectRequest, pin: Buffer, refusal: string | undefined): InspectedPin {
  const officers = soPin === undefined ? undefined : exposedPin(soPin)
  const isSoPin = officers === undefined ? undefined : samePin(pin, officers)
  officers?.fill(0)
  const heldBy = files.filter((file) => {
    const text = readStart(file, FILE_BYTES_MAX)
    const holds = text !== undefined && holdsPin(text, pin)
    text?.fill(0)
    return holds
  })
  return { ...judgePin(pin, names), isSoPin, fingerprint: fingerprint(pin, salt), heldBy, refusal }
}

function behindLogin(
  cryptoki: Cryptoki,
  { settings }: InspectRequest,
  tokens: readonly Token[],
  pin: Buffer,
): Pick<RawInspection, 'keys' | 'identity' | 'leaks'> {
  try {
    const token = selectToken(tokens, settings.token, settings.serial)
    const anchor = cryptoki.openSession(token.slot, 'read')
    logIn(anchor, token, pin)
    try {
      return { keys: { ok: true, value: keysOf(anchor, settings) }, identity: identityOf(anchor), leaks: leaksOf(cryptoki, token) }
    } finally {
      anchor.logout()
      anchor.close()
    }
  } catch (error) {
    const why = refused(error)
    return { keys: why, identity: why, leaks: why }
  }
}

function identityOf(session: Session): Found<TokenPoint> {
  try {
    const found = findSigningKey(session, 'identity')
    return found === undefined
      ? failed('KEY_MISSING', 'the token holds no identity key')
      : { ok: true, value: { type: found.type, point: found.point } }
  } catch (error) {
    return refused(error)
  }
}

function leaksOf(cryptoki: Cryptoki, token: Token): HsmInspection['leaks'] {
  const keeper = cryptoki.openSession(token.slot, 'read')
  try {
    const { extractability, leaks } = tryExtraction(new Attempts(cryptoki, token), keeper, cryptoki.mechanisms(token.slot))
    return extractability === 'not-testable' ? failed('NOT_TESTABLE', 'the token makes no key to try it with') : { ok: true, value: leaks }
  } catch (error) {
    return refused(error)
  } finally {
    keeper.close()
  }
}

function keysOf(session: Session, { kekLabel }: AgentSettings): readonly InspectedKey[] {
  const keks = listKeks(session, kekLabel)
  const all = keks.map(({ handle, generation }) => inspect(session, 'kek', handle, generation))
  const macs = keks.flatMap(({ id, label, generation }) =>
    session.find(macTemplate(label, id)).map((mac) => inspect(session, 'mac', mac, generation)),
  )
  const signing = (['identity', 'checkpoint'] as const).flatMap((use) =>
    session.find(signingTemplate(use, 'private')).map((key) => inspect(session, use, key, null)),
  )
  return [...all, ...macs, ...signing]
}

const USES: readonly (readonly [string, number])[] = [
  ['encrypt', pkcs11.CKA_ENCRYPT],
  ['decrypt', pkcs11.CKA_DECRYPT],
  ['wrap', pkcs11.CKA_WRAP],
  ['unwrap', pkcs11.CKA_UNWRAP],
  ['sign', pkcs11.CKA_SIGN],
  ['derive', pkcs11.CKA_DERIVE],
]

function inspect(session: Session, kind: InspectedKey['kind'], key: Handle, generation: number | null): InspectedKey {
  return {
    kind,
    generation,
    id: attribute(session, key, pkcs11.CKA_ID)?.toString('hex') ?? '',
    extractable: flag(session, key, pkcs11.CKA_EXTRACTABLE),
    sensitive: flag(session, key, pkcs11.CKA_SENSITIVE),
    neverExtractable: flag(session, key, pkcs11.CKA_NEVER_EXTRACTABLE),
    local: flag(session, key, pkcs11.CKA_LOCAL),
    copyable: flag(session, key, pkcs11.CKA_COPYABLE),
    wrapWithTrusted: flag(session, key, pkcs11.CKA_WRAP_WITH_TRUSTED),
    uses: USES.filter(([, type]) => flag(session, key, type) === true).map(([name]) => name),
  }
}

const flag = (session: Session, key: Handle, type: number): boolean | null => {
  const value = attribute(session, key, type)
  return value === undefined || value.length === 0 ? null : value[0] !== 0
}

function attribute(session: Session, key: Handle, type: number): Buffer | undefined {
  try {
    return session.attribute(key, type)
  } catch (error) {
    // A token need not have every attribute.
    if (error instanceof CryptokiError || error instanceof AgentFault) return undefined
    throw error
  }
}
