import { concat, fromHex, toHex } from '@conclave/core'

/** RLP string: the fields of a payment are shorter than 56 bytes. */
function item(bytes: Uint8Array): Uint8Array {
  return bytes.length === 1 && (bytes[0] as number) < 0x80 ? bytes : concat(Uint8Array.of(0x80 + bytes.length), bytes)
}

function integer(value: bigint): Uint8Array {
  const hex = value === 0n ? '' : value.toString(16)
  return item(fromHex(hex.length % 2 === 0 ? hex : `0${hex}`))
}

/** An unsigned EIP-1559 payment on chain 31337, 0x hex; different nonces give different digests. */
export function payment(nonce = 0): string {
  const fees = [integer(1_000_000_000n), integer(30_000_000_000n), integer(21_000n)]
  const to = item(fromHex('70997970c51812dc3a010c7d01b50e0d17dc79c8'))
  const body = concat(integer(31337n), integer(BigInt(nonce)), ...fees, to, integer(10n ** 18n), item(fromHex('')), Uint8Array.of(0xc0))
  if (body.length > 55) throw new TypeError('a payment fits in a short list')
  return `0x02${toHex(concat(Uint8Array.of(0xc0 + body.length), body))}`
}
