import { existsSync } from 'node:fs'
import pkcs11, { type Handle, type Mechanism, type Template } from 'pkcs11js'
import { AgentFault } from './fault.ts'
import { CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_USER_ALREADY_LOGGED_IN } from './return-values.ts'

// The only file that touches the binding. Synchronous calls only: this process has nothing else to do, the callback API loses
// its input buffers to the garbage collector, and with no call ever in flight behind our back C_Finalize cannot crash.

/** A PKCS#11 call that returned something other than CKR_OK. */
export class CryptokiError extends Error {
  readonly rv: number

  constructor(call: string, rv: number) {
    super(`${call} returned CKR 0x${rv.toString(16)}`)
    this.rv = rv
  }
}

export interface Token {
  readonly slot: Handle
  readonly label: string
  readonly serial: string
  readonly initialised: boolean
  /** Whether the user PIN was ever set. */
  readonly hasPin: boolean
  /** A wrong PIN was given since the last login. */
  readonly countLow: boolean
  readonly finalTry: boolean
  readonly locked: boolean
  /** Bytes. */
  readonly pinMin: number
  readonly pinMax: number
}

const CKF_USER_PIN_INITIALIZED = 0x8
const CKF_USER_PIN_COUNT_LOW = 0x10000
const CKF_USER_PIN_FINAL_TRY = 0x20000
const CKF_USER_PIN_LOCKED = 0x40000
const CKF_TOKEN_INITIALIZED = 0x400
const CKF_RW_SESSION = 0x2
const CKF_SERIAL_SESSION = 0x4
/** Without it concurrent calls abort the process; some modules start threads of their own. */
const CKF_OS_LOCKING_OK = 0x2
const CKU_SO = 0
const CKU_USER = 1
const LABEL_BYTES = 32
/** More matches than we could ever want: enough to tell "one" from "several". */
const FOUND_MAX = 8
const FOUND_AT_ONCE = 64
const OUTPUT_BYTES_MAX = 1024

/** Not all calls of the binding throw its own error class, and those that do not put the number into the message only. */
export function rvOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as Error & { code?: unknown }
  if (typeof code === 'number' && code !== 0) return code
  const inMessage = /\bCKR_\w+:(\d+)/.exec(error.message)
  return inMessage === null ? undefined : Number(inMessage[1])
}

function call<T>(name: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const rv = rvOf(error)
    // Not a return value: a bug of ours or of the binding, which must not pass for a fault of the HSM.
    if (rv === undefined) throw new AgentFault('UNSUPPORTED', `${name} failed in the binding`, { call: name })
    throw new CryptokiError(name, rv)
  }
}

/** Memory of `bytes`, not a copy. */
export function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function unpadded(text: string): string {
  return text.replace(/[\0 ]+$/, '')
}

export class Cryptoki {
  readonly #module: pkcs11.PKCS11

  /** @throws {AgentFault} MODULE_MISSING */
  constructor(path: string) {
    if (!existsSync(path)) throw new AgentFault('MODULE_MISSING', `the PKCS#11 module ${path} does not exist`, { path })
    this.#module = new pkcs11.PKCS11()
    try {
      this.#module.load(path)
    } catch {
      throw new AgentFault('MODULE_MISSING', `${path} is not a PKCS#11 module that this machine can load`, { path })
    }
  }

  /**
   * In this process nobody else initialises the module, so that it was done already is success.
   *
   * @param libraryParameters - a string of the vendor's; NSS wants one.
   */
  initialise(libraryParameters?: string): void {
    // The binding drops the last character of the string.
    const options = libraryParameters === undefined ? {} : { libraryParameters: `${libraryParameters} ` }
    try {
      call('C_Initialize', () => this.#module.C_Initialize({ flags: CKF_OS_LOCKING_OK, ...options }))
    } catch (error) {
      if (!(error instanceof CryptokiError && error.rv === CKR_CRYPTOKI_ALREADY_INITIALIZED)) throw error
    }
  }

  finalise(): void {
    try {
      call('C_Finalize', () => this.#module.C_Finalize())
    } catch (error) {
      // A dead token is a reason to finalise, so that it fails is no news; the next initialise tells.
      if (!(error instanceof CryptokiError)) throw error
    }
  }

  /** What the module says of itself. */
  info(): { readonly description: string; readonly version: { readonly major: number; readonly minor: number } } {
    const { libraryDescription, manufacturerID, libraryVersion } = call('C_GetInfo', () => this.#module.C_GetInfo())
    const description = `${unpadded(manufacturerID)} ${unpadded(libraryDescription)}`.trim()
    return { description, version: { major: libraryVersion.major, minor: libraryVersion.minor } }
  }

  token(slot: Handle): Token {
    const info = call('C_GetTokenInfo', () => this.#module.C_GetTokenInfo(slot))
    return {
      slot,
      label: unpadded(info.label),
      serial: unpadded(info.serialNumber),
      initialised: (info.flags & CKF_TOKEN_INITIALIZED) !== 0,
      hasPin: (info.flags & CKF_USER_PIN_INITIALIZED) !== 0,
      countLow: (info.flags & CKF_USER_PIN_COUNT_LOW) !== 0,
      finalTry: (info.flags & CKF_USER_PIN_FINAL_TRY) !== 0,
      locked: (info.flags & CKF_USER_PIN_LOCKED) !== 0,
      pinMin: info.minPinLen,
      pinMax: info.maxPinLen,
    }
  }

  tokens(): readonly Token[] {
    return call('C_GetSlotList', () => this.#module.C_GetSlotList(true)).map((slot) => this.token(slot))
  }

  mechanisms(slot: Handle): readonly number[] {
    return call('C_GetMechanismList', () => this.#module.C_GetMechanismList(slot))
  }

  initToken(slot: Handle, soPin: Buffer, label: string): void {
    // The call reads 32 bytes whatever it is given.
    const padded = label + ' '.repeat(LABEL_BYTES - Buffer.byteLength(label))
    call('C_InitToken', () => this.#module.C_InitToken(slot, soPin.toString('utf8'), padded))
  }

  openSession(slot: Handle, mode: 'read' | 'write'): Session {
    const flags = CKF_SERIAL_SESSION | (mode === 'write' ? CKF_RW_SESSION : 0)
    return new Session(
      this.#module,
      call('C_OpenSession', () => this.#module.C_OpenSession(slot, flags)),
    )
  }
}

/** One session: one operation at a time, and closed after any error, because an interrupted operation stays active for ever. */
export class Session {
  readonly #module: pkcs11.PKCS11
  readonly #handle: Handle
  /** Some modules use the memory of a parameter after the call that brought it; here nothing collects it before the next. */
  held: Mechanism | undefined

  constructor(module: pkcs11.PKCS11, handle: Handle) {
    this.#module = module
    this.#handle = handle
  }

  login(who: 'user' | 'so', pin: Buffer): void {
    try {
      // The binding takes strings only, and a string cannot be wiped; it dies with this process.
      call('C_Login', () => this.#module.C_Login(this.#handle, who === 'so' ? CKU_SO : CKU_USER, pin.toString('utf8')))
    } catch (error) {
      if (!(error instanceof CryptokiError && error.rv === CKR_USER_ALREADY_LOGGED_IN)) throw error
    }
  }

  logout(): void {
    call('C_Logout', () => this.#module.C_Logout(this.#handle))
  }

  initPin(pin: Buffer): void {
    call('C_InitPIN', () => this.#module.C_InitPIN(this.#handle, pin.toString('utf8')))
  }

  /** At most 8 objects. */
  find(template: Template): readonly Handle[] {
    call('C_FindObjectsInit', () => this.#module.C_FindObjectsInit(this.#handle, template))
    const found = call('C_FindObjects', () => this.#module.C_FindObjects(this.#handle, FOUND_MAX))
    call('C_FindObjectsFinal', () => this.#module.C_FindObjectsFinal(this.#handle))
    return found
  }

  /** All objects; undefined when there are more than `max`. */
  findAll(template: Template, max: number): readonly Handle[] | undefined {
    const found: Handle[] = []
    call('C_FindObjectsInit', () => this.#module.C_FindObjectsInit(this.#handle, template))
    for (let next: readonly Handle[] = [], first = true; found.length <= max && (first || next.length > 0); first = false) {
      next = call('C_FindObjects', () => this.#module.C_FindObjects(this.#handle, FOUND_AT_ONCE))
      found.push(...next)
    }
    call('C_FindObjectsFinal', () => this.#module.C_FindObjectsFinal(this.#handle))
    return found.length > max ? undefined : found
  }

  attribute(object: Handle, type: number): Buffer {
    const [result] = call('C_GetAttributeValue', () => this.#module.C_GetAttributeValue(this.#handle, object, [{ type }]))
    if (result === undefined) throw new AgentFault('UNSUPPORTED', `the token gave no attribute 0x${type.toString(16)}`)
    return result.value
  }

  generateKey(mechanism: number, template: Template): Handle {
    return call('C_GenerateKey', () => this.#module.C_GenerateKey(this.#handle, { mechanism }, template))
  }

  generateKeyPair(mechanism: number, publicTemplate: Template, privateTemplate: Template): pkcs11.KeyPair {
    return call('C_GenerateKeyPair', () => this.#module.C_GenerateKeyPair(this.#handle, { mechanism }, publicTemplate, privateTemplate))
  }

  /** A session object: it lives no longer than this session. */
  createObject(template: Template): Handle {
    return call('C_CreateObject', () => this.#module.C_CreateObject(this.#handle, template))
  }

  copyObject(object: Handle, changes: Template): Handle {
    return call('C_CopyObject', () => this.#module.C_CopyObject(this.#handle, object, changes))
  }

  setAttributes(object: Handle, changes: Template): void {
    call('C_SetAttributeValue', () => this.#module.C_SetAttributeValue(this.#handle, object, changes))
  }

  wrapKey(mechanism: Mechanism, wrapper: Handle, key: Handle): Uint8Array {
    return this.#output((out) => call('C_WrapKey', () => this.#module.C_WrapKey(this.#handle, mechanism, wrapper, key, out)))
  }

  unwrapKey(mechanism: Mechanism, wrapper: Handle, wrapped: Uint8Array, template: Template): Handle {
    return call('C_UnwrapKey', () => this.#module.C_UnwrapKey(this.#handle, mechanism, wrapper, buffer(wrapped), template))
  }

  /** Exactly this object. Never `session.destroy()` of graphene, which without an argument deletes every object of the token. */
  destroyObject(object: Handle): void {
    call('C_DestroyObject', () => this.#module.C_DestroyObject(this.#handle, object))
  }

  encrypt(mechanism: Mechanism, key: Handle, clear: Uint8Array): Uint8Array {
    this.held = mechanism
    call('C_EncryptInit', () => this.#module.C_EncryptInit(this.#handle, mechanism, key))
    return this.#output((out) => call('C_Encrypt', () => this.#module.C_Encrypt(this.#handle, buffer(clear), out)))
  }

  decrypt(mechanism: Mechanism, key: Handle, cipher: Uint8Array): Uint8Array {
    this.held = mechanism
    call('C_DecryptInit', () => this.#module.C_DecryptInit(this.#handle, mechanism, key))
    return this.#output((out) => call('C_Decrypt', () => this.#module.C_Decrypt(this.#handle, buffer(cipher), out)))
  }

  sign(mechanism: number, key: Handle, message: Uint8Array): Uint8Array {
    call('C_SignInit', () => this.#module.C_SignInit(this.#handle, { mechanism }, key))
    return this.#output((out) => call('C_Sign', () => this.#module.C_Sign(this.#handle, buffer(message), out)))
  }

  random(length: number): Uint8Array {
    const out = Buffer.alloc(length)
    call('C_GenerateRandom', () => this.#module.C_GenerateRandom(this.#handle, out))
    return new Uint8Array(out)
  }

  close(): void {
    this.held = undefined
    try {
      call('C_CloseSession', () => this.#module.C_CloseSession(this.#handle))
    } catch (error) {
      // Closing is how a broken session is got rid of; it may well be gone already.
      if (!(error instanceof CryptokiError)) throw error
    }
  }

  #output(produce: (out: Buffer) => Buffer): Uint8Array {
    const out = Buffer.alloc(OUTPUT_BYTES_MAX)
    try {
      return new Uint8Array(produce(out))
    } finally {
      out.fill(0)
    }
  }
}
