/** Stands in for ../group.ts. */
import { mulBase, pointToBytes, q } from './arithmetic.ts'

export const baseTimes = (k: bigint): Uint8Array => pointToBytes(mulBase(k))
export const ORDER: bigint = q
