import type { ExtendedKey } from '@conclave/core'
import type { ContractAbi } from './contract-abi.ts'

export const BITCOIN_NETWORKS = ['mainnet', 'testnet', 'regtest'] as const
export type BitcoinNetwork = (typeof BITCOIN_NETWORKS)[number]

/** What a decoder knows beside the payload. The same on every node, or their summaries differ and nothing is signed. */
export interface DecodeContext {
  /** The root key that is to sign; a PSBT is decoded only with it. */
  readonly key?: ExtendedKey | undefined
  /** How Bitcoin addresses are written. Default: mainnet. */
  readonly bitcoinNetwork?: BitcoinNetwork | undefined
  /** The operator's own contracts. */
  readonly contracts?: readonly ContractAbi[] | undefined
}

/** What a process knows of every payload; the key comes with the request. */
export type Decoding = Omit<DecodeContext, 'key'>
