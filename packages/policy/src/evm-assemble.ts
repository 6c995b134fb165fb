import { InvalidArgument } from '@conclave/core'
import { Transaction } from 'micro-eth-signer'
import { decodePayload } from './decoded-payload.ts'
import { parseUnsigned } from './evm-transaction.ts'

function scalar(signature: Uint8Array, at: number): bigint {
  return signature.subarray(at, at + 32).reduce((n, byte) => (n << 8n) | BigInt(byte), 0n)
}

/**
 * The raw transaction that is broadcast: the payload with its signature.
 *
 * Guarantees that the signature is low-s and that *a* sender is recovered from it; whose, the caller compares.
 *
 * @param unsigned - the exact payload that was signed.
 * @param signature - r || s, 64 bytes, big-endian.
 * @param recovery - parity of R's y: 0 or 1. Ethereum cannot express 2 and 3, where r overflowed the group order.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE; BAD_SIGNATURE.
 */
export function assembleEvmTransaction(unsigned: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array {
  decodePayload('evm.tx', unsigned)
  if (signature.length !== 64) throw new InvalidArgument('BAD_SIGNATURE', 'a signature is r || s, 64 bytes')
  if (recovery !== 0 && recovery !== 1) throw new InvalidArgument('BAD_SIGNATURE', 'the recovery of an Ethereum signature is 0 or 1')
  const signed = { ...parseUnsigned(unsigned), r: scalar(signature, 0), s: scalar(signature, 32), yParity: recovery }
  try {
    const tx = new Transaction('eip1559', signed, { strict: false })
    tx.recoverSender()
    return tx.toBytes()
  } catch (cause) {
    throw new InvalidArgument('BAD_SIGNATURE', 'no sender can be recovered from this signature', {}, cause)
  }
}
