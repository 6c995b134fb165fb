import { codeOf, equalBytes, fromHex, payloadHash } from '@conclave/core'
import { decodePayload, type Statement, type StatementItem, summaryHash } from '@conclave/policy'
import type { ReceiptDocument } from './receipt-document.ts'
import { refuse } from './receipt-error.ts'

type Item = ReceiptDocument['items'][number]

/**
 * R3: the payloads and what people were shown of them are those of the statement.
 *
 * @throws {ReceiptError} RECEIPT_PAYLOAD, RECEIPT_SUMMARY.
 */
export function checkItems({ items }: ReceiptDocument, statement: Statement): void {
  if (items.length !== statement.items.length) refuse('RECEIPT_PAYLOAD', `${items.length} payloads of ${statement.items.length} items`)
  for (const [i, stated] of statement.items.entries()) {
    const { payload, summary } = items[i] as Item
    if (!equalBytes(payloadHash(fromHex(payload)), stated.payloadHash)) refuse('RECEIPT_PAYLOAD', `payload ${i + 1} is another`)
    if (!equalBytes(summaryHash(statement.payloadType, summary), stated.summaryHash))
      refuse('RECEIPT_SUMMARY', `summary ${i + 1} is not what the nodes read in the payload`)
  }
}

/**
 * R4: the digests are those of the payloads, as this process reads them.
 *
 * @returns undefined; or the code of why a payload cannot be read here, so that the nodes' reading stands alone.
 * @throws {ReceiptError} RECEIPT_DIGEST.
 */
export function checkDigests({ items, key }: ReceiptDocument, { payloadType, items: stated }: Statement): string | undefined {
  const root = { publicKey: fromHex(key.publicKey), chainCode: fromHex(key.chainCode) }
  for (const [i, { digests }] of stated.entries()) {
    try {
      const read = decodePayload(payloadType, fromHex((items[i] as Item).payload), { key: root }).digests
      if (read.length !== digests.length || !read.every((d, j) => isDigest(d, digests, j)))
        refuse('RECEIPT_DIGEST', `what was signed of item ${i + 1} is not its payload`)
    } catch (error) {
      if (codeOf(error) === 'RECEIPT_DIGEST') throw error
      return codeOf(error)
    }
  }
  return undefined
}

function isDigest({ digest }: { readonly digest: Uint8Array }, stated: StatementItem['digests'], j: number): boolean {
  const one = stated[j]
  return one !== undefined && equalBytes(one.digest, digest)
}
