import { formatPath, toHex } from '@conclave/core'
import { describeScript } from './bitcoin-address.ts'
import type { PayloadDigest } from './payload-facts.ts'
import { decimal } from './printable.ts'
import type { DecodedPsbt, PsbtInput, PsbtOutput } from './psbt.ts'
import type { SummaryLine } from './summary.ts'

const coins = (sat: bigint) => `${decimal(sat, 8)} BTC (${sat} sat)`
// BIP68 and BIP113: from here on a lock time is seconds since 1970, below it is the height of a block.
const LOCK_TIME_SECONDS_MIN = 500_000_000

function describeInput({ txid, index, amountSat, key, spending }: PsbtInput): string {
  return `${coins(amountSat)} of ${formatPath(key.path)}, ${spending.name}, from ${txid}:${index}`
}

function describeOutput({ amountSat, script, changePath }: PsbtOutput, network: DecodedPsbt['network']): string {
  const back = changePath === undefined ? '' : `change, back to ${formatPath(changePath)}: `
  return `${back}${coins(amountSat)} to ${describeScript(script, network)}`
}

function describeLockTime(lockTime: number): string {
  if (lockTime === 0) return 'none'
  return lockTime < LOCK_TIME_SECONDS_MIN ? `block ${lockTime}` : new Date(lockTime * 1000).toISOString()
}

type Said = Pick<DecodedPsbt, 'version' | 'network' | 'lockTime' | 'inputs' | 'outputs' | 'feeSat' | 'sentSat'>

/** What a person reads before approving: everything that is spent, everybody who is paid, and what is lost in fees; amounts are exact. */
export function summarizePsbt(psbt: Said, digests: readonly PayloadDigest[]): readonly SummaryLine[] {
  const { inputs, outputs, network } = psbt
  return [
    { label: 'Type', value: `Bitcoin transaction (PSBT version ${psbt.version})` },
    { label: 'Network of addresses', value: network },
    { label: 'Amount sent', value: coins(psbt.sentSat) },
    { label: 'Fee', value: coins(psbt.feeSat) },
    ...inputs.map((input, i) => ({ label: `Input ${i}`, value: describeInput(input) })),
    ...outputs.map((output, i) => ({ label: `Output ${i}`, value: describeOutput(output, network) })),
    { label: 'Lock time', value: describeLockTime(psbt.lockTime) },
    ...digests.map(({ digest }, i) => ({ label: `Digest ${i}`, value: `0x${toHex(digest)}` })),
  ]
}
