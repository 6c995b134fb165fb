import { ConclaveError, InvalidArgument, toHex } from '@conclave/core'
import { Transaction } from 'micro-eth-signer'
import { parseUnsigned, type UnsignedEvm } from './evm-transaction.ts'

/** The order of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function scalar(signature: Uint8Array, at: number): bigint {
  return BigInt(`0x${toHex(signature.subarray(at, at + 32))}`)
}

function parsed(unsigned: Uint8Array): UnsignedEvm {
  try {
    return parseUnsigned(unsigned)
  } catch (cause) {
    if (cause instanceof ConclaveError) throw cause
    throw new InvalidArgument('PAYLOAD_UNDECODABLE', 'not a valid evm.tx payload', {}, cause)
  }
}

/**
 * The raw transaction that is broadcast: the payload with its signature.
 *
 * Guarantees that both halves of the signature are in range and that it is low-s. Under which key it verifies, and with which recovery,
 * the caller has found out before.
 *
 * @param unsigned - the exact payload that was signed.
 * @param signature - r || s, 64 bytes, big-endian.
 * @param recovery - parity of R's y: 0 or 1. Ethereum cannot express 2 and 3, where r overflowed the group order.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE; BAD_SIGNATURE.
 */
export function assembleEvmTransaction(unsigned: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array {
  const { type, raw } = parsed(unsigned)
  if (signature.length !== 64) throw new InvalidArgument('BAD_SIGNATURE', 'a signature is r || s, 64 bytes')
  if (recovery !== 0 && recovery !== 1) throw new InvalidArgument('BAD_SIGNATURE', 'the recovery of an Ethereum signature is 0 or 1')
  const [r, s] = [scalar(signature, 0), scalar(signature, 32)]
  if (r === 0n || r >= ORDER || s === 0n || s > ORDER / 2n) throw new InvalidArgument('BAD_SIGNATURE', 'r or s is out of range')
  const options = { strict: false } as const
  const signed = { r, s, yParity: recovery } as const
  if (type === 'eip1559') return new Transaction(type, { ...raw, ...signed }, options).toBytes()
  if (type === 'eip2930') return new Transaction(type, { ...raw, ...signed }, options).toBytes()
  return new Transaction(type, { ...raw, ...signed }, options).toBytes()
}
