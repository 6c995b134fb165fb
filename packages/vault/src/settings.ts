import { isAbsolute } from 'node:path'
import { ConfigError, type IdentityKey } from '@conclave/core'
import { findProfile, type ProfileName } from './profile.ts'

/**
 * Where the agent gets a PIN from; a reference, never the PIN.
 *
 * `file`: absolute path, readable by its owner only. `credential`: a name in systemd's $CREDENTIALS_DIRECTORY. `prompt`: a person, on
 * the terminal of the process or through `pinSocket`; until then the HSM waits (PIN_NEEDED). `env`: development only, because /proc
 * shows the environment that a process was started with whatever is deleted later.
 */
export type PinSource = { readonly file: string } | { readonly credential: string } | { readonly prompt: true } | { readonly env: string }

export interface HsmSettings {
  /** 1 to 32 of a-z, 0-9 and '-'. Written into records for people; records find their HSM by token serial. */
  readonly name: string
  /** Absolute path of the PKCS#11 library. */
  readonly module: string
  /** Token label. */
  readonly token: string
  readonly serial?: string | undefined
  readonly pin: PinSource
  /** Where the agent listens for a PIN that is to come from a person: an absolute path of at most 103 bytes, in a private directory. */
  readonly pinSocket?: string | undefined
  /** Environment for this HSM's agent only, e.g. SOFTHSM2_CONF. Never a secret. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** A string that the module takes when it is initialised, where its vendor asks for one (NSS). Never a secret. */
  readonly libraryParameters?: string | undefined
  /** How data keys are wrapped. Default: what a probe of the token finds, in the order of docs/hsm.md. */
  readonly profile?: ProfileName | undefined
  /** Which KEK seals; `id` is hex, needed only while a token holds several with one label. */
  readonly kek?: { readonly label?: string | undefined; readonly id?: string | undefined } | undefined
  /** Longest wait for one HSM operation. Default 5,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Longest wait for a new agent to load the module. Default 15,000. */
  readonly startTimeoutMs?: number | undefined
}

export interface Pkcs11VaultSettings {
  /** In order of priority; every record is sealed to all of them. */
  readonly hsms: readonly HsmSettings[]
  /**
   * `hsm` holds the node identity (default: the first). With `key`, the vault also opens while that HSM is down, and refuses an
   * HSM that holds another key.
   */
  readonly identity?: { readonly hsm?: string | undefined; readonly key?: IdentityKey | undefined } | undefined
  /** The keys that may sign checkpoints: those that the cluster lock lists. Default: the ones that the HSMs hold. */
  readonly checkpointKeys?: readonly IdentityKey[] | undefined
}

export const HSMS_MAX = 8
const LABEL_BYTES_MAX = 32
/** The shortest limit of the systems that we run on. */
const SOCKET_PATH_BYTES_MAX = 103
const TIMEOUT_MS_MAX = 600_000
const HSM_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
const SERIAL = /^[\x21-\x7e]{1,16}$/
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const CREDENTIAL = /^(?!\.)[A-Za-z0-9._-]{1,255}$/
const PARAMETERS = /^[\x20-\x7e]{1,512}$/
const KEK_ID = /^([0-9a-f]{2}){1,64}$/

function refuse(name: string, message: string): never {
  throw new ConfigError('BAD_HSM_SETTINGS', `hsm "${name}": ${message}`, { hsm: name })
}

function checkLabel(name: string, what: string, label: string): void {
  const bytes = new TextEncoder().encode(label).length
  if (bytes === 0 || bytes > LABEL_BYTES_MAX || label.trim() !== label)
    refuse(name, `${what} must be 1 to 32 bytes without spaces around it`)
}

/** @throws {ConfigError} BAD_HSM_SETTINGS unless exactly one kind of source is named, and well. */
export function checkPinSource(name: string, source: PinSource): void {
  const entries = Object.entries(source)
  const [kind, value] = entries[0] ?? []
  if (entries.length === 1 && kind === 'prompt' && value === true) return
  if (entries.length !== 1 || typeof value !== 'string') refuse(name, 'a PIN source is one of {file}, {credential}, {prompt: true}, {env}')
  const ok = kind === 'file' ? isAbsolute(value) : kind === 'credential' ? CREDENTIAL.test(value) : kind === 'env' && ENV_NAME.test(value)
  if (!ok) refuse(name, 'a PIN source is an absolute file path, a credential name or the name of a variable')
}

/** @throws {ConfigError} BAD_HSM_SETTINGS naming the HSM and the field. */
export function checkHsmSettings(hsm: HsmSettings): void {
  const { name } = hsm
  if (!HSM_NAME.test(name)) refuse(name, 'a name is 1 to 32 characters of a-z, 0-9 and "-"')
  // A bare name would be searched for in library paths that somebody else may control.
  if (!isAbsolute(hsm.module)) refuse(name, 'module must be an absolute path')
  checkLabel(name, 'the token label', hsm.token)
  if (hsm.serial !== undefined && !SERIAL.test(hsm.serial)) refuse(name, 'a serial is 1 to 16 printable characters')
  checkPinSource(name, hsm.pin)
  if (hsm.pinSocket !== undefined && !(isAbsolute(hsm.pinSocket) && Buffer.byteLength(hsm.pinSocket) <= SOCKET_PATH_BYTES_MAX))
    refuse(name, `the path of the PIN socket must be absolute and at most ${SOCKET_PATH_BYTES_MAX} bytes long`)
  if (hsm.kek?.label !== undefined) checkLabel(name, 'the KEK label', hsm.kek.label)
  if (hsm.kek?.id !== undefined && !KEK_ID.test(hsm.kek.id)) refuse(name, 'a KEK id is lower-case hex')
  if (hsm.profile !== undefined && findProfile(hsm.profile) === undefined) refuse(name, 'unknown profile')
  if (hsm.libraryParameters !== undefined && !PARAMETERS.test(hsm.libraryParameters))
    refuse(name, 'libraryParameters is 1 to 512 printable characters')
  for (const key of Object.keys(hsm.env ?? {})) if (!ENV_NAME.test(key)) refuse(name, 'env holds a name that is not a variable name')
  for (const ms of [hsm.requestTimeoutMs, hsm.startTimeoutMs]) {
    if (ms !== undefined && !(Number.isInteger(ms) && ms > 0 && ms <= TIMEOUT_MS_MAX)) refuse(name, 'timeouts are 1 to 600000 ms')
  }
}

/** @throws {ConfigError} BAD_HSM_SETTINGS */
export function checkVaultSettings(settings: Pkcs11VaultSettings): void {
  const names = settings.hsms.map((h) => h.name)
  if (names.length < 1 || names.length > HSMS_MAX) refuse('*', `a node has 1 to ${HSMS_MAX} HSMs`)
  if (new Set(names).size !== names.length) refuse('*', 'two HSMs share a name')
  settings.hsms.forEach(checkHsmSettings)
  const holder = settings.identity?.hsm
  if (holder !== undefined && !names.includes(holder)) refuse(holder, 'named to hold the identity but not configured')
}
