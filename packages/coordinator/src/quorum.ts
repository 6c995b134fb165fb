import type { PartyId } from '@conclave/core'
import { RUNNING_WEIGHT } from './node-loads.ts'

/** A node that may sign: it allowed the request and is connected. */
export interface Candidate {
  readonly index: PartyId
  /** How often it was blamed or waited for in this request. */
  readonly penalty: number
  /** How busy it is, in the unit of {@link NodeLoads.of}. */
  readonly load: number
  /** Of the last ping; 0 while there was none. */
  readonly roundTripMs: number
}

export interface QuorumQuestion {
  readonly threshold: number
  readonly candidates: readonly Candidate[]
  /** Whether two nodes hold ready pair state with each other. */
  pairReady(a: PartyId, b: PartyId): boolean
  /** How often exactly these signers, in ascending order, have failed this request. */
  failures(signers: readonly PartyId[]): number
}

/** As near as this is as good as here: what is below differs from ping to ping. */
const NEAR_MS = 8
/** What a set costs that is twice as far away: as much as one with so many more signatures under way. */
const FARTHER_RUNNING = 4

/** 0 up to 8 ms, then 1 up to 24, 2 up to 56, 3 up to 120 and so on: classes, so that the load is spread among nodes that are about as far. */
function distance(roundTripMs: number): number {
  return Math.floor(Math.log2(roundTripMs / NEAR_MS + 1))
}

/** Above every party, so that two parties in order make one number. */
const PAIR_NAMES = 256

function* subsets(items: readonly Candidate[], size: number, from = 0): Generator<readonly Candidate[]> {
  if (size === 0) {
    yield []
    return
  }
  for (let i = from; i <= items.length - size; i++) {
    for (const rest of subsets(items, size - 1, i + 1)) yield [items[i] as Candidate, ...rest]
  }
}

function everyPair(parties: readonly PartyId[], holds: (a: PartyId, b: PartyId) => boolean): boolean {
  return parties.every((a, i) => parties.slice(i + 1).every((b) => holds(a, b)))
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((v, i) => v !== b[i])
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number)
}

/**
 * Exactly `threshold` candidates whose pairs are all ready, in ascending order; undefined when there are none.
 *
 * First the sets that have failed least, so that every possible set has its turn and a set of honest nodes is found whatever the
 * others say of each other. Among them the least blamed nodes, then the nearest and least busy: a session goes at the pace of its farthest
 * signer, and far ones help out when the near ones are busy. At most C(9, 4) = 126 sets are looked at.
 */
export function chooseQuorum(question: QuorumQuestion): readonly PartyId[] | undefined {
  const { threshold, failures } = question
  // Every pair is in several sets.
  const known = new Map<number, boolean>()
  const pairReady = (a: PartyId, b: PartyId) => {
    const name = a * PAIR_NAMES + b
    const isReady = known.get(name) ?? question.pairReady(a, b)
    known.set(name, isReady)
    return isReady
  }
  const candidates = [...question.candidates].sort((a, b) => a.index - b.index)
  let best: { readonly signers: readonly PartyId[]; readonly cost: readonly number[] } | undefined
  for (const set of subsets(candidates, threshold)) {
    const signers = set.map((c) => c.index)
    if (!everyPair(signers, pairReady)) continue
    const penalty = set.reduce((sum, c) => sum + c.penalty, 0)
    const load = set.reduce((sum, c) => sum + c.load, 0)
    const farthest = Math.max(...set.map((c) => distance(c.roundTripMs)))
    const cost = [failures(signers), penalty, load + RUNNING_WEIGHT * FARTHER_RUNNING * farthest]
    if (best === undefined || compare(cost, best.cost) < 0) best = { signers, cost }
  }
  return best?.signers
}
