/** Scalars of tests as integers, read and written by themselves. */
import type { Scalar } from '../arithmetic.ts'

export const q = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

export const mod = (value: bigint): bigint => ((value % q) + q) % q

/** 32 bytes, big-endian, of a number below 2^256. */
export const bytesOf = (value: bigint): Uint8Array => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))

/** Any integer mod q. */
export const scalar = (value: bigint): Scalar => bytesOf(mod(value))

/** Big-endian, of any length. */
export const toBigint = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
