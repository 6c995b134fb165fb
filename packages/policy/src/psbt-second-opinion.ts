import { equalBytes } from '@conclave/core'
import { RawTx } from '@scure/btc-signer'
import { Transaction as OtherTransaction, Psbt } from 'bitcoinjs-lib'
import { undecodable } from './payload-facts.ts'

/** What one library made of a PSBT. */
export interface PsbtReading {
  readonly version: 0 | 2
  /** The transaction without signatures. */
  readonly unsignedTx: Uint8Array
  readonly inputs: readonly {
    /** As it is shown, so the other way round than in a transaction. */
    readonly txid: Uint8Array
    readonly index: number
    readonly sequence: number
    readonly amountSat: bigint
    readonly script: Uint8Array
    readonly previousTx: Uint8Array | undefined
  }[]
  readonly outputs: readonly { readonly script: Uint8Array; readonly amountSat: bigint }[]
}

type Input = PsbtReading['inputs'][number]

function disagree(what: string): never {
  undecodable('btc.psbt', `two libraries read ${what} differently`)
}

/** The whole transaction that is spent from has the id that is spent from, and at that place what was said. */
function confirmPrevious({ txid, index, amountSat, script, previousTx }: Input): void {
  if (previousTx === undefined) return
  const previous = OtherTransaction.fromBuffer(previousTx)
  const output = previous.outs[index]
  const isSame = output !== undefined && output.value === amountSat && equalBytes(output.script, script)
  if (!equalBytes(previous.getHash().toReversed(), txid))
    undecodable('btc.psbt', 'a previous transaction is not the one that is spent from')
  if (!isSame) disagree('an output that is spent')
}

/**
 * Has a second, independent library read the transaction: every input and output in it, and every previous transaction. Version 2, which it does not
 * know, it reads as the transaction that the first library made of it.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when it reads anything else, or the library's own error.
 */
export function confirmPsbt(psbt: Uint8Array, reading: PsbtReading): void {
  const { unsignedTx, inputs, outputs } = reading
  const tx = reading.version === 0 ? Psbt.fromBuffer(psbt).data.globalMap.unsignedTx.toBuffer() : unsignedTx
  if (!equalBytes(tx, unsignedTx)) disagree('the transaction')
  const other = OtherTransaction.fromBuffer(tx)
  const sameInput = (input: Input, i: number) => {
    const { hash, index, sequence } = other.ins[i] ?? disagree('the inputs')
    return equalBytes(hash.toReversed(), input.txid) && index === input.index && sequence === input.sequence
  }
  if (other.ins.length !== inputs.length || !inputs.every(sameInput)) disagree('the inputs')
  const sameOutput = ({ script, amountSat }: PsbtReading['outputs'][number], i: number) => {
    const output = other.outs[i] ?? disagree('the outputs')
    return output.value === amountSat && equalBytes(output.script, script)
  }
  if (other.outs.length !== outputs.length || !outputs.every(sameOutput)) disagree('the outputs')
  inputs.forEach(confirmPrevious)
}

/** The bytes of a transaction that the first library has taken apart. */
export function previousBytes(previous: Parameters<typeof RawTx.encode>[0] | undefined): Uint8Array | undefined {
  return previous === undefined ? undefined : RawTx.encode(previous)
}
