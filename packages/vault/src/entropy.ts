import { createHash, createSecretKey, hkdfSync } from 'node:crypto'
import { concat, utf8 } from '@conclave/core'
import { vaultError } from './vault-error.ts'

/** From each of the two sources, whatever length is asked for. */
export const ENTROPY_BYTES = 64

/**
 * HKDF-SHA256 over both: who knows one of them and not the other knows nothing of the result.
 *
 * @param fromHsm, fromSystem - {@link ENTROPY_BYTES} each, both wiped.
 */
export function mixEntropy(fromHsm: Uint8Array, fromSystem: Uint8Array, length: number): Uint8Array {
  const ikm = concat(fromHsm, fromSystem)
  const out = new Uint8Array(hkdfSync('sha256', createSecretKey(ikm), new Uint8Array(0), utf8('conclave-random-v1'), length))
  for (const secret of [fromHsm, fromSystem, ikm]) secret.fill(0)
  return out
}

/** Sixteen bytes come twice by chance once in 2^128 pairs; from a generator that is stuck they do so at once. */
const CHUNK_BYTES = 16
const digestOf = (chunk: Uint8Array) => createHash('sha256').update(chunk).digest('base64')
const ZERO = digestOf(new Uint8Array(CHUNK_BYTES))

/** Watches what the generator of one HSM gives. It finds generators that are broken, not ones that lie. */
export class EntropyCheck {
  /** Hashes of the chunks of the last answer: what became of it is secret. */
  #last: ReadonlySet<string> = new Set()

  /**
   * The same bytes.
   *
   * @throws {VaultError} BAD_RANDOM when they are too few or too many, or sixteen of them are zeros or have come before, in this answer or
   * in the last one.
   */
  accept(bytes: Uint8Array, length: number, hsm: string): Uint8Array {
    const chunks = Array.from({ length: Math.floor(bytes.length / CHUNK_BYTES) }, (_, i) =>
      digestOf(bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)),
    )
    const seen = new Set(chunks)
    const repeats = seen.size < chunks.length || seen.has(ZERO) || chunks.some((chunk) => this.#last.has(chunk))
    if (repeats || bytes.length !== length) {
      bytes.fill(0)
      throw vaultError('BAD_RANDOM', `hsm "${hsm}": its random bytes are not random`, { details: { hsm } })
    }
    this.#last = seen
    return bytes
  }
}
