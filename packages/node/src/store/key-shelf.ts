import type { RecordShelf, SealContext, ShelvedRecord } from '@conclave/vault'
import { encode, type KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import { type Epochs, recordKey } from './key-records.ts'
import type { Store } from './store.ts'
import type { Turns } from './turns.ts'
import type { Underway } from './underway.ts'

export interface KeyShelfParts {
  readonly store: Store
  readonly turns: Turns
  readonly underway: Underway
  readonly keys: ReadonlyMap<string, Epochs>
  contextOf(key: KeyPublic): SealContext
}

/** The sealed shares of a node, of every key and epoch, certified or not. */
export function keyShelf({ store, turns, underway, keys, contextOf }: KeyShelfParts): RecordShelf {
  /** The share may have become active meanwhile, which moves the record and leaves its seal. */
  const replace = (key: KeyPublic, sealed: Uint8Array, rewrapped: Uint8Array): Promise<boolean> =>
    turns.take(async () => {
      const epochs = keys.get(key.keyId)
      const name = recordKey(key.keyId, key.epoch)
      const [stored, pending] = [epochs?.certified.get(key.epoch), epochs?.pending.get(key.epoch)]
      if (stored?.sealed === sealed) {
        const next = { ...stored, sealed: rewrapped }
        await store.apply([{ put: 'key', key: name, value: encode(StoredKey, next) }])
        epochs?.certified.set(key.epoch, next)
        return true
      }
      if (pending?.sealed !== sealed) return false
      const next = { ...pending, sealed: rewrapped }
      await store.apply([{ put: 'pending-key', key: name, value: encode(PendingKey, next) }])
      epochs?.pending.set(key.epoch, next)
      return true
    })

  const shelved = (key: KeyPublic, sealed: Uint8Array): ShelvedRecord => ({
    name: `share of key ${key.keyId}, epoch ${key.epoch}`,
    context: contextOf(key),
    record: sealed,
    replace: (rewrapped) => replace(key, sealed, rewrapped),
  })

  return {
    settled: () => underway.settled(),
    records: async () =>
      [...keys.values()].flatMap(({ certified, pending }) => [
        ...[...certified.values()].map((s) => shelved(s.certificate.key, s.sealed)),
        ...[...pending.values()].map((p) => shelved(p.key, p.sealed)),
      ]),
  }
}
