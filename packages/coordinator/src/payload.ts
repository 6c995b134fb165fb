import { codeOf, type DerivationPath, formatPath, fromHex, messageOf, toHex } from '@conclave/core'
import { assembleEvmTransaction, decodePayload, PAYLOAD_TYPES, type SummaryLine } from '@conclave/policy'
import { PAYLOAD_BYTES_MAX } from '@conclave/wire'
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
  /** 32 bytes, hex. */
  readonly digest: string
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
 * Decodes what is to be signed. The nodes decode for themselves: this is what the caller is shown, and the digest that this
 * coordinator will accept a signature for.
 *
 * @throws {ApiError} UNKNOWN_PAYLOAD_TYPE; PAYLOAD_UNDECODABLE; BAD_HEX.
 */
export function readPayload({ type, bytes }: PayloadText): ReadPayload {
  const raw = payloadBytes(bytes)
  try {
    const { digest, summary } = decodePayload(type, raw)
    return { digest: toHex(digest), summary }
  } catch (cause) {
    const code = codeOf(cause)
    if (!isProblemCode(code)) throw cause
    throw new ApiError(code, messageOf(cause), { cause })
  }
}

/** Whose money it is: what a person reads above the summary of the payload, which does not say it. */
export function summarizeSigner(path: DerivationPath, publicKey: Uint8Array): readonly SummaryLine[] {
  return [
    { label: 'From', value: addressOf(toHex(publicKey)) },
    { label: 'Derivation path', value: formatPath(path) },
  ]
}

/** The raw transaction with a signature that has been verified, 0x hex. @throws {InvalidArgument} BAD_SIGNATURE when the chain cannot express it. */
export function assemblePayload({ bytes }: PayloadText, signature: Uint8Array, recovery: number): string {
  return `0x${toHex(assembleEvmTransaction(payloadBytes(bytes), signature, recovery))}`
}
