import { inspect } from 'node:util'
import { ConclaveError } from './errors.ts'

/**
 * Bytes that are wiped on dispose and never print themselves.
 *
 * Owns its buffer: the constructor takes it over, so the caller must not keep another reference. In JavaScript wiping is best
 * effort (the engine may have moved the buffer); SECURITY.md says so.
 */
export class SecretBytes implements Disposable {
  #bytes: Uint8Array | undefined

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The live buffer. @throws {ConclaveError} SECRET_WIPED after dispose. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new ConclaveError('SECRET_WIPED', 'this secret was already wiped')
    return this.#bytes
  }

  [Symbol.dispose](): void {
    this.#bytes?.fill(0)
    this.#bytes = undefined
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Wipes every buffer that was handed to it, on dispose: return, throw and abort alike. */
export class SecretScope implements Disposable {
  readonly #buffers: Uint8Array[] = []

  /** Takes over `buffer` and gives it back. */
  own<T extends Uint8Array>(buffer: T): T {
    this.#buffers.push(buffer)
    return buffer
  }

  [Symbol.dispose](): void {
    for (const b of this.#buffers) b.fill(0)
    this.#buffers.length = 0
  }
}

/** Zeroes `bytes`; a buffer that was transferred to another thread is empty here and left alone. */
export function wipe(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && !bytes.buffer.detached) bytes.fill(0)
}
