import { InvalidArgument, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Address, NETWORK, OutScript, TEST_NETWORK } from '@scure/btc-signer'
import type { BitcoinNetwork } from './decode-context.ts'
import { hash160 } from './hash160.ts'

/** Regtest differs from testnet in nothing but the prefix of Bech32. */
const NETWORKS = { mainnet: NETWORK, testnet: TEST_NETWORK, regtest: { ...TEST_NETWORK, bech32: 'bcrt' } } as const

/** The addresses of one key, one for each kind of output. */
export interface BitcoinAddresses {
  readonly p2pkh: string
  readonly p2shP2wpkh: string
  readonly p2wpkh: string
}

/** The output scripts of one key, of which its addresses are names. */
export interface BitcoinScripts {
  readonly p2pkh: Uint8Array
  readonly p2shP2wpkh: Uint8Array
  readonly p2wpkh: Uint8Array
}

function checkKey(publicKey: Uint8Array): void {
  if (publicKey.length !== 33) throw new InvalidArgument('BAD_PUBLIC_KEY', 'a public key is a compressed point of 33 bytes')
  // Money that is paid to the hash of anything else is lost.
  if (!secp256k1.utils.isValidPublicKey(publicKey, true)) throw new InvalidArgument('BAD_PUBLIC_KEY', 'not a point of secp256k1')
}

/** @throws {InvalidArgument} BAD_PUBLIC_KEY unless `publicKey` is 33 bytes of a point. */
export function bitcoinScripts(publicKey: Uint8Array): BitcoinScripts {
  checkKey(publicKey)
  const hash = hash160(publicKey)
  const segwit = OutScript.encode({ type: 'wpkh', hash })
  return {
    p2pkh: OutScript.encode({ type: 'pkh', hash }),
    p2shP2wpkh: OutScript.encode({ type: 'sh', hash: hash160(segwit) }),
    p2wpkh: segwit,
  }
}

/** @throws {InvalidArgument} BAD_PUBLIC_KEY. */
export function bitcoinAddresses(publicKey: Uint8Array, network: BitcoinNetwork): BitcoinAddresses {
  const scripts = bitcoinScripts(publicKey)
  const text = (script: Uint8Array) => describeScript(script, network)
  return { p2pkh: text(scripts.p2pkh), p2shP2wpkh: text(scripts.p2shP2wpkh), p2wpkh: text(scripts.p2wpkh) }
}

/** What rules compare of an output. */
export function scriptId(script: Uint8Array): string {
  return `script:${toHex(script)}`
}

/** The address of an output script, or the script itself where it has none. */
export function describeScript(script: Uint8Array, network: BitcoinNetwork): string {
  try {
    return Address(NETWORKS[network]).encode(OutScript.decode(script))
  } catch {
    // A script that has no address is shown as it is.
    return scriptId(script)
  }
}

/**
 * The id of the output that an address of any network pays to.
 *
 * @throws {InvalidArgument} BAD_ADDRESS.
 */
export function parseBitcoinAddress(text: string): string {
  for (const network of Object.values(NETWORKS)) {
    try {
      return scriptId(OutScript.encode(Address(network).decode(text)))
    } catch {
      // Perhaps of the next network.
    }
  }
  throw new InvalidArgument('BAD_ADDRESS', 'not an address of Bitcoin, nor 0x and 40 hexadecimal digits: mistyped?')
}
