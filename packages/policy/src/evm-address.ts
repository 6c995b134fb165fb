import { ECDH } from 'node:crypto'
import { InvalidArgument } from '@conclave/core'
import { addr } from 'micro-eth-signer'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/

/**
 * An address with its EIP-55 checksum. The input is all lower case, all upper case (the checksum is added) or mixed (it is verified).
 *
 * @throws {InvalidArgument} BAD_ADDRESS.
 */
export function parseEvmAddress(text: string): string {
  if (!ADDRESS.test(text)) throw new InvalidArgument('BAD_ADDRESS', 'an address is 0x and 40 hexadecimal digits')
  if (!addr.isValid(text)) throw new InvalidArgument('BAD_ADDRESS', `the EIP-55 checksum of address ${text} does not match: mistyped?`)
  return addr.addChecksum(text)
}

/**
 * The EIP-55 address of a key: the last 20 bytes of keccak256 of the uncompressed point without its prefix.
 *
 * @param publicKey - compressed secp256k1 point, 33 bytes.
 * @throws {InvalidArgument} BAD_PUBLIC_KEY on another length or a point that is not on the curve.
 */
export function evmAddress(publicKey: Uint8Array): string {
  // The library takes 65 bytes too; one encoding per key is enough.
  if (publicKey.length !== 33) throw new InvalidArgument('BAD_PUBLIC_KEY', 'a public key is a compressed point of 33 bytes')
  try {
    // The native library finds the other coordinate; that it is one of the curve is checked again.
    return addr.fromPublicKey(new Uint8Array(ECDH.convertKey(publicKey, 'secp256k1') as Buffer))
  } catch (cause) {
    throw new InvalidArgument('BAD_PUBLIC_KEY', 'not a point of secp256k1', {}, cause)
  }
}
