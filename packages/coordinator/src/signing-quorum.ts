import type { PartyId } from '@conclave/core'
import type { ClusterView } from './cluster-view.ts'
import { isInUse } from './key-lives.ts'
import type { NodeLoads } from './node-loads.ts'
import { chooseQuorum } from './quorum.ts'
import type { AttemptRecord, KeyRecord, SigningRecord } from './records.ts'
import { usableSharings } from './sharings.ts'

/** What a signer answers that has gone on to another epoch, goes on to another policy, or leaves: news, and nobody's fault. */
const MOVED_ON: ReadonlySet<string> = new Set(['STALE_EPOCH', 'EPOCH_MISMATCH', 'POLICY_STALE', 'DRAINING'])
/** The code of an attempt that one of its signers did not allow. */
export const DENIED = 'DENIED'
/** As often per request it costs nothing; a node that says so for ever must not keep a request alive for ever. */
export const MOVES_FORGIVEN_MAX = 5

export function hasMovedOn(code: string): boolean {
  return MOVED_ON.has(code)
}

export interface Quorum {
  /** In ascending order. */
  readonly signers: readonly PartyId[]
  /** Under which all of them hold a share. */
  readonly epoch: number
}

export interface QuorumSearch {
  readonly view: ClusterView
  readonly loads: NodeLoads
  /** As it is known now. */
  readonly key: KeyRecord
  readonly request: Pick<SigningRecord, 'attempts' | 'items'>
  /** Nodes that may be asked: connected, and they allow the request. */
  readonly allowing: readonly PartyId[]
}

/** The attempts that count: without those that only met nodes on their way to another epoch or policy, or began with one that says no. */
export function countedAttempts(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  let forgiven = 0
  return attempts.filter(({ code, culprits }) => {
    const isNews = code !== null && (hasMovedOn(code) || code === DENIED) && culprits.length === 0
    return !isNews || ++forgiven > MOVES_FORGIVEN_MAX
  })
}

/**
 * Who signs next: exactly the threshold of nodes that all report one epoch active and the key in use, at the highest epoch that has such a quorum;
 * undefined when none has.
 */
export function chooseSigners({ view, loads, key, request, allowing }: QuorumSearch): Quorum | undefined {
  const failed = countedAttempts(request.attempts).filter((a) => a.outcome === 'failed')
  const count = (list: (a: AttemptRecord) => readonly number[], party: PartyId) => failed.filter((a) => list(a).includes(party)).length
  const penalty = (party: PartyId) =>
    2 * count((a) => a.culprits, party) + count((a) => a.waitingFor, party) + count((a) => a.refusedBy, party)
  // A drill is to show that some node signs, also a far one: all have their turn.
  const isDrill = request.items.every(({ payload }) => payload.type === 'drill')
  const roundTrips = isDrill ? new Map<PartyId, number>() : view.roundTrips()
  for (const sharing of usableSharings(view.lock, (i) => view.report(i)?.status, key)) {
    const able = allowing.filter((party) => sharing.nodes.includes(party) && isInUse(view, party, key.keyId))
    const signers = chooseQuorum({
      threshold: sharing.key.threshold,
      candidates: able.map((index) => ({
        ...{ index, penalty: penalty(index), load: loads.of(index), roundTripMs: roundTrips.get(index) ?? 0 },
      })),
      pairReady: (a, b) => view.pairReady(a, b),
      failures: (set) => failed.filter((a) => a.signers.join() === set.join()).length,
    })
    if (signers !== undefined) return { signers, epoch: sharing.key.epoch }
  }
  return undefined
}
