import { equalBytes, fromHex } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type AccessList, Transaction, type TxCoder } from 'micro-eth-signer'
import type { DecodeContext } from './decode-context.ts'
import { decodeCall, type EvmCall } from './evm-call.ts'
import { confirmEvmTransaction } from './evm-second-opinion.ts'
import { summarizeEvmTransaction } from './evm-summary.ts'
import { CONTRACT_CREATION, type Destination, type PayloadFacts, undecodable } from './payload-facts.ts'

/** geth's txMaxSize: larger transactions are not relayed. */
export const EVM_TX_BYTES_MAX = 128 * 1024
export const ACCESS_LIST_ADDRESSES_MAX = 256
export const ACCESS_LIST_KEYS_MAX = 1024

/** The first byte of a list in RLP; a type of EIP-2718 lies below. */
const LIST_MIN = 0xc0
const TYPE = 'evm.tx'

export interface AccessListEntry {
  /** EIP-55. */
  readonly address: string
  /** 32 bytes each, 0x hex. */
  readonly storageKeys: readonly string[]
}

/** The fields of a transaction; every amount is in wei and exact. */
export interface EvmTransactionFields {
  readonly format: 'legacy' | 'EIP-2930' | 'EIP-1559'
  /** 0: a legacy transaction without one (before EIP-155), which is valid on every chain. */
  readonly chainId: bigint
  readonly nonce: bigint
  /** Only of EIP-1559. */
  readonly maxPriorityFeePerGasWei: bigint | undefined
  /** The gas price, where there is only one. */
  readonly maxFeePerGasWei: bigint
  readonly gasLimit: bigint
  /** EIP-55; undefined when a contract is created. */
  readonly to: string | undefined
  readonly valueWei: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
  /** gasLimit * maxFeePerGas: more than this is never paid in fees. */
  readonly feeMaxWei: bigint
  /** valueWei + feeMaxWei: more than this never leaves the account. */
  readonly costMaxWei: bigint
}

export interface DecodedEvmTransaction extends EvmTransactionFields, PayloadFacts {
  readonly type: 'evm.tx'
  readonly chainId: bigint
  /** keccak256 of the payload, 32 bytes: what is signed. */
  readonly digest: Uint8Array
}

/** An unsigned transaction in the library's types. */
export type UnsignedEvm =
  | { readonly type: 'legacy'; readonly raw: TxCoder<'legacy'> }
  | { readonly type: 'eip2930'; readonly raw: TxCoder<'eip2930'> }
  | { readonly type: 'eip1559'; readonly raw: TxCoder<'eip1559'> }

/**
 * The fields of exactly these bytes, in the library's types.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE, or the library's own error.
 */
export function parseUnsigned(bytes: Uint8Array): UnsignedEvm {
  if (bytes.length > EVM_TX_BYTES_MAX) undecodable(TYPE, `longer than ${EVM_TX_BYTES_MAX} bytes`)
  const [first] = bytes
  if (first !== 1 && first !== 2 && !(first !== undefined && first >= LIST_MIN))
    undecodable(TYPE, 'only legacy, EIP-2930 and EIP-1559 transactions are signed')
  const tx = Transaction.fromBytes(bytes)
  if (tx.isSigned) undecodable(TYPE, 'it already carries a signature')
  // Two encodings of one transaction would have two digests; the library refuses them, and we do not rely on it.
  if (!equalBytes(tx.toBytes({ includeSignature: false }), bytes))
    undecodable(TYPE, 'not the canonical encoding of an unsigned transaction')
  // The first byte is the library's only way to these types, so this narrows what is proved.
  const unsigned = { type: tx.type, raw: tx.raw } as UnsignedEvm
  if (unsigned.type !== 'legacy' && unsigned.raw.chainId === 0n) undecodable(TYPE, 'chain id 0 would be valid on every chain')
  return unsigned
}

function parseAccessList(list: AccessList): readonly AccessListEntry[] {
  if (list.length > ACCESS_LIST_ADDRESSES_MAX) undecodable(TYPE, `access list of more than ${ACCESS_LIST_ADDRESSES_MAX} addresses`)
  const keys = list.reduce((n, entry) => n + entry.storageKeys.length, 0)
  if (keys > ACCESS_LIST_KEYS_MAX) undecodable(TYPE, `access list of more than ${ACCESS_LIST_KEYS_MAX} storage keys`)
  return list.map(({ address, storageKeys }) => ({ address, storageKeys: [...storageKeys] }))
}

function formatOf({ type, raw }: UnsignedEvm) {
  if (type === 'eip1559')
    return { format: 'EIP-1559', maxFeePerGasWei: raw.maxFeePerGas, maxPriorityFeePerGasWei: raw.maxPriorityFeePerGas } as const
  const format = type === 'eip2930' ? 'EIP-2930' : 'legacy'
  return { format, maxFeePerGasWei: raw.gasPrice, maxPriorityFeePerGasWei: undefined } as const
}

function fieldsOf(unsigned: UnsignedEvm): EvmTransactionFields {
  const { raw } = unsigned
  const format = formatOf(unsigned)
  const feeMaxWei = raw.gasLimit * format.maxFeePerGasWei
  return {
    ...format,
    chainId: raw.chainId ?? 0n,
    nonce: raw.nonce,
    gasLimit: raw.gasLimit,
    to: raw.to === '0x' ? undefined : raw.to,
    valueWei: raw.value,
    data: fromHex(raw.data.slice(2)),
    accessList: unsigned.type === 'legacy' ? [] : parseAccessList(unsigned.raw.accessList),
    feeMaxWei,
    costMaxWei: raw.value + feeMaxWei,
  }
}

const CREATION: EvmCall = {
  ...{ call: 'blind', method: undefined, amounts: [] },
  destinations: [{ id: CONTRACT_CREATION, text: 'a new contract' }],
  lines: [{ label: 'Warning', value: 'it creates a contract, whose code is not understood' }],
}

function destinationsOf(to: string | undefined, call: EvmCall): readonly Destination[] {
  return to === undefined ? call.destinations : [{ id: to, text: to }, ...call.destinations]
}

/**
 * Decodes an unsigned transaction, by two libraries: legacy (six fields, or nine with a chain id), EIP-2930 or EIP-1559, in canonical RLP,
 * nothing before, after or missing.
 *
 * Refused: signatures, chain id 0 in a typed transaction, fees that EIP-1559 calls invalid, anything over the limits above. Errors that are not ours
 * pass through; `decodePayload` is the door that turns them into PAYLOAD_UNDECODABLE.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE.
 */
export function decodeEvmTransaction(payload: Uint8Array, context: DecodeContext): DecodedEvmTransaction {
  const bytes = Uint8Array.from(payload)
  const fields = fieldsOf(parseUnsigned(bytes))
  const digest = keccak_256(bytes)
  confirmEvmTransaction(bytes, fields, digest)
  const { to } = fields
  const call = to === undefined ? CREATION : decodeCall({ ...fields, to }, context)
  return {
    type: TYPE,
    ...fields,
    digest,
    digests: [{ digest, path: undefined }],
    destinations: destinationsOf(to, call),
    changePaths: [],
    amounts: [{ asset: 'wei', amount: fields.valueWei }, ...call.amounts],
    feeMax: fields.feeMaxWei,
    call: call.call,
    method: call.method,
    summary: summarizeEvmTransaction(fields, call, digest),
  }
}
