/** What a dealing is about, and everything that can be refused before a word of it is said. */
import { checkThreshold, equalBytes, InvalidArgument, type PartyId, parseKeyId, parsePartySet, type Random } from '@conclave/core'
import { isZero, type Scalar, scalarFromBytes } from './arithmetic.ts'
import { checkKeyPublic, type DealHeader, type Identities, type KeyPublic, type KeyShare, keyPublicHash, publicShareOf } from './key.ts'
import { mulBase, pointToBytes } from './points.ts'

/**
 * Where the shares come from: from nowhere (a new key), from the same parties' shares (refresh), or from the shares of `threshold`
 * parties of the previous committee (reshare). `share` is read, never kept or wiped: it stays the caller's.
 */
export type Dealing =
  | { readonly kind: 'create' }
  | { readonly kind: 'refresh'; readonly previous: KeyPublic; readonly share: KeyShare }
  | {
      readonly kind: 'reshare'
      readonly previous: KeyPublic
      /** Exactly `previous.threshold` of `previous.parties`, increasing. */
      readonly dealers: readonly PartyId[]
      /** Of the dealers only. */
      readonly share?: KeyShare | undefined
    }

export interface DealContext {
  /** A dealer or a party of the committee. */
  readonly self: PartyId
  /** The committee that will hold the shares, increasing. */
  readonly parties: readonly PartyId[]
  readonly threshold: number
  /** 0 for a new key, otherwise above the previous one. */
  readonly epoch: number
  /** 32 bytes, of the lock in force now. */
  readonly clusterContext: Uint8Array
  readonly keyId: string
  /** 32 bytes, fresh for this run, the same in the whole quorum. */
  readonly nonce: Uint8Array
  /** At least of the committee. */
  readonly identities: Identities
  readonly random: Random
  readonly dealing: Dealing
}

/** What decides who takes part; a job that has not been opened yet knows it as well. */
export interface DealRoles {
  readonly parties: readonly PartyId[]
  readonly dealing: { readonly kind: 'create' | 'refresh' } | { readonly kind: 'reshare'; readonly dealers: readonly PartyId[] }
}

/** Who deals, increasing: the committee itself unless it is a reshare. */
export function dealersOf({ parties, dealing }: DealRoles): readonly PartyId[] {
  return dealing.kind === 'reshare' ? dealing.dealers : parties
}

/** Who takes part in the session: dealers and new parties, increasing. */
export function quorumOf(roles: DealRoles): readonly PartyId[] {
  return [...new Set([...dealersOf(roles), ...roles.parties])].sort((a, b) => a - b)
}

/** How many coefficients party j commits to: none unless it deals, and in a refresh not the constant term, which is 0. */
export function coefficientCount(ctx: DealContext, j: PartyId): number {
  if (!dealersOf(ctx).includes(j)) return 0
  return ctx.threshold - lowestPower(ctx)
}

/** The power of x that the first coefficient on the wire belongs to. */
export const lowestPower = ({ dealing }: Pick<DealContext, 'dealing'>): 0 | 1 => (dealing.kind === 'refresh' ? 1 : 0)

/** What `sid` and with it the certificate bind beside what was said. */
export function describeDeal(ctx: DealContext): DealHeader {
  const { clusterContext, keyId, epoch, threshold, parties, nonce, dealing } = ctx
  const previous = dealing.kind === 'create' ? undefined : dealing.previous
  return {
    clusterContext,
    keyId,
    origin: dealing.kind,
    previousEpoch: previous?.epoch ?? 0,
    epoch,
    previous: previous === undefined ? new Uint8Array(0) : keyPublicHash(previous),
    threshold,
    parties: [...parties],
    dealers: [...dealersOf(ctx)],
    nonce,
  }
}

/** x_i of the share that is dealt from: a copy, the caller's to wipe. */
export function secretScalar(share: KeyShare): Scalar {
  const x = scalarFromBytes(share.secret.bytes)
  if (x === undefined || isZero(x)) throw new InvalidArgument('BAD_KEY', 'the key share is not a scalar')
  return x
}

const isIncreasing = (parties: readonly PartyId[]): boolean => parsePartySet(parties).every((j, i) => parties[i] === j)

/** Dealing from another share than the one that the certificate knows would only show up at the others, as our cheat. */
function checkShare(share: KeyShare, previous: KeyPublic, self: PartyId): void {
  const x = secretScalar(share)
  const point = pointToBytes(mulBase(x))
  x.fill(0)
  if (!equalBytes(point, publicShareOf(previous, self)))
    throw new InvalidArgument('BAD_KEY', 'this share does not belong to the key that is dealt from')
}

function checkPrevious({ keyId, epoch }: DealContext, previous: KeyPublic): void {
  checkKeyPublic(previous)
  if (previous.keyId !== keyId) throw new InvalidArgument('BAD_KEY', 'the shares that are dealt from belong to another key')
  if (epoch <= previous.epoch) throw new InvalidArgument('BAD_EPOCH', 'a new epoch is above the one that it is dealt from')
}

function checkDealing(ctx: DealContext): void {
  const { self, parties, threshold, epoch, dealing } = ctx
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffffffff || (dealing.kind === 'create') !== (epoch === 0))
    throw new InvalidArgument('BAD_EPOCH', 'a new key has epoch 0 and no other has')
  if (dealing.kind === 'create') return
  const { previous, share } = dealing
  checkPrevious(ctx, previous)
  if (dealing.kind === 'refresh') {
    // CVE-2025-58359: whoever may change t here needs no quorum to weaken the key. Only a reshare changes t, and all see it.
    if (threshold !== previous.threshold || parties.length !== previous.parties.length || parties.some((j, i) => j !== previous.parties[i]))
      throw new InvalidArgument('BAD_REFRESH', 'a refresh keeps the committee and its threshold')
  } else {
    const { dealers } = dealing
    if (!isIncreasing(dealers) || dealers.length !== previous.threshold || !dealers.every((j) => previous.parties.includes(j)))
      throw new InvalidArgument('BAD_RESHARE', 'a reshare is dealt by exactly as many parties as a signature needs')
    if (dealers.includes(self) !== (share !== undefined))
      throw new InvalidArgument('BAD_RESHARE', 'a dealer has a share to deal from, and nobody else')
  }
  if (share !== undefined) checkShare(share, previous, self)
}

/**
 * Refuses what no honest party would take part in. A party 0 would be dealt the constant terms, and two parties with one index would
 * hold one share.
 *
 * @throws {InvalidArgument} BAD_THRESHOLD, BAD_PARTY, BAD_PARTY_SET, BAD_COMMITTEE, BAD_KEY_ID, BAD_KEY, BAD_EPOCH, BAD_REFRESH, BAD_RESHARE.
 */
export function checkDeal(ctx: DealContext): void {
  const { self, parties, threshold, clusterContext, keyId, nonce, identities } = ctx
  parseKeyId(keyId)
  checkThreshold(threshold, parties.length)
  if (!isIncreasing(parties) || !quorumOf(ctx).includes(self))
    throw new InvalidArgument('BAD_PARTY_SET', 'a committee is an increasing list, and this party takes part')
  // Found out after attesting, it would leave a share pending for ever at every party.
  if (nonce.length !== 32 || clusterContext.length !== 32 || !parties.every((j) => identities.has(j))) {
    throw new InvalidArgument('BAD_COMMITTEE', 'a dealing needs a nonce and a cluster of 32 bytes, and the identity of every party')
  }
  checkDealing(ctx)
}
