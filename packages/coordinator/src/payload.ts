import { codeOf, type DerivationPath, type ExtendedKey, formatPath, fromHex, messageOf, toHex } from '@conclave/core'
import {
  assembleEvmTransaction,
  assemblePsbt,
  type DecodeContext,
  decodePayload,
  digestsAt,
  PAYLOAD_TYPES,
  type StatementDigest,
  type SummaryLine,
} from '@conclave/policy'
import { PAYLOAD_BYTES_MAX, type SignedItem } from '@conclave/wire'
import { addressOf } from './child-keys.ts'
import { ApiError, isProblemCode } from './problem.ts'

export { PAYLOAD_TYPES }

/** What the API is asked to sign. */
export interface PayloadText {
  readonly type: string
  /** 0x and hexadecimal. */
  readonly bytes: string
}

export interface ReadPayload {
  /** Each with the path of the child that signs it. */
  readonly digests: readonly StatementDigest[]
  readonly summary: readonly SummaryLine[]
}

/** What the nodes take of one request. @throws {ApiError} PAYLOAD_TOO_LARGE. */
export function checkPayloadsLength(payloads: readonly PayloadText[]): void {
  // 0x and two characters a byte; what is not so is refused when it is read.
  const bytes = payloads.reduce((sum, { bytes }) => sum + Math.max(0, bytes.length - 2) / 2, 0)
  if (bytes > PAYLOAD_BYTES_MAX) throw new ApiError('PAYLOAD_TOO_LARGE', `payload.bytes: at most ${PAYLOAD_BYTES_MAX} bytes in a request`)
}

/** @throws {ApiError} BAD_HEX. */
export function payloadBytes(text: string): Uint8Array {
  if (!text.startsWith('0x') || text.length === 2) throw new ApiError('BAD_HEX', 'payload.bytes: must be 0x and hexadecimal')
  try {
    return fromHex(text.slice(2))
  } catch (cause) {
    throw new ApiError('BAD_HEX', 'payload.bytes: must be 0x and hexadecimal', { cause })
  }
}

/**
 * Decodes what is to be signed. The nodes decode for themselves: this is what the caller is shown, and the digests that this
 * coordinator will accept signatures for.
 *
 * @param path - the child that is asked for.
 * @param context - with the root key.
 * @throws {ApiError} UNKNOWN_PAYLOAD_TYPE; PAYLOAD_UNDECODABLE; BAD_PATH; BAD_HEX.
 */
export function readPayload({ type, bytes }: PayloadText, path: DerivationPath, context: DecodeContext): ReadPayload {
  const raw = payloadBytes(bytes)
  try {
    const payload = decodePayload(type, raw, context)
    return { digests: digestsAt(payload, path), summary: payload.summary }
  } catch (cause) {
    const code = codeOf(cause)
    if (!isProblemCode(code)) throw cause
    throw new ApiError(code, messageOf(cause), { cause })
  }
}

/** Whose money it is: what a person reads above the summary of a payload that does not say it. */
export function summarizeSigner(type: string, path: DerivationPath, publicKey: Uint8Array): readonly SummaryLine[] {
  if (type === 'btc.psbt') return []
  return [
    { label: 'From', value: addressOf(toHex(publicKey)) },
    { label: 'Derivation path', value: formatPath(path) },
  ]
}

/** What a payload becomes, 0x hex: null where it becomes nothing of the kind. */
export interface Assembled {
  readonly signedTransaction: string | null
  readonly signedPsbt: string | null
}

/**
 * The payload with signatures that have been verified.
 *
 * @param key - the root key.
 * @throws {InvalidArgument} BAD_SIGNATURE when the chain cannot express them.
 */
export function assemblePayload({ type, bytes }: PayloadText, signed: readonly SignedItem[], key: ExtendedKey): Assembled {
  const raw = payloadBytes(bytes)
  const hex = (made: Uint8Array | undefined) => (made === undefined ? null : `0x${toHex(made)}`)
  const [first] = signed
  if (type === 'evm.tx' && first !== undefined)
    return { signedTransaction: hex(assembleEvmTransaction(raw, first.signature, first.recovery)), signedPsbt: null }
  if (type !== 'btc.psbt') return { signedTransaction: null, signedPsbt: null }
  const signatures = signed.map(({ signature }) => signature)
  const { psbt, transaction } = assemblePsbt(raw, decodePayload(type, raw, { key }), signatures)
  return { signedTransaction: hex(transaction), signedPsbt: hex(psbt) }
}
