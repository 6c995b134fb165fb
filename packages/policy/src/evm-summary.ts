import { toHex } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { EvmCall } from './evm-call.ts'
import type { EvmTransactionFields } from './evm-transaction.ts'
import { decimal } from './printable.ts'
import type { SummaryLine } from './summary.ts'

const SELECTOR_BYTES = 4

// "native coin" and not ETH: the chain id alone does not say what the coin is called or worth.
const coin = (wei: bigint) => `${decimal(wei, 18)} native coin (${wei} wei)`
const gwei = (wei: bigint) => `${decimal(wei, 9)} gwei`

function describeData(data: Uint8Array): string {
  if (data.length === 0) return 'none'
  const selector = data.length >= SELECTOR_BYTES ? `, method 0x${toHex(data.subarray(0, SELECTOR_BYTES))}` : ''
  // The hash keeps the line short while two different calls never look alike.
  return `${data.length} bytes${selector}, keccak256 0x${toHex(keccak_256(data))}`
}

function describeAccessList(list: EvmTransactionFields['accessList']): string {
  if (list.length === 0) return 'none'
  return `${list.length} addresses, ${list.reduce((n, entry) => n + entry.storageKeys.length, 0)} storage keys`
}

function gasLines(tx: EvmTransactionFields): readonly SummaryLine[] {
  if (tx.maxPriorityFeePerGasWei === undefined) return [{ label: 'Gas price', value: gwei(tx.maxFeePerGasWei) }]
  return [
    { label: 'Maximum fee per gas', value: gwei(tx.maxFeePerGasWei) },
    { label: 'Maximum priority fee per gas', value: gwei(tx.maxPriorityFeePerGasWei) },
  ]
}

/** What a person reads before approving: the same labels in the same order for every transaction of a kind; amounts are exact. */
export function summarizeEvmTransaction(tx: EvmTransactionFields, call: EvmCall, digest: Uint8Array): readonly SummaryLine[] {
  return [
    { label: 'Type', value: `EVM transaction (${tx.format})` },
    { label: 'Chain id', value: tx.chainId === 0n ? 'none: valid on EVERY chain' : `${tx.chainId}` },
    { label: 'To', value: tx.to ?? 'nobody: creates a contract' },
    { label: 'Amount', value: coin(tx.valueWei) },
    { label: 'Data', value: describeData(tx.data) },
    ...call.lines,
    { label: 'Nonce', value: `${tx.nonce}` },
    { label: 'Gas limit', value: `${tx.gasLimit}` },
    ...gasLines(tx),
    { label: 'Maximum fee', value: coin(tx.feeMaxWei) },
    { label: 'Maximum total cost', value: coin(tx.costMaxWei) },
    ...(tx.format === 'legacy' ? [] : [{ label: 'Access list', value: describeAccessList(tx.accessList) }]),
    { label: 'Digest', value: `0x${toHex(digest)}` },
  ]
}
