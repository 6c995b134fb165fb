/** Stands in for ../group.ts. */
import { mulBase, pointToBytes } from './points.ts'

const SCALAR_BYTES = 32

export const ORDER: bigint = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
export const baseTimes = (k: bigint): Uint8Array =>
  pointToBytes(mulBase(Uint8Array.from(Buffer.from(k.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex'))))
