import type { PartyId } from '@conclave/core'
import type { PairState } from '../pair-state.ts'
import { type DealRun, runDkg, runPair, type TestCluster } from './cluster.ts'

/** What is expensive to make and never changed: one of each per process, whichever test comes first. */
const keys = new Map<string, DealRun>()
const pairs = new Map<string, ReadonlyMap<PartyId, PairState>>()

function once<V>(memo: Map<string, V>, name: string, make: () => V): V {
  const made = memo.get(name) ?? make()
  memo.set(name, made)
  return made
}

export const partiesOf = (n: number): readonly PartyId[] => Array.from({ length: n }, (_, i) => i + 1)

/** The key of parties 1..n with threshold t. */
export const keyOf = (t: number, n: number): DealRun => once(keys, `${t}/${n}`, () => runDkg(partiesOf(n), t, `committee/${t}/${n}`))

/** Both ends of the pair of a and b, by party. A pair belongs to its nodes, so it serves every key. */
export const pairOf = (a: PartyId, b: PartyId): ReadonlyMap<PartyId, PairState> =>
  once(pairs, `${Math.min(a, b)}/${Math.max(a, b)}`, () => runPair(a, b, 'committee').results)

/** A t-of-n key with the pair states among `quorum`. */
export function committee(t: number, n: number, quorum: readonly PartyId[]): TestCluster {
  const held = (self: PartyId) => new Map(quorum.filter((j) => j !== self).map((j) => [j, pairOf(self, j).get(self) as PairState] as const))
  return { shares: keyOf(t, n).shares, pairs: new Map(quorum.map((j) => [j, held(j)])) }
}
