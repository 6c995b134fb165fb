import { type MadeReceipt, type Making, madeReceipt } from './made-receipt.fixture.ts'
import type { ReceiptDocument } from './receipt-document.ts'
import type { ReceiptCode } from './receipt-error.ts'
import type { VerifyReceiptOptions } from './verify-receipt.ts'

/** A receipt that a coordinator, or up to two nodes, made of what they have. */
export interface ReceiptAttack {
  /** Of docs/spec/receipt.md. */
  readonly check: string
  readonly name: string
  readonly code: ReceiptCode
  make(): Promise<ReceiptDocument>
  /** What whoever verifies has, if not {@link JUDGES}. */
  readonly judges?: VerifyReceiptOptions
}

type Change = (made: MadeReceipt, other: MadeReceipt) => Partial<ReceiptDocument>

/** The honest receipt with parts of another one, or of nothing. */
export function changed(change: Change, making: Making = {}): () => Promise<ReceiptDocument> {
  return async () => {
    const [made, other] = [await madeReceipt(making), await madeReceipt({ ...making, seed: 'another request' })]
    return { ...made.document, ...change(made, other) }
  }
}
