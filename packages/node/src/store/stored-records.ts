import { parseRecord, type RecordShelf, type ShelvedRecord } from '@conclave/vault'
import { decode, PendingKey, StoredKey, StoredPair } from '@conclave/wire'
import { type Store, StoreError } from './store.ts'

/** The sections that hold sealed records, and where in a value the record is. */
const SEALED = [
  { section: 'key', what: 'share', read: (value: Uint8Array) => decode(StoredKey, value).sealed },
  { section: 'pending-key', what: 'pending share', read: (value: Uint8Array) => decode(PendingKey, value).sealed },
  { section: 'pair', what: 'pair state', read: (value: Uint8Array) => decode(StoredPair, value).sealed },
] as const

/**
 * Every sealed record of a database whose node does not run, to look at and not to change. Each is expected to be what it says that it is:
 * whether that is the right one is found out by the node.
 */
export function storedRecords(store: Store): RecordShelf {
  const shelved = (name: string, record: Uint8Array): ShelvedRecord => ({
    name,
    context: parseRecord(record).context,
    record,
    async replace() {
      throw new StoreError('STORE_IO', 'the records of a node that does not run are not changed')
    },
  })
  return {
    async settled() {
      // Nobody else has the database.
    },
    async records() {
      const all = SEALED.map(async ({ section, what, read }) =>
        (await store.list(section)).map(({ key, value }) => shelved(`${what} ${key}`, read(value))),
      )
      return (await Promise.all(all)).flat()
    },
  }
}
