import { concat, fromHex } from '@conclave/core'

/** RLP by the yellow paper's appendix B, written as plainly as possible and on its own, to check the library against. */
export type Rlp = Uint8Array | readonly Rlp[]

function lengthPrefix(length: number, base: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(base + length)
  const big = integer(BigInt(length))
  return concat(Uint8Array.of(base + 55 + big.length), big)
}

/** Big-endian without leading zeros; zero is empty. */
export function integer(value: bigint): Uint8Array {
  const hex = value === 0n ? '' : value.toString(16)
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
}

export function rlp(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] as number) < 0x80) return item
    return concat(lengthPrefix(item.length, 0x80), item)
  }
  const body = concat(...item.map(rlp))
  return concat(lengthPrefix(body.length, 0xc0), body)
}

export interface UnsignedFields {
  readonly chainId: bigint
  readonly nonce: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly maxFeePerGas: bigint
  readonly gasLimit: bigint
  /** Hex without 0x. */
  readonly to: string
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: Rlp
}

export const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

/** A plain payment of 1 ether to SUPPLIER on chain 31337. */
export const PAYMENT: UnsignedFields = {
  chainId: 31337n,
  nonce: 7n,
  maxPriorityFeePerGas: 1_000_000_000n,
  maxFeePerGas: 30_000_000_000n,
  gasLimit: 21_000n,
  to: SUPPLIER.slice(2),
  value: 10n ** 18n,
  data: new Uint8Array(0),
  accessList: [],
}

export function fieldItems(f: UnsignedFields): Rlp[] {
  const fees = [integer(f.maxPriorityFeePerGas), integer(f.maxFeePerGas), integer(f.gasLimit)]
  return [integer(f.chainId), integer(f.nonce), ...fees, fromHex(f.to), integer(f.value), f.data, f.accessList]
}

/** 0x02 || rlp(items). */
export function typed(items: Rlp): Uint8Array {
  return concat(Uint8Array.of(2), rlp(items))
}

/** PAYMENT with some fields changed, unsigned. */
export function unsigned(changes: Partial<UnsignedFields> = {}): Uint8Array {
  return typed(fieldItems({ ...PAYMENT, ...changes }))
}

export interface LegacyOptions {
  /** EIP-155; without one the transaction is valid on every chain. */
  readonly chainId?: bigint
}

/** A legacy transaction of six fields, or nine with a chain id, unsigned; its gas price is `maxFeePerGas`. */
export function unsignedLegacy(changes: Partial<UnsignedFields> = {}, { chainId }: LegacyOptions = {}): Uint8Array {
  const f = { ...PAYMENT, ...changes }
  const items = [integer(f.nonce), integer(f.maxFeePerGas), integer(f.gasLimit), fromHex(f.to), integer(f.value), f.data]
  return rlp(chainId === undefined ? items : [...items, integer(chainId), integer(0n), integer(0n)])
}

/** 0x01 || rlp(items): an EIP-2930 transaction, unsigned; its gas price is `maxFeePerGas`. */
export function unsigned2930(changes: Partial<UnsignedFields> = {}): Uint8Array {
  const f = { ...PAYMENT, ...changes }
  const items = [integer(f.chainId), integer(f.nonce), integer(f.maxFeePerGas), integer(f.gasLimit), fromHex(f.to), integer(f.value)]
  return concat(Uint8Array.of(1), rlp([...items, f.data, f.accessList]))
}
