import { type Epochs, recordKey } from './key-records.ts'
import type { Change, Store } from './store.ts'
import type { Turns } from './turns.ts'

export interface EraserParts {
  readonly store: Store
  readonly turns: Turns
  readonly keys: Map<string, Epochs>
}

interface Doomed {
  readonly certified: readonly number[]
  readonly pending: readonly number[]
}

function doomedIn(epochs: Epochs | undefined, isDoomed: (epoch: number) => boolean): Doomed {
  const of = (all: ReadonlyMap<number, unknown> | undefined) => [...(all?.keys() ?? [])].filter(isDoomed)
  return { certified: of(epochs?.certified), pending: of(epochs?.pending) }
}

const deletions = (keyId: string, { certified, pending }: Doomed): readonly Change[] => [
  ...certified.map((e): Change => ({ del: 'key', key: recordKey(keyId, e) })),
  ...pending.map((e): Change => ({ del: 'pending-key', key: recordKey(keyId, e) })),
]

const epochsOf = ({ certified, pending }: Doomed): readonly number[] => [...certified, ...pending].sort((a, b) => a - b)

/** See `KeyStore.eraseBelow`. */
export function eraseBelow({ store, turns, keys }: EraserParts, keyId: string, epoch: number): Promise<readonly number[]> {
  return turns.take(async () => {
    const epochs = keys.get(keyId)
    if (epochs?.certified.has(epoch) !== true) return []
    const doomed = doomedIn(epochs, (e) => e < epoch)
    const all = epochsOf(doomed)
    if (all.length === 0) return []
    await store.apply(deletions(keyId, doomed))
    for (const e of doomed.certified) epochs.certified.delete(e)
    for (const e of doomed.pending) epochs.pending.delete(e)
    return all
  })
}

/** See `KeyStore.erase`. */
export function eraseAll(
  { store, turns, keys }: EraserParts,
  keyId: string,
  change: (epochs: readonly number[]) => Change,
): Promise<readonly number[]> {
  return turns.take(async () => {
    const doomed = doomedIn(keys.get(keyId), () => true)
    const all = epochsOf(doomed)
    await store.apply([...deletions(keyId, doomed), change(all)])
    keys.delete(keyId)
    return all
  })
}
