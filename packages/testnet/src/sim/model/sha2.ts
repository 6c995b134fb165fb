/** Stands in for the SHA-256 of `@noble/hashes/sha2.js` in simulations: the same digests from the native implementation. */
import { createHash, hash } from 'node:crypto'

const LONG_BYTES = 1 << 14

/** Keeps what it absorbs and hashes it in one call: most inputs are short. */
class Sha256 {
  #bytes: Uint8Array
  #length: number

  constructor(bytes: Uint8Array = new Uint8Array(256), length = 0) {
    this.#bytes = bytes
    this.#length = length
  }

  update(part: Uint8Array): this {
    const length = this.#length + part.length
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(part, this.#length)
    this.#length = length
    return this
  }

  clone(): Sha256 {
    return new Sha256(this.#bytes.slice(0, Math.max(256, this.#length + 64)), this.#length)
  }

  digest(): Uint8Array {
    return digestOf(this.#bytes.subarray(0, this.#length))
  }
}

function digestOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= LONG_BYTES) return Uint8Array.from(createHash('sha256').update(bytes).digest())
  // A short text comes out of the native side several times faster than a buffer does.
  const text = hash('sha256', bytes, 'binary')
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = text.charCodeAt(i)
  return out
}

export const sha256 = Object.assign(digestOf, { create: (): Sha256 => new Sha256() })
