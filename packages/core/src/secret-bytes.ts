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
