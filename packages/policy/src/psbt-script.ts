import { equalBytes } from '@conclave/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { OutScript } from '@scure/btc-signer'
import { hash160 } from './hash160.ts'
import { undecodable } from './payload-facts.ts'

/** How an output is spent: which digest is signed, over which script. */
export interface Spending {
  /** For a person: P2PKH, P2SH-P2WPKH, P2WSH 2-of-3, ... */
  readonly name: string
  /** BIP143, or the digest of before. */
  readonly isSegwit: boolean
  /** What is hashed in the place of the output script. */
  readonly scriptCode: Uint8Array
  /** Whether a key is one of those that the script asks for. */
  asksFor(publicKey: Uint8Array): boolean
}

export interface InputScripts {
  readonly redeemScript?: Uint8Array | undefined
  readonly witnessScript?: Uint8Array | undefined
}

const keyHashScript = (hash: Uint8Array) => OutScript.encode({ type: 'pkh', hash })

function spendKeyHash(name: string, hash: Uint8Array, isSegwit: boolean): Spending {
  return { name, isSegwit, scriptCode: keyHashScript(hash), asksFor: (publicKey) => equalBytes(hash160(publicKey), hash) }
}

/** A script that stands behind a hash: for one key, or for some of several. */
function spendScript(name: string, script: Uint8Array, isSegwit: boolean): Spending {
  const decoded = OutScript.decode(script)
  if (decoded.type === 'pk') {
    const { pubkey } = decoded
    return { name: `${name} single key`, isSegwit, scriptCode: script, asksFor: (publicKey) => equalBytes(pubkey, publicKey) }
  }
  if (decoded.type === 'ms') {
    const { m, pubkeys } = decoded
    const asksFor = (publicKey: Uint8Array) => pubkeys.some((pubkey) => equalBytes(pubkey, publicKey))
    return { name: `${name} ${m}-of-${pubkeys.length}`, isSegwit, scriptCode: script, asksFor }
  }
  if (decoded.type === 'pkh') return { ...spendKeyHash(`${name} key hash`, decoded.hash, isSegwit), scriptCode: script }
  return undecodable('btc.psbt', `${name} script of a kind that is not signed`)
}

function spendWitnessScript(name: string, hash: Uint8Array, witnessScript: Uint8Array | undefined): Spending {
  if (witnessScript === undefined || !equalBytes(sha256(witnessScript), hash))
    undecodable('btc.psbt', 'a witness script is missing or not the one that is paid to')
  return spendScript(name, witnessScript as Uint8Array, true)
}

function spendRedeemScript(hash: Uint8Array, { redeemScript, witnessScript }: InputScripts): Spending {
  if (redeemScript === undefined || !equalBytes(hash160(redeemScript), hash))
    undecodable('btc.psbt', 'a redeem script is missing or not the one that is paid to')
  const redeem = redeemScript as Uint8Array
  const decoded = OutScript.decode(redeem)
  if (decoded.type === 'wpkh') return spendKeyHash('P2SH-P2WPKH', decoded.hash, true)
  if (decoded.type === 'wsh') return spendWitnessScript('P2SH-P2WSH', decoded.hash, witnessScript)
  return spendScript('P2SH', redeem, false)
}

/**
 * How an output is spent, from its script and from those scripts behind it whose hashes it holds.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when a script is missing, is not the one whose hash is paid to, or is of a kind that is not signed.
 */
export function spendingOf(outputScript: Uint8Array, scripts: InputScripts): Spending {
  const decoded = OutScript.decode(outputScript)
  if (decoded.type === 'pkh') return spendKeyHash('P2PKH', decoded.hash, false)
  if (decoded.type === 'wpkh') return spendKeyHash('P2WPKH', decoded.hash, true)
  if (decoded.type === 'sh') return spendRedeemScript(decoded.hash, scripts)
  if (decoded.type === 'wsh') return spendWitnessScript('P2WSH', decoded.hash, scripts.witnessScript)
  return undecodable('btc.psbt', `outputs of kind "${decoded.type}" are not spent`)
}
