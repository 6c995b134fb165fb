import { undecodable } from './payload-facts.ts'

const MAGIC_BYTES = 5
/** First bytes that announce a longer number, and how long that is. */
const LONG: ReadonlyMap<number, number> = new Map([
  [0xfd, 2],
  [0xfe, 4],
  [0xff, 8],
])

/** Where a field of `bytes` ends that begins with its length at `at`, and that length. */
function skip(bytes: Uint8Array, at: number): { readonly end: number; readonly length: number } {
  const first = bytes[at]
  if (first === undefined) return undecodable('btc.psbt', 'it ends too early')
  const digits = LONG.get(first) ?? 0
  let length = digits === 0 ? first : 0
  for (let i = digits; i > 0; i--) length = length * 256 + (bytes[at + i] ?? 0)
  const end = at + 1 + digits + length
  if (end > bytes.length) undecodable('btc.psbt', 'it ends too early')
  return { end, length }
}

/**
 * How many maps a PSBT holds: one for all, one for each input and one for each output, and no byte beside them.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when the last map is not ended.
 */
export function countPsbtMaps(psbt: Uint8Array): number {
  let maps = 0
  for (let at = MAGIC_BYTES; at < psbt.length; maps++) {
    for (let key = skip(psbt, at); ; key = skip(psbt, at)) {
      at = key.end
      // A key of no bytes ends a map.
      if (key.length === 0) break
      at = skip(psbt, at).end
    }
  }
  return maps
}
