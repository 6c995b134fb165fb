import type { DigestSignature, ItemResult, SigningItem, SigningRecord, SigningResult } from './records.ts'

/** An item with one digest, as records were stored before a payload could have several. */
type SingleItem = Omit<SigningItem, 'digests'> & { readonly digest: string }
type SingleResult = DigestSignature & Pick<ItemResult, 'signedTransaction'>
type Stored<Item, Result> = Omit<SigningRecord, 'items' | 'result'> & {
  readonly items: readonly Item[]
  readonly result: { readonly signatures: readonly Result[]; readonly signers: readonly number[] } | null
}

/** As 0.1.0 stored a request: there was one item, and its fields were the request's. */
type OnlyItem = Omit<SigningRecord, 'items' | 'result'> &
  SingleItem & { readonly result: (SingleResult & Pick<SigningResult, 'signers'>) | null }

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

/** A record in its present form, whatever version stored it. */
export function readSigning(stored: StoredSigning): SigningRecord {
  const { items, result, ...rest } = withItems(stored)
  const signed = result === null ? null : { ...result, signatures: result.signatures.map(readResult) }
  return { ...rest, items: items.map(readItem), result: signed }
}
