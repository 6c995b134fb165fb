import { ConclaveError, codeOf, fromHex, messageOf, type PartyId } from '@conclave/core'
import { assembleReceipt, sessionOfPart } from './assemble-receipt.ts'
import { ReceiptError } from './receipt-error.ts'
import type { VerifyReceiptOptions } from './verify-receipt.ts'

export interface CollectReceipt extends VerifyReceiptOptions {
  /** Whom to ask which session it was, the first one first. */
  readonly nodes: readonly PartyId[]
  /**
   * What one node says of a request.
   *
   * @param sid - 32 bytes: of this session; empty: of the one that it has signed in.
   */
  ask(node: PartyId, sid: Uint8Array): Promise<Uint8Array>
}

const ANY = new Uint8Array(0)
/** They say that there is a receipt, but not yet. */
const WAITS = new Set(['RECEIPT_NOT_READY'])

interface First {
  readonly node: PartyId
  readonly part: Uint8Array
}

/** The first node that has signed it; without one, the most telling reason why not. */
async function firstPart({ nodes, ask }: CollectReceipt): Promise<First> {
  let reason: unknown
  for (const node of nodes) {
    try {
      return { node, part: await ask(node, ANY) }
    } catch (error) {
      if (reason === undefined || WAITS.has(codeOf(error))) reason = error
    }
  }
  throw reason ?? new ConclaveError('NO_RECEIPT', 'no node that may have signed it can be asked', { retriable: true })
}

/**
 * Asks each node that signed for its part, and makes a receipt of them that verifies.
 *
 * @throws {ConclaveError} RECEIPT_NOT_READY (retriable) while a log has no cosigned checkpoint behind it, NO_RECEIPT when nobody has
 * signed; {ReceiptError} RECEIPT_INCOMPLETE (retriable) when a signer cannot be asked, and what {@link assembleReceipt} throws.
 */
export async function collectReceipt(options: CollectReceipt): Promise<Uint8Array> {
  const first = await firstPart(options)
  const { sid, signers } = sessionOfPart(first.part)
  const parts: Uint8Array[] = []
  for (const node of signers) {
    try {
      parts.push(node === first.node ? first.part : await options.ask(node, fromHex(sid)))
    } catch (cause) {
      if (WAITS.has(codeOf(cause))) throw cause
      throw new ReceiptError('RECEIPT_INCOMPLETE', `receipt: node ${node} signed too, and says: ${messageOf(cause)}`, {
        cause,
        retriable: true,
      })
    }
  }
  return assembleReceipt(parts, options)
}
