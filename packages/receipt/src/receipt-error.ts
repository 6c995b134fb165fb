import { ConclaveError } from '@conclave/core'

/** Each says which of the checks of docs/spec/receipt.md failed. */
export type ReceiptCode =
  | 'RECEIPT_TOO_LARGE'
  | 'RECEIPT_MALFORMED'
  | 'RECEIPT_OTHER_CLUSTER'
  | 'RECEIPT_PAYLOAD'
  | 'RECEIPT_SUMMARY'
  | 'RECEIPT_DIGEST'
  | 'RECEIPT_KEY'
  | 'RECEIPT_SIGNATURE'
  | 'RECEIPT_POLICY'
  | 'RECEIPT_REQUESTER'
  | 'RECEIPT_APPROVAL'
  | 'RECEIPT_QUORUM'
  | 'RECEIPT_CHECKPOINT'
  | 'RECEIPT_UNWITNESSED'
  | 'RECEIPT_INCLUSION'
  | 'RECEIPT_VERDICT'
  | 'RECEIPT_SESSION'
  | 'RECEIPT_OUTCOME'
  | 'RECEIPT_OTHER_POLICY'
  | 'RECEIPT_APPROVALS_MISSING'
  | 'RECEIPT_INCOMPLETE'

/** A receipt does not prove what it says, or there is none yet. */
export class ReceiptError extends ConclaveError {}

export function refuse(code: ReceiptCode, message: string, cause?: unknown): never {
  throw new ReceiptError(code, `receipt: ${message}`, cause === undefined ? {} : { cause })
}
