import type { DigestSignature, ItemResult, SigningItem, SigningRecord, SigningResult } from './records.ts'
import type { TermsRecord } from './request-terms.ts'

/** An item with one digest, as records were stored before a payload could have several. */
type SingleItem = Omit<SigningItem, 'digests'> & { readonly digest: string }
type SingleResult = DigestSignature & Pick<ItemResult, 'signedTransaction'>
/** Without terms, as requests were before nodes asked for any. */
type Rest = Omit<SigningRecord, 'items' | 'result' | 'terms'> & { readonly terms?: TermsRecord }
type Stored<Item, Result> = Rest & {
  readonly items: readonly Item[]
  readonly result: { readonly signatures: readonly Result[]; readonly signers: readonly number[] } | null
}

/** As 0.1.0 stored a request: there was one item, and its fields were the request's. */
type OnlyItem = Rest & SingleItem & { readonly result: (SingleResult & Pick<SigningResult, 'signers'>) | null }

export type StoredSigning = Stored<SigningItem | SingleItem, ItemResult | SingleResult> | OnlyItem

function readItem(stored: SigningItem | SingleItem): SigningItem {
  if ('digests' in stored) return stored
  const { digest, ...item } = stored
  return { ...item, digests: [{ derivationPath: item.derivationPath, publicKey: item.publicKey, digest }] }
}

function readResult(stored: ItemResult | SingleResult): ItemResult {
  if ('signatures' in stored) return stored
  const { signature, recovery, signedTransaction } = stored
  return { signatures: [{ signature, recovery }], signedTransaction, signedPsbt: null }
}

function withItems(stored: StoredSigning): Stored<SigningItem | SingleItem, ItemResult | SingleResult> {
  if ('items' in stored) return stored
  const { derivationPath, publicKey, payload, digest, summary, result, ...rest } = stored
  const items = [{ derivationPath, publicKey, payload, digest, summary }]
  if (result === null) return { ...rest, items, result }
  const { signers, ...signature } = result
  return { ...rest, items, result: { signatures: [signature], signers } }
}

function termsOf({ requestId, requester, createdAtMs, deadlineAtMs }: Rest): TermsRecord {
  const times = { notBeforeMs: createdAtMs, expiresAtMs: deadlineAtMs }
  return { requester, nonce: requestId, ...times, keyEpoch: 0, signature: '' }
}

/** A record in its present form, whatever version stored it. */
export function readSigning(stored: StoredSigning): SigningRecord {
  const { items, result, terms, ...rest } = withItems(stored)
  const signed = result === null ? null : { ...result, signatures: result.signatures.map(readResult) }
  return { ...rest, terms: terms ?? termsOf(rest), items: items.map(readItem), result: signed }
}
