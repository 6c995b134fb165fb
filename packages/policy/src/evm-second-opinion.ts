import { equalBytes, fromHex, toHex } from '@conclave/core'
import { Transaction } from 'ethers/transaction'
import type { EvmTransactionFields } from './evm-transaction.ts'
import { undecodable } from './payload-facts.ts'

const TYPES: ReadonlyMap<number | null, EvmTransactionFields['format']> = new Map([
  [0, 'legacy'],
  [1, 'EIP-2930'],
  [2, 'EIP-1559'],
])

/** Every field in one text, so that the comparison cannot leave one out. */
function textOf(tx: Omit<EvmTransactionFields, 'data' | 'feeMaxWei' | 'costMaxWei'> & { readonly data: string }): string {
  const list = tx.accessList.map(({ address, storageKeys }) => `${address}:${storageKeys.join('+')}`)
  const fees = [tx.gasLimit, tx.maxFeePerGasWei, tx.maxPriorityFeePerGasWei ?? '-']
  return [tx.format, tx.chainId, tx.nonce, ...fees, tx.to ?? '-', tx.valueWei, tx.data, list].join(' ').toLowerCase()
}

/**
 * Has a second, independent library decode the same bytes.
 *
 * @param fields - what the first one made of them.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when it reads anything else, or the library's own error.
 */
export function confirmEvmTransaction(bytes: Uint8Array, fields: EvmTransactionFields, digest: Uint8Array): void {
  const hex = `0x${toHex(bytes)}`
  const tx = Transaction.from(hex)
  const accessList = (tx.accessList ?? []).map(({ address, storageKeys }) => ({ address, storageKeys }))
  const second = textOf({
    ...{ format: TYPES.get(tx.type) ?? 'legacy', chainId: tx.chainId, nonce: BigInt(tx.nonce), gasLimit: tx.gasLimit, accessList },
    ...{ maxFeePerGasWei: tx.maxFeePerGas ?? tx.gasPrice ?? -1n, maxPriorityFeePerGasWei: tx.maxPriorityFeePerGas ?? undefined },
    ...{ to: tx.to ?? undefined, valueWei: tx.value, data: tx.data },
  })
  const isSame = second === textOf({ ...fields, data: `0x${toHex(fields.data)}` })
  if (!TYPES.has(tx.type) || tx.unsignedSerialized !== hex || !isSame || !equalBytes(fromHex(tx.unsignedHash.slice(2)), digest))
    undecodable('evm.tx', 'two libraries read it differently')
}
