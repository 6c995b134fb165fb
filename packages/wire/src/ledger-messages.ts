/** What a node keeps of what it may have helped to spend: ledger.proto. */
import { DIGESTS_MAX } from './request-messages.ts'
import { bytes, list, message, text, type ValueOf } from './schema.ts'

/** Of one payload. */
const MEASURES_MAX = 64

export const StoredMeasure = message('StoredMeasure', { name: text(64), amount: text(128) })
export const StoredSpendItem = message('StoredSpendItem', {
  rule: text(128),
  chainId: text(80),
  measures: list(StoredMeasure, MEASURES_MAX),
})
export const StoredSpend = message('StoredSpend', {
  requestId: bytes(32),
  keyId: text(63),
  at: bytes(8),
  items: list(StoredSpendItem, DIGESTS_MAX, 1),
})

export type StoredSpend = ValueOf<typeof StoredSpend>
