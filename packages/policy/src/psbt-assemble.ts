import { concat, InvalidArgument } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { DecodedPsbt } from './psbt.ts'
import { parsePsbt } from './psbt.ts'

const SIGHASH_ALL = Uint8Array.of(1)

/** What signatures make of a PSBT. */
export interface SignedPsbt {
  /** With a signature of the key in each input. */
  readonly psbt: Uint8Array
  /** What is broadcast; undefined while other keys have to sign as well. */
  readonly transaction: Uint8Array | undefined
}

function derOf(signature: Uint8Array): Uint8Array {
  try {
    const parsed = secp256k1.Signature.fromBytes(signature, 'compact')
    if (parsed.hasHighS()) throw new RangeError('high s')
    return parsed.toBytes('der')
  } catch (cause) {
    throw new InvalidArgument('BAD_SIGNATURE', 'a signature is r || s, 64 bytes, in range and low-s', {}, cause)
  }
}

/**
 * Puts signatures into a PSBT, and makes the transaction where they are all that it needs.
 *
 * Under which keys they verify the caller has found out before.
 *
 * @param payload - the exact payload that was signed.
 * @param decoded - what `decodePayload` made of it.
 * @param signatures - r || s, 64 bytes, one for each input, in their order.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE; BAD_SIGNATURE.
 */
export function assemblePsbt(payload: Uint8Array, decoded: DecodedPsbt, signatures: readonly Uint8Array[]): SignedPsbt {
  if (signatures.length !== decoded.inputs.length) throw new InvalidArgument('BAD_SIGNATURE', 'one signature for each input')
  const tx = parsePsbt(payload)
  for (const [i, { key }] of decoded.inputs.entries()) {
    const signature = concat(derOf(signatures[i] as Uint8Array), SIGHASH_ALL)
    tx.updateInput(i, { partialSig: [[key.publicKey, signature]] }, true)
  }
  const psbt = tx.toPSBT()
  try {
    tx.finalize()
    return { psbt, transaction: tx.extract() }
  } catch {
    // Of a multisignature others have yet to sign.
    return { psbt, transaction: undefined }
  }
}
