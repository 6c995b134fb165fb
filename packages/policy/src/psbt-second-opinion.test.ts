import { fromHex } from '@conclave/core'
import { Transaction } from '@scure/btc-signer'
import { expect } from 'chai'
import { decodePayload } from './decoded-payload.ts'
import { failure, previousOf, psbtOf, ROOT, scriptsOf } from './psbt.fixture.ts'
import { confirmPsbt, type PsbtReading } from './psbt-second-opinion.ts'

const decode = (psbt: Uint8Array) => decodePayload('btc.psbt', psbt, { key: ROOT })

describe('btc.psbt: a second opinion', () => {
  it('btc.psbt: what two libraries do not read alike is refused, whatever it is', () => {
    const psbt = psbtOf()
    const tx = Transaction.fromPSBT(psbt)
    const previous = [0, 1].map((i) =>
      previousOf(scriptsOf(i === 0 ? 'p2wpkh' : 'p2pkh', [0, 5 + i]).script, i === 0 ? 60_000n : 50_000n, i),
    )
    const inputs = decode(psbt).inputs.map((input, i) => ({
      ...input,
      txid: fromHex(input.txid),
      sequence: 0xfffffffd,
      previousTx: previous[i],
    }))
    const reading: PsbtReading = { version: 0, unsignedTx: tx.unsignedTx, inputs, outputs: decode(psbt).outputs }
    const confirmed = (changes: Partial<PsbtReading>) => failure(() => confirmPsbt(psbt, { ...reading, ...changes }))
    expect(confirmed({})).equal('accepted')
    const [first, second] = inputs
    const [paid, back] = reading.outputs
    if (first === undefined || second === undefined || paid === undefined || back === undefined) throw new Error('two of each')
    const changes: readonly Partial<PsbtReading>[] = [
      { unsignedTx: Transaction.fromPSBT(psbtOf({ lockTime: 1 })).unsignedTx },
      ...[{ inputs: [first] }, { inputs: [first, second, second] }, { inputs: [second, first] }],
      ...[
        { sequence: 1 },
        { index: 0 },
        { txid: second.txid },
        { amountSat: 1n },
        { script: second.script },
        { previousTx: previous[1] },
        { previousTx: previousOf(first.script, first.amountSat, 99) },
      ].map((c) => ({
        inputs: [{ ...first, ...c }, second],
      })),
      ...[{ outputs: [paid] }, { outputs: [back, paid] }, { outputs: [paid, back, back] }],
      ...[{ amountSat: 1n }, { script: back.script }].map((c) => ({ outputs: [{ ...paid, ...c }, back] })),
    ]
    for (const [i, change] of changes.entries())
      expect(confirmed(change), `case ${i}`).match(/two libraries read|not the one that is spent from/)
  })
})
