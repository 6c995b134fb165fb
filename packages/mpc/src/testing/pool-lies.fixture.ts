/** Sessions of parties 1, 3 and 5 that sign two digests; party 3 lies about its pool. */
import type { PartyId } from '@conclave/core'
import { type MessageField, SignCommit, SignLate, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import type { SignItem } from '../sign-request.ts'
import { type RequestChange, runSign, type SignOptions, testRequest } from './cluster.ts'
import { committee } from './committee.ts'
import { TestPool } from './pool.ts'
import type { InFlight } from './run.ts'

export const THREE: readonly PartyId[] = [1, 3, 5]
export const PAIRS: readonly (readonly [PartyId, PartyId])[] = [
  [1, 3],
  [1, 5],
  [3, 5],
]
export const ITEMS: readonly SignItem[] = [0, 1].map((i) => ({ digest: new Uint8Array(32).fill(i + 1), path: [] }))
export const ROUNDS: Readonly<Record<number, MessageField>> = {
  1: SignCommit,
  2: SignVole,
  3: SignOpen,
  4: SignPartial,
  5: SignLate,
  6: SignLate,
}

/** A stock of two entries in every pair of which `keep` does not say otherwise. */
export function stocked(seed: string, keep: (a: PartyId, b: PartyId) => readonly PartyId[] = (a, b) => [a, b]): TestPool {
  const pool = new TestPool()
  for (const [a, b] of PAIRS) pool.fill(a, b, seed, 2, keep(a, b))
  return pool
}

export const run = (pool: TestPool, options: SignOptions, change: RequestChange = {}): ReturnType<typeof runSign> =>
  runSign(committee(3, 5, THREE), testRequest(THREE, { items: ITEMS, ...change }), 'lies', { ...pool.options(THREE, 2), ...options })
export const to =
  (j: PartyId) =>
  (m: InFlight): boolean =>
    m.from === 3 && m.to === j
