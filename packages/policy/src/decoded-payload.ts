import { ConclaveError, type DerivationPath, InvalidArgument } from '@conclave/core'
import type { DecodeContext } from './decode-context.ts'
import { type DecodedDrill, decodeDrill } from './drill.ts'
import { type DecodedEvmTransaction, decodeEvmTransaction } from './evm-transaction.ts'
import { type DecodedPsbt, decodePsbt } from './psbt.ts'
import { type DecodedRawDigest, decodeRawDigest } from './raw-digest.ts'
import type { StatementDigest } from './statement.ts'
import { type DecodedTypedData, decodeTypedData } from './typed-data.ts'

/** What a payload does, as this process decoded it from the exact bytes. Discriminated by `type`. */
export type DecodedPayload = DecodedEvmTransaction | DecodedTypedData | DecodedPsbt | DecodedRawDigest | DecodedDrill

export type PayloadType = DecodedPayload['type']

type Decoder = (bytes: Uint8Array, context: DecodeContext) => DecodedPayload

// A Map and not an object: the type comes from the network, and 'constructor' must not find anything.
const DECODERS: ReadonlyMap<string, Decoder> = new Map<PayloadType, Decoder>([
  ['evm.tx', decodeEvmTransaction],
  ['eip712', decodeTypedData],
  ['btc.psbt', decodePsbt],
  ['raw', decodeRawDigest],
  ['drill', decodeDrill],
])

/** Every payload type that `decodePayload` knows and that a policy may name. */
export const PAYLOAD_TYPES = ['evm.tx', 'eip712', 'btc.psbt', 'raw', 'drill'] as const satisfies readonly PayloadType[]

/**
 * Decodes the exact bytes that are to be signed, or refuses them: what cannot be shown to a person is not signed.
 *
 * The result holds copies, so that nobody changes it by changing `bytes` afterwards. No other error ever escapes.
 *
 * @param type - one of `PAYLOAD_TYPES`.
 * @param bytes - the payload as received.
 * @param context - what is known beside the payload.
 * @throws {InvalidArgument} UNKNOWN_PAYLOAD_TYPE; PAYLOAD_UNDECODABLE.
 */
export function decodePayload<T extends PayloadType>(
  type: T,
  bytes: Uint8Array,
  context?: DecodeContext,
): Extract<DecodedPayload, { readonly type: T }>
export function decodePayload(type: string, bytes: Uint8Array, context?: DecodeContext): DecodedPayload
export function decodePayload(type: string, bytes: Uint8Array, context: DecodeContext = {}): DecodedPayload {
  const decode = DECODERS.get(type)
  if (decode === undefined) throw new InvalidArgument('UNKNOWN_PAYLOAD_TYPE', 'no decoder for this payload type', { known: PAYLOAD_TYPES })
  if (!(bytes instanceof Uint8Array)) throw new InvalidArgument('PAYLOAD_UNDECODABLE', `${type}: not bytes`)
  try {
    return decode(bytes, context)
  } catch (cause) {
    if (cause instanceof ConclaveError && cause.code === 'PAYLOAD_UNDECODABLE') throw cause
    if (cause instanceof ConclaveError) throw new InvalidArgument('PAYLOAD_UNDECODABLE', `${type}: ${cause.message}`, {}, cause)
    // The message of the library may quote the whole payload, so it stays in the cause.
    throw new InvalidArgument('PAYLOAD_UNDECODABLE', `not a valid ${type} payload`, {}, cause)
  }
}

/**
 * The signatures that a payload needs when it is asked for at a path of the key.
 *
 * @throws {InvalidArgument} BAD_PATH when the payload itself proves its paths and another one than `m` was asked for.
 */
export function digestsAt(payload: Pick<DecodedPayload, 'digests'>, path: DerivationPath): readonly StatementDigest[] {
  return payload.digests.map(({ digest, path: own }) => {
    if (own !== undefined && path.length > 0) throw new InvalidArgument('BAD_PATH', 'a PSBT names the paths of its inputs: ask for it at m')
    return { digest, path: own ?? path }
  })
}
