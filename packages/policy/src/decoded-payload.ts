import { ConclaveError, InvalidArgument } from '@conclave/core'
import { type DecodedEvmTransaction, decodeEvmTransaction } from './evm-transaction.ts'

/** What a payload does, as this process decoded it from the exact bytes. Discriminated by `type`. */
export type DecodedPayload = DecodedEvmTransaction

export type PayloadType = DecodedPayload['type']

// A Map and not an object: the type comes from the network, and 'constructor' must not find anything.
const DECODERS: ReadonlyMap<string, (bytes: Uint8Array) => DecodedPayload> = new Map([['evm.tx', decodeEvmTransaction]])

/** Every payload type that `decodePayload` knows and that a policy may name. */
export const PAYLOAD_TYPES = ['evm.tx'] as const satisfies readonly PayloadType[]

/**
 * Decodes the exact bytes that are to be signed, or refuses them: what cannot be shown to a person is not signed.
 *
 * The result holds copies, so that nobody changes it by changing `bytes` afterwards. No other error ever escapes.
 *
 * @param type - one of `PAYLOAD_TYPES`.
 * @param bytes - the payload as received.
 * @throws {InvalidArgument} UNKNOWN_PAYLOAD_TYPE; PAYLOAD_UNDECODABLE.
 */
export function decodePayload(type: string, bytes: Uint8Array): DecodedPayload {
  const decode = DECODERS.get(type)
  if (decode === undefined) throw new InvalidArgument('UNKNOWN_PAYLOAD_TYPE', 'no decoder for this payload type', { known: PAYLOAD_TYPES })
  try {
    return decode(bytes)
  } catch (cause) {
    if (cause instanceof ConclaveError) throw cause
    // The message of the library may quote the whole payload, so it stays in the cause.
    throw new InvalidArgument('PAYLOAD_UNDECODABLE', `not a valid ${type} payload`, {}, cause)
  }
}
