// BIP174, BIP370, BIP143 and what was hashed before it, written as plainly as possible and with nothing of a library but SHA-256.
import { concat } from '@conclave/core'
import { sha256 } from '@noble/hashes/sha2.js'

export const little = (value: bigint | number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn))
export const twice = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))
const word = (value: number) => little(value, 4)

function count(n: number): Uint8Array {
  if (n < 0xfd) return Uint8Array.of(n)
  return n <= 0xffff ? concat(Uint8Array.of(0xfd), little(n, 2)) : concat(Uint8Array.of(0xfe), little(n, 4))
}

const sized = (bytes: Uint8Array) => concat(count(bytes.length), bytes)
const NOTHING = new Uint8Array(0)

export interface NaiveInput {
  /** As it is shown. */
  readonly txid: Uint8Array
  readonly index: number
  readonly sequence: number
}

export interface NaiveOutput {
  readonly amountSat: bigint
  readonly script: Uint8Array
}

export interface NaiveTx {
  readonly version: number
  readonly lockTime: number
  readonly inputs: readonly NaiveInput[]
  readonly outputs: readonly NaiveOutput[]
}

const outpoint = ({ txid, index }: NaiveInput) => concat(txid.toReversed(), word(index))
const paid = ({ amountSat, script }: NaiveOutput) => concat(little(amountSat, 8), sized(script))

/** @param scriptSigs - by input; none is empty. */
export function naiveTx(
  { version, lockTime, inputs, outputs }: NaiveTx,
  scriptSigs: ReadonlyMap<number, Uint8Array> = new Map(),
): Uint8Array {
  const spent = inputs.map((input, i) => concat(outpoint(input), sized(scriptSigs.get(i) ?? NOTHING), word(input.sequence)))
  return concat(word(version), count(inputs.length), ...spent, count(outputs.length), ...outputs.map(paid), word(lockTime))
}

export interface NaiveSpending {
  readonly index: number
  readonly isSegwit: boolean
  readonly scriptCode: Uint8Array
  readonly amountSat: bigint
}

/** What is signed with SIGHASH_ALL. */
export function naiveDigest(tx: NaiveTx, { index, isSegwit, scriptCode, amountSat }: NaiveSpending): Uint8Array {
  if (!isSegwit) return twice(concat(naiveTx(tx, new Map([[index, scriptCode]])), word(1)))
  const input = tx.inputs[index] as NaiveInput
  const mine = concat(outpoint(input), sized(scriptCode), little(amountSat, 8), word(input.sequence))
  const sequences = twice(concat(...tx.inputs.map(({ sequence }) => word(sequence))))
  const all = concat(word(tx.version), twice(concat(...tx.inputs.map(outpoint))), sequences, mine)
  return twice(concat(all, twice(concat(...tx.outputs.map(paid))), word(tx.lockTime), word(1)))
}

/** A field of a PSBT: its type, what follows that in the key, and its value. */
export type Field = readonly [type: number, key: Uint8Array, value: Uint8Array]

const field = ([type, key, value]: Field) => concat(sized(concat(Uint8Array.of(type), key)), sized(value))
const map = (fields: readonly Field[]) => concat(...fields.map(field), Uint8Array.of(0))

export interface NaivePsbt {
  readonly version: 0 | 2
  readonly tx: NaiveTx
  /** By input and by output, without what is in the transaction. */
  readonly inputs: readonly (readonly Field[])[]
  readonly outputs: readonly (readonly Field[])[]
}

export function naivePsbt({ version, tx, inputs, outputs }: NaivePsbt): Uint8Array {
  const magic = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff)
  if (version === 0) return concat(magic, map([[0, NOTHING, naiveTx(tx)]]), ...inputs.map(map), ...outputs.map(map))
  const global: Field[] = [
    [0x02, NOTHING, word(tx.version)],
    [0x03, NOTHING, word(tx.lockTime)],
    [0x04, NOTHING, count(tx.inputs.length)],
    [0x05, NOTHING, count(tx.outputs.length)],
    [0xfb, NOTHING, word(2)],
  ]
  const spent = tx.inputs.map(({ txid, index, sequence }): Field[] => [
    [0x0e, NOTHING, txid.toReversed()],
    [0x0f, NOTHING, word(index)],
    [0x10, NOTHING, word(sequence)],
  ])
  const pays = tx.outputs.map(({ amountSat, script }): Field[] => [
    [0x03, NOTHING, little(amountSat, 8)],
    [0x04, NOTHING, script],
  ])
  const full = [...inputs.map((f, i) => [...f, ...(spent[i] as Field[])]), ...outputs.map((f, i) => [...f, ...(pays[i] as Field[])])]
  return concat(magic, map(global), ...full.map(map))
}

export const NO_KEY = NOTHING
export const witnessUtxo = (output: NaiveOutput): Field => [1, NOTHING, paid(output)]
