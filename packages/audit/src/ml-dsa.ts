import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { ConclaveError, concat, fromHex, ML_DSA_65_KEY_BYTES, utf8, wipe } from '@conclave/core'
import type { NoteSignature } from './note.ts'
import { mlDsaKeyId } from './note-keys.ts'

export const ML_DSA_SEED_BYTES = 32
/** PKCS#8 with the seed alone (RFC 9881). */
const SEED_PKCS8 = fromHex('3034020100300b060960864801650304031204228020')

/** A second signature on every checkpoint, one that a quantum computer does not forge (FIPS 204, ML-DSA-65). */
export class MlDsaSigner {
  readonly publicKey: Uint8Array
  readonly #key: KeyObject

  /** @param seed - 32 bytes, from which the key follows; stays the caller's. */
  constructor(seed: Uint8Array) {
    if (seed.length !== ML_DSA_SEED_BYTES) throw new ConclaveError('ASSERTION', 'an ML-DSA seed has 32 bytes')
    const encoded = concat(SEED_PKCS8, seed)
    try {
      this.#key = createPrivateKey({ key: Buffer.from(encoded.buffer), format: 'der', type: 'pkcs8' })
    } finally {
      wipe(encoded)
    }
    this.publicKey = new Uint8Array(createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).subarray(-ML_DSA_65_KEY_BYTES))
  }

  sign(text: string, name: string): NoteSignature {
    return { name, keyId: mlDsaKeyId(name, this.publicKey), signature: new Uint8Array(sign(null, utf8(text), this.#key)) }
  }
}
