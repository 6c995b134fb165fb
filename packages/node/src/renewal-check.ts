import {
  type ClusterLock,
  ConclaveError,
  checkThreshold,
  InvalidArgument,
  nodeOf,
  type PartyId,
  parsePartySet,
  sameIdentity,
} from '@conclave/core'
import type { KeyPublic, RenewKey } from '@conclave/wire'

/** How far above the last epoch, or above what time gives, a new one may be: a coordinator must not be able to use up the numbers. */
const EPOCH_STEP_MAX = 1024

export interface RenewalFacts {
  readonly self: PartyId
  readonly lock: ClusterLock
  /** The certificate of the epoch that is dealt from, and the lock that it was made under. */
  readonly previous: KeyPublic
  readonly made: ClusterLock
}

const same = (a: readonly PartyId[], b: readonly PartyId[]): boolean => a.length === b.length && a.every((j, i) => b[i] === j)

/** What can be said of a renewal without knowing the key. @throws {InvalidArgument} BAD_RENEWAL, BAD_PARTY_SET, BAD_THRESHOLD. */
export function quorumIn(request: RenewKey, self: PartyId): readonly PartyId[] {
  const parties = parsePartySet(request.parties)
  const dealers = parsePartySet(request.dealers)
  if (!same(parties, request.parties) || !same(dealers, request.dealers))
    throw new InvalidArgument('BAD_PARTY_SET', 'parties and dealers are increasing lists')
  checkThreshold(request.threshold, parties.length)
  if (request.kind !== 'refresh' && request.kind !== 'reshare')
    throw new InvalidArgument('BAD_RENEWAL', 'a renewal is a refresh or a reshare')
  if (request.epoch <= request.fromEpoch) throw new InvalidArgument('BAD_RENEWAL', 'the new epoch must be above the old one')
  const quorum = parsePartySet([...new Set([...parties, ...dealers])])
  if (!quorum.includes(self)) throw new InvalidArgument('BAD_PARTY_SET', 'this node has no part in this renewal')
  return quorum
}

/**
 * Whether the cluster lock allows this renewal: the coordinator that asks for it decides nothing about who holds the key.
 *
 * @throws {InvalidArgument} BAD_REFRESH, BAD_RESHARE, BAD_THRESHOLD.
 */
export function checkRenewal(request: RenewKey, facts: RenewalFacts): void {
  const { lock, previous } = facts
  const moved = request.dealers.filter((j) => !keepsSeat(facts, j))
  if (request.kind === 'refresh') {
    const unchanged = same(request.parties, previous.parties) && same(request.dealers, previous.parties)
    if (!unchanged || request.threshold !== previous.threshold || moved.length > 0)
      throw new InvalidArgument(
        'BAD_REFRESH',
        'a refresh keeps the committee and the threshold, and every party deals: anything else is a reshare',
      )
    checkThresholdOf(request, facts)
    return
  }
  checkThresholdOf(request, facts)
  if (
    !same(
      request.parties,
      lock.nodes.map((n) => n.index),
    )
  )
    throw new InvalidArgument('BAD_RESHARE', 'a key is reshared to all nodes of the cluster lock')
  const fromOld = request.dealers.every((j) => previous.parties.includes(j))
  if (request.dealers.length !== previous.threshold || !fromOld || moved.length > 0)
    throw new InvalidArgument(
      'BAD_RESHARE',
      `a reshare is dealt by exactly ${previous.threshold} parties of the key that are still in the cluster lock`,
    )
}

/**
 * A threshold is the one that the key has, or the one that the operators have signed. Fewer would weaken the key; more would let one
 * node that then falls silent keep it from ever signing again.
 */
function checkThresholdOf({ threshold }: RenewKey, { lock, previous, made }: RenewalFacts): void {
  const { required } = lock.quorum
  const isAsBefore = threshold === previous.threshold && threshold >= required
  // "Fewer" is said by a lock that requires fewer than the one that the key was dealt under, and by no other change.
  const isAsSigned = threshold === required && (required >= previous.threshold || required < made.quorum.required)
  if (isAsBefore || isAsSigned) return
  throw new InvalidArgument(
    'BAD_THRESHOLD',
    `key "${previous.keyId}" needs ${previous.threshold} signers, the cluster lock ${required}: ${threshold} is neither`,
  )
}

/** Whether the seat of `j` is held by whoever attested the certificate there. */
function keepsSeat({ lock, made }: RenewalFacts, j: PartyId): boolean {
  const [now, then] = [nodeOf(lock, j)?.identity, nodeOf(made, j)?.identity]
  return now !== undefined && then !== undefined && sameIdentity(now, then)
}

export interface EpochFacts {
  readonly active: number
  readonly known: number
  readonly byNow: number
  readonly isStale: boolean
}

/**
 * @param active - the epoch that this node holds.
 * @param known - the highest epoch that some honest party has prepared, as far as this node can tell.
 * @param byNow - see {@link epochsByNow}.
 * @throws {ConclaveError} KEY_STALE, EPOCH_MISMATCH. {InvalidArgument} BAD_RENEWAL.
 */
export function checkEpoch(request: RenewKey, { active, known, byNow, isStale }: EpochFacts): void {
  const { keyId, epoch, fromEpoch } = request
  if (isStale && request.kind === 'refresh')
    throw new ConclaveError('KEY_STALE', `this node's share of key "${keyId}" was replaced while it was away: it needs a reshare`)
  if (isStale) return
  if (active !== fromEpoch)
    throw new ConclaveError('EPOCH_MISMATCH', `this node is in epoch ${active} of key "${keyId}"`, { retriable: true, details: { active } })
  if (epoch > Math.max(known + EPOCH_STEP_MAX, byNow))
    throw new InvalidArgument('BAD_RENEWAL', `epoch ${epoch} is too far above ${known}, the last one that was prepared`)
}
