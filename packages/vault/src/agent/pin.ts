import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { PinSource } from '../settings.ts'
import { AgentFault } from './fault.ts'

export const PIN_BYTES_MAX = 256
const GROUP_OR_OTHERS = 0o077
const OTHERS = 0o007

/** The PIN of an agent, once it is there. */
export class PinHolder {
  readonly #arrival = Promise.withResolvers<void>()
  #pin: Buffer | undefined

  /** One that was read from where the settings say. */
  static of(pin: Buffer): PinHolder {
    const holder = new PinHolder()
    holder.#pin = pin
    holder.#arrival.resolve()
    return holder
  }

  /** Resolves when there is one. */
  get arrived(): Promise<void> {
    return this.#arrival.promise
  }

  get isThere(): boolean {
    return this.#pin !== undefined
  }

  /** Takes over the bytes, without one line break at their end. @throws {AgentFault} PIN_SOURCE on a length that no PIN has. */
  put(bytes: Buffer, from: string): void {
    this.#pin = checked(bytes, from)
    this.#arrival.resolve()
  }

  /** @throws {AgentFault} PIN_NEEDED before it is there. */
  get pin(): Buffer {
    this.require()
    return this.#pin as Buffer
  }

  /** @throws {AgentFault} PIN_NEEDED before it is there. */
  require(): void {
    if (this.#pin === undefined) throw new AgentFault('PIN_NEEDED', 'waits for its PIN: run "conclave hsm unlock"')
  }

  wipe(): void {
    this.#pin?.fill(0)
  }
}

/**
 * Reads a PIN from its source, without one trailing line break.
 *
 * @throws {AgentFault} PIN_NEEDED when it is a person; PIN_SOURCE when the source is missing, empty, too long or readable by others. Never names the content.
 */
export function readPin(source: PinSource): Buffer {
  if ('prompt' in source) throw new AgentFault('PIN_NEEDED', 'nobody is asked for this PIN here')
  if ('env' in source) return fromEnvironment(source.env)
  if ('file' in source) return fromFile(source.file, GROUP_OR_OTHERS)
  const directory = process.env.CREDENTIALS_DIRECTORY
  if (directory === undefined)
    throw new AgentFault('PIN_SOURCE', 'CREDENTIALS_DIRECTORY is not set: not started by systemd with this credential')
  // systemd grants its service user access with an ACL, whose mask shows up in the group bits.
  return fromFile(join(directory, source.credential), OTHERS)
}

function fromEnvironment(name: string): Buffer {
  const value = process.env[name]
  delete process.env[name]
  if (value === undefined || value === '') throw new AgentFault('PIN_SOURCE', `the PIN variable ${name} is not set`)
  return checked(Buffer.from(value, 'utf8'), name)
}

function fromFile(path: string, forbiddenBits: number): Buffer {
  let fd: number
  try {
    // Without O_NONBLOCK a named pipe would hold the agent here for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw new AgentFault('PIN_SOURCE', `the PIN file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      path,
    })
  }
  const bytes = Buffer.alloc(PIN_BYTES_MAX + 2)
  try {
    // On the open file, so that nobody can swap it between the check and the read.
    const { mode, uid } = fstatSync(fd)
    if ((mode & 0o170000) !== 0o100000) throw new AgentFault('PIN_SOURCE', `the PIN file ${path} is not a regular file`, { path })
    if ((mode & forbiddenBits) !== 0)
      throw new AgentFault('PIN_SOURCE', `the PIN file ${path} can be read by others: make it mode 0400`, { path })
    if (uid !== 0 && uid !== process.getuid?.())
      throw new AgentFault('PIN_SOURCE', `the PIN file ${path} belongs to another user`, { path })
    return checked(Buffer.from(bytes.subarray(0, readSync(fd, bytes))), path)
  } finally {
    bytes.fill(0)
    closeSync(fd)
  }
}

function checked(bytes: Buffer, from: string): Buffer {
  const cr = bytes.at(-2) === 0x0d
  const pin = bytes.at(-1) === 0x0a ? bytes.subarray(0, bytes.length - (cr ? 2 : 1)) : bytes
  if (pin.length === 0 || pin.length > PIN_BYTES_MAX)
    throw new AgentFault('PIN_SOURCE', `the PIN from ${from} must have 1 to ${PIN_BYTES_MAX} bytes`)
  return pin
}
