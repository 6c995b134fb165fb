import { type DerivationPath, equalBytes, toHex } from '@conclave/core'
import { Transaction } from '@scure/btc-signer'
import { bitcoinScripts, describeScript, scriptId } from './bitcoin-address.ts'
import type { BitcoinNetwork, DecodeContext } from './decode-context.ts'
import { type PayloadFacts, undecodable } from './payload-facts.ts'
import { psbtDigest } from './psbt-digest.ts'
import { type OwnKey, PsbtKeys } from './psbt-keys.ts'
import { countPsbtMaps } from './psbt-maps.ts'
import { type Spending, spendingOf } from './psbt-script.ts'
import { confirmPsbt, type PsbtReading, previousBytes } from './psbt-second-opinion.ts'
import { summarizePsbt } from './psbt-summary.ts'

export const PSBT_BYTES_MAX = 128 * 1024
/** One signature each; as many as one session makes. */
export const PSBT_INPUTS_MAX = 32
export const PSBT_OUTPUTS_MAX = 256
/** All the money that there will ever be. */
const MONEY_MAX_SAT = 21_000_000n * 100_000_000n
const SIGHASH_ALL = 1
const TYPE = 'btc.psbt'

export interface PsbtInput {
  /** As it is shown, hex. */
  readonly txid: string
  readonly index: number
  readonly amountSat: bigint
  readonly script: Uint8Array
  /** Who signs it. */
  readonly key: OwnKey
  readonly spending: Spending
}

export interface PsbtOutput {
  readonly amountSat: bigint
  readonly script: Uint8Array
  /** Only when the money comes back: where to, proved by deriving the script from the key. */
  readonly changePath: DerivationPath | undefined
}

export interface DecodedPsbt extends PayloadFacts {
  readonly type: 'btc.psbt'
  readonly version: 0 | 2
  readonly network: BitcoinNetwork
  readonly chainId: undefined
  readonly lockTime: number
  readonly inputs: readonly PsbtInput[]
  readonly outputs: readonly PsbtOutput[]
  /** Inputs less outputs. */
  readonly feeSat: bigint
  /** Outputs that are not change. */
  readonly sentSat: bigint
}

type RawInput = ReturnType<Transaction['getInput']>

/** Reads strictly; fields that nobody knows might mean something to somebody else. */
export function parsePsbt(payload: Uint8Array): Transaction {
  if (payload.length > PSBT_BYTES_MAX) undecodable(TYPE, `longer than ${PSBT_BYTES_MAX} bytes`)
  const tx = Transaction.fromPSBT(Uint8Array.from(payload), { unknown: 'strict', allowUnknownOutputs: true })
  if (tx.inputsLength === 0 || tx.inputsLength > PSBT_INPUTS_MAX) undecodable(TYPE, `it has 1 to ${PSBT_INPUTS_MAX} inputs`)
  if (tx.outputsLength === 0 || tx.outputsLength > PSBT_OUTPUTS_MAX) undecodable(TYPE, `it has 1 to ${PSBT_OUTPUTS_MAX} outputs`)
  // The library reads past a map that belongs to nothing.
  if (countPsbtMaps(payload) !== 1 + tx.inputsLength + tx.outputsLength) undecodable(TYPE, 'it holds more than its inputs and outputs')
  return tx
}

/** What an input spends. Before segwit nothing in the digest says it, so there the whole previous transaction must. */
function previousOutput(input: RawInput, place: string) {
  const { txid, index, nonWitnessUtxo, witnessUtxo } = input
  if (txid === undefined || index === undefined) return undecodable(TYPE, `${place} spends nothing`)
  const output = nonWitnessUtxo === undefined ? witnessUtxo : nonWitnessUtxo.outputs[index]
  if (output?.script === undefined || output.amount === undefined) return undecodable(TYPE, `${place} does not say what it spends`)
  return { txid, index, script: output.script, amountSat: output.amount, sequence: input.sequence ?? 0xffffffff }
}

function checkUnsigned(input: RawInput, place: string): void {
  if (input.finalScriptSig !== undefined || input.finalScriptWitness !== undefined) undecodable(TYPE, `${place} is signed already`)
  if (input.sighashType !== undefined && input.sighashType !== SIGHASH_ALL) undecodable(TYPE, `${place}: only SIGHASH_ALL is signed`)
}

function readInput(tx: Transaction, i: number, keys: PsbtKeys) {
  const place = `input ${i}`
  const input = tx.getInput(i)
  checkUnsigned(input, place)
  const previous = previousOutput(input, place)
  const spending = spendingOf(previous.script, input)
  // With several inputs their amounts could be lied about one at a time, a signature each, and all of them put together.
  if (input.nonWitnessUtxo === undefined && (!spending.isSegwit || tx.inputsLength > 1))
    undecodable(TYPE, `${place}: its whole previous transaction is needed`)
  const key = keys.ownAmong(input.bip32Derivation ?? [], place)
  if (key === undefined || !spending.asksFor(key.publicKey)) return undecodable(TYPE, `${place} is not spent by this key`)
  if (input.partialSig?.some(([publicKey]) => equalBytes(publicKey, key.publicKey))) undecodable(TYPE, `${place} is signed already`)
  return { ...previous, key, spending, previousTx: previousBytes(input.nonWitnessUtxo) }
}

function isScriptOf({ publicKey }: OwnKey, script: Uint8Array): boolean {
  return Object.values(bitcoinScripts(publicKey)).some((own: Uint8Array) => equalBytes(own, script))
}

function readOutput(tx: Transaction, i: number, keys: PsbtKeys): PsbtOutput {
  const { script, amount, bip32Derivation } = tx.getOutput(i)
  if (script === undefined || amount === undefined) return undecodable(TYPE, `output ${i} pays nothing to nobody`)
  const key = keys.ownAmong(bip32Derivation ?? [], `output ${i}`)
  return { amountSat: amount, script, changePath: key !== undefined && isScriptOf(key, script) ? key.path : undefined }
}

function sumOf(amounts: readonly { readonly amountSat: bigint }[]): bigint {
  const sum = amounts.reduce((total, { amountSat }) => total + amountSat, 0n)
  if (sum > MONEY_MAX_SAT) undecodable(TYPE, 'more money than there is')
  return sum
}

function destinationsOf(outputs: readonly PsbtOutput[], network: BitcoinNetwork) {
  const paid = outputs.filter(({ changePath }) => changePath === undefined)
  return [
    ...new Map(paid.map(({ script }) => [scriptId(script), { id: scriptId(script), text: describeScript(script, network) }])).values(),
  ]
}

/**
 * Decodes a PSBT (BIP174 version 0, BIP370 version 2), by two libraries, into the digests that the key signs: one for each input, on the path that
 * the PSBT names in its BIP32 fields and that is proved by deriving the key there.
 *
 * Every input is one that the key can sign: P2PKH, P2WPKH, P2SH-P2WPKH, or a P2SH, P2WSH or P2SH-P2WSH script of one key or a multisignature. An output
 * is change only when its script is derived from the key as well. Refused: inputs of others, signatures of this key, kinds of signature other
 * than SIGHASH_ALL, claims that are not true, unknown and proprietary fields, an input without its whole previous transaction (unless it is the only one
 * and segwit).
 *
 * @param context - with the key.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE, BAD_PATH, or the libraries' own errors.
 */
export function decodePsbt(payload: Uint8Array, context: DecodeContext): DecodedPsbt {
  if (context.key === undefined) return undecodable(TYPE, 'it is decoded only with the key that is to sign')
  const network = context.bitcoinNetwork ?? 'mainnet'
  const tx = parsePsbt(payload)
  const keys = new PsbtKeys(context.key)
  const inputs = Array.from({ length: tx.inputsLength }, (_, i) => readInput(tx, i, keys))
  const outputs = Array.from({ length: tx.outputsLength }, (_, i) => readOutput(tx, i, keys))
  const version = tx.opts.PSBTVersion === 2 ? 2 : 0
  const reading: PsbtReading = { version, unsignedTx: tx.unsignedTx, inputs, outputs }
  confirmPsbt(payload, reading)
  if (new Set(inputs.map(({ txid, index }) => `${toHex(txid)}:${index}`)).size < inputs.length)
    undecodable(TYPE, 'an output is spent twice')
  const feeSat = sumOf(inputs) - sumOf(outputs)
  if (feeSat < 0n) undecodable(TYPE, 'it pays more than it spends')
  const sentSat = sumOf(outputs.filter(({ changePath }) => changePath === undefined))
  const digests = inputs.map((input, index) => ({
    digest: psbtDigest(reading.unsignedTx, { index, spending: input.spending, amountSat: input.amountSat }, tx),
    path: input.key.path,
  }))
  const shownInputs = inputs.map(({ txid, index, amountSat, script, key, spending }) => ({
    txid: toHex(txid),
    index,
    amountSat,
    script,
    key,
    spending,
  }))
  const said = { version, network, lockTime: tx.lockTime, inputs: shownInputs, outputs, feeSat, sentSat } as const
  return {
    ...{ type: TYPE, ...said, digests, chainId: undefined, destinations: destinationsOf(outputs, network) },
    changePaths: outputs.flatMap(({ changePath }) => (changePath === undefined ? [] : [changePath])),
    ...{ amounts: [{ asset: 'sat', amount: sentSat }], feeMax: feeSat, call: 'none', method: undefined },
    summary: summarizePsbt(said, digests),
  }
}
