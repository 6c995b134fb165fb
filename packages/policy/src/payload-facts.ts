import { type DerivationPath, InvalidArgument } from '@conclave/core'
import type { SummaryLine } from './summary.ts'

/** One signature that a payload needs. */
export interface PayloadDigest {
  /** 32 bytes: what is signed. */
  readonly digest: Uint8Array
  /** Where the payload itself proves which child signs; else undefined: whoever asks names the child. */
  readonly path: DerivationPath | undefined
}

/** Whoever a payload pays or empowers. */
export interface Destination {
  /** What rules compare: an EIP-55 address, `contract-creation`, or a Bitcoin output script as `script:` and hex. */
  readonly id: string
  /** What a person reads. */
  readonly text: string
}

/** What leaves the key or may leave it: base units of `wei`, `sat` or a token, which is named by its EIP-55 address. */
export interface Amount {
  readonly asset: string
  readonly amount: bigint
}

/** What rules ask of any payload. Whatever cannot be known of it is `undefined`, and no allow rule holds for that. */
export interface PayloadFacts {
  /** At least one; in the order in which they are signed. */
  readonly digests: readonly PayloadDigest[]
  /** For a person. */
  readonly summary: readonly SummaryLine[]
  /** Of an EVM chain; 0 is valid on every one. Undefined when there is none, or when it cannot be known. */
  readonly chainId: bigint | undefined
  /** All of them; undefined when they cannot be known. */
  readonly destinations: readonly Destination[] | undefined
  /** Children of the key that get back a part of what it spends. */
  readonly changePaths: readonly DerivationPath[]
  /** One for each asset that it moves. */
  readonly amounts: readonly Amount[]
  /** At most this is paid in fees, in `wei` or `sat`. */
  readonly feeMax: bigint
  /** What it makes a contract do: nothing, something that was decoded, or something that was not. */
  readonly call: 'none' | 'known' | 'blind'
  /** The signature of a known method, like `transfer(address,uint256)`, or the primary type of typed data. */
  readonly method: string | undefined
}

/** The destination of a transaction that creates a contract. */
export const CONTRACT_CREATION = 'contract-creation'
/** The destination of typed data that names no contract. */
export const NO_CONTRACT = 'no-contract'

/** @throws {InvalidArgument} PAYLOAD_UNDECODABLE, always. */
export function undecodable(type: string, message: string): never {
  throw new InvalidArgument('PAYLOAD_UNDECODABLE', `${type}: ${message}`)
}
