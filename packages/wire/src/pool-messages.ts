/** What nodes say of the correlation pool; part of control.proto. */
import { bytes, bytesOrEmpty, message, number, type ValueOf } from './schema.ts'

const HASH = bytes(32)
/** Correlations that one session makes at most. */
const CORRELATIONS_MAX = 32

export const PoolStatus = message('PoolStatus', {
  made: number(),
  used: number(),
  missed: number(),
  mismatched: number(),
  dropped: number(),
  refills: number(),
  declined: number(),
  failed: number(),
})
export const CorrelateOffer = message('CorrelateOffer', {
  pairId: HASH,
  nonce: HASH,
  count: number(CORRELATIONS_MAX),
  oldest: bytesOrEmpty(32),
})
export const CorrelateAccept = message('CorrelateAccept', { count: number(CORRELATIONS_MAX), oldest: bytesOrEmpty(32) })

export type PoolStatus = ValueOf<typeof PoolStatus>
export type CorrelateOffer = ValueOf<typeof CorrelateOffer>
export type CorrelateAccept = ValueOf<typeof CorrelateAccept>
