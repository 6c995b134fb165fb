import { concat, equalBytes } from '@conclave/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { RawTx } from '@scure/btc-signer'
import { Transaction as OtherTransaction } from 'bitcoinjs-lib'
import { undecodable } from './payload-facts.ts'
import type { Spending } from './psbt-script.ts'

const SIGHASH_ALL = 1
const NOTHING = new Uint8Array(0)

/** One input's place in an unsigned transaction. */
export interface InputToSign {
  readonly index: number
  readonly spending: Pick<Spending, 'isSegwit' | 'scriptCode'>
  /** Of the output that it spends. */
  readonly amountSat: bigint
}

const twice = (bytes: Uint8Array) => sha256(sha256(bytes))
const little = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)

/** The digest of before segwit: the transaction with the spent script in the place of one input's signature, and the kind of signature. */
function legacyDigest(unsignedTx: Uint8Array, { index, spending }: InputToSign): Uint8Array {
  const tx = RawTx.decode(unsignedTx)
  const inputs = tx.inputs.map((input, i) => ({ ...input, finalScriptSig: i === index ? spending.scriptCode : NOTHING }))
  return twice(concat(RawTx.encode({ ...tx, inputs }), little(SIGHASH_ALL)))
}

/** Where the parts of a digest of BIP143 come from. */
export interface WitnessDigest {
  preimageWitnessV0(index: number, scriptCode: Uint8Array, hashType: number, amount: bigint): Uint8Array
}

/**
 * The digest of one input, for a signature of everything (SIGHASH_ALL): BIP143 for segwit, else the one of before.
 *
 * @param unsignedTx - the transaction as it is hashed, without signatures.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when two libraries compute different ones.
 */
export function psbtDigest(unsignedTx: Uint8Array, input: InputToSign, library: WitnessDigest): Uint8Array {
  const { index, spending, amountSat } = input
  const digest = spending.isSegwit
    ? library.preimageWitnessV0(index, spending.scriptCode, SIGHASH_ALL, amountSat)
    : legacyDigest(unsignedTx, input)
  const other = OtherTransaction.fromBuffer(unsignedTx)
  const second = spending.isSegwit
    ? other.hashForWitnessV0(index, spending.scriptCode, amountSat, SIGHASH_ALL)
    : other.hashForSignature(index, spending.scriptCode, SIGHASH_ALL)
  if (!equalBytes(digest, second)) undecodable('btc.psbt', 'two libraries compute different digests')
  return digest
}
