/** What a node says of a request that it signed, and where in its log that stands: receipt.proto. */
import { bytes, bytesBetween, bytesOrEmpty, list, message, number, type ValueOf } from './schema.ts'

export const RECEIPT_PART_BYTES_MAX = 2 * 1024 * 1024
/** Of one request. */
export const RECEIPT_ENTRIES_MAX = 512
/** Verdict, approval, beginning and end of a session. */
const RECEIPT_KIND_MAX = 3

export const ReceiptRequest = message('ReceiptRequest', { requestId: bytes(32), sid: bytesOrEmpty(32) })
export const ReceiptPart = message('ReceiptPart', { receipt: bytesBetween(1, RECEIPT_PART_BYTES_MAX) })

export const LoggedEntry = message('LoggedEntry', { index: bytes(8), kind: number(RECEIPT_KIND_MAX) })
export const StoredReceipt = message('StoredReceipt', { entries: list(LoggedEntry, RECEIPT_ENTRIES_MAX) })

export type ReceiptRequest = ValueOf<typeof ReceiptRequest>
export type StoredReceipt = ValueOf<typeof StoredReceipt>
