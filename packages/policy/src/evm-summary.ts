import { toHex } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { EvmTransactionFields } from './evm-transaction.ts'
import type { SummaryLine } from './summary.ts'

const SELECTOR_BYTES = 4

/** `wei` divided by 10^decimals, exactly, without trailing zeros. */
function decimal(wei: bigint, decimals: number): string {
  const digits = wei.toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  const whole = digits.slice(0, -decimals)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

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

/** What a person reads before approving: the same labels in the same order for every transaction; amounts are exact. */
export function summarizeEvmTransaction(tx: EvmTransactionFields, digest: Uint8Array): readonly SummaryLine[] {
  return [
    { label: 'Type', value: 'EVM transaction (EIP-1559)' },
    { label: 'Chain id', value: `${tx.chainId}` },
    { label: 'To', value: tx.to },
    { label: 'Amount', value: coin(tx.valueWei) },
    { label: 'Data', value: describeData(tx.data) },
    { label: 'Nonce', value: `${tx.nonce}` },
    { label: 'Gas limit', value: `${tx.gasLimit}` },
    { label: 'Maximum fee per gas', value: gwei(tx.maxFeePerGasWei) },
    { label: 'Maximum priority fee per gas', value: gwei(tx.maxPriorityFeePerGasWei) },
    { label: 'Maximum fee', value: coin(tx.feeMaxWei) },
    { label: 'Maximum total cost', value: coin(tx.costMaxWei) },
    { label: 'Access list', value: describeAccessList(tx.accessList) },
    { label: 'Digest', value: `0x${toHex(digest)}` },
  ]
}
