import { equalBytes, fromHex, InvalidArgument } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type AccessList, Transaction, type TxCoder } from 'micro-eth-signer'
import { summarizeEvmTransaction } from './evm-summary.ts'
import type { SummaryLine } from './summary.ts'

/** geth's txMaxSize: larger transactions are not relayed. */
export const EVM_TX_BYTES_MAX = 128 * 1024
export const ACCESS_LIST_ADDRESSES_MAX = 256
export const ACCESS_LIST_KEYS_MAX = 1024

const EIP1559 = 0x02

export interface AccessListEntry {
  /** EIP-55. */
  readonly address: string
  /** 32 bytes each, 0x hex. */
  readonly storageKeys: readonly string[]
}

/** The fields of an EIP-1559 transaction; every amount is in wei and exact. */
export interface EvmTransactionFields {
  readonly chainId: bigint
  readonly nonce: bigint
  readonly maxPriorityFeePerGasWei: bigint
  readonly maxFeePerGasWei: bigint
  readonly gasLimit: bigint
  /** EIP-55; never empty. */
  readonly to: string
  readonly valueWei: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
  /** gasLimit * maxFeePerGas: more than this is never paid in fees. */
  readonly feeMaxWei: bigint
  /** valueWei + feeMaxWei: more than this never leaves the account. */
  readonly costMaxWei: bigint
}

export interface DecodedEvmTransaction extends EvmTransactionFields {
  readonly type: 'evm.tx'
  /** keccak256 of the payload, 32 bytes: what is signed. */
  readonly digest: Uint8Array
  /** For a person: always the same labels in the same order. */
  readonly summary: readonly SummaryLine[]
}

function undecodable(message: string): never {
  throw new InvalidArgument('PAYLOAD_UNDECODABLE', `evm.tx: ${message}`)
}

/**
 * The fields of exactly these bytes, in the library's types.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE, or the library's own error.
 */
export function parseUnsigned(bytes: Uint8Array): TxCoder<'eip1559'> {
  if (bytes.length > EVM_TX_BYTES_MAX) undecodable(`longer than ${EVM_TX_BYTES_MAX} bytes`)
  if (bytes[0] !== EIP1559) undecodable('only EIP-1559 transactions (type 2) are signed')
  const tx = Transaction.fromBytes(bytes)
  if (tx.isSigned) undecodable('it already carries a signature')
  // Two encodings of one transaction would have two digests; the library refuses them, and we do not rely on it.
  if (!equalBytes(tx.toBytes({ includeSignature: false }), bytes)) undecodable('not the canonical encoding of an unsigned transaction')
  // The type byte above is the library's only way to eip1559, so this narrows what is proved.
  const raw = tx.raw as TxCoder<'eip1559'>
  if (raw.to === '0x') undecodable('contract creation is not supported')
  if (raw.chainId === 0n) undecodable('chain id 0 would be valid on every chain')
  return raw
}

function parseAccessList(list: AccessList): readonly AccessListEntry[] {
  if (list.length > ACCESS_LIST_ADDRESSES_MAX) undecodable(`access list of more than ${ACCESS_LIST_ADDRESSES_MAX} addresses`)
  const keys = list.reduce((n, entry) => n + entry.storageKeys.length, 0)
  if (keys > ACCESS_LIST_KEYS_MAX) undecodable(`access list of more than ${ACCESS_LIST_KEYS_MAX} storage keys`)
  return list.map(({ address, storageKeys }) => ({ address, storageKeys: [...storageKeys] }))
}

/**
 * Decodes an unsigned EIP-1559 transaction: 0x02 and the canonical RLP list of its nine fields, nothing before, after or missing.
 *
 * Refused: signatures, contract creation, chain id 0 (replayable on any chain), fees that EIP-1559 calls invalid, anything over the
 * limits above. Errors that are not ours pass through; `decodePayload` is the door that turns them into PAYLOAD_UNDECODABLE.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE.
 */
export function decodeEvmTransaction(payload: Uint8Array): DecodedEvmTransaction {
  if (!(payload instanceof Uint8Array)) undecodable('not bytes')
  const bytes = Uint8Array.from(payload)
  const raw = parseUnsigned(bytes)
  const feeMaxWei = raw.gasLimit * raw.maxFeePerGas
  const fields: EvmTransactionFields = {
    chainId: raw.chainId,
    nonce: raw.nonce,
    maxPriorityFeePerGasWei: raw.maxPriorityFeePerGas,
    maxFeePerGasWei: raw.maxFeePerGas,
    gasLimit: raw.gasLimit,
    to: raw.to,
    valueWei: raw.value,
    data: fromHex(raw.data.slice(2)),
    accessList: parseAccessList(raw.accessList),
    feeMaxWei,
    costMaxWei: raw.value + feeMaxWei,
  }
  const digest = keccak_256(bytes)
  return { type: 'evm.tx', digest, ...fields, summary: summarizeEvmTransaction(fields, digest) }
}
