import type { PartyId } from '@conclave/core'
import type { RenewKey } from '@conclave/wire'

/** What one fake node holds of a key, as it reports it. */
export interface FakeShare {
  readonly epoch: number
  readonly threshold: number
  readonly parties: readonly PartyId[]
  readonly state: string
  readonly prepared: number
  /** The sharing before this one, under which a node signs for a little longer. */
  readonly before: { readonly epoch: number; readonly threshold: number } | undefined
}

/** Code of the refusal, as a node would give it for its own share; undefined to take part. */
export function refusalOf(renew: RenewKey, self: PartyId, share: FakeShare | undefined, prepared: number): string | undefined {
  if (prepared >= renew.epoch) return 'EPOCH_SPENT'
  if (share === undefined) return renew.dealers.includes(self) ? 'NO_SHARE' : undefined
  const isDealer = renew.dealers.includes(self)
  if (share.state !== 'active') return isDealer ? 'NO_SHARE' : undefined
  if (share.epoch !== renew.fromEpoch) return 'EPOCH_MISMATCH'
  const sameCommittee = renew.threshold === share.threshold && renew.parties.join() === share.parties.join()
  if (renew.kind === 'refresh') return sameCommittee && renew.dealers.join() === share.parties.join() ? undefined : 'BAD_REFRESH'
  return renew.kind === 'reshare' && renew.dealers.length === share.threshold ? undefined : 'BAD_RESHARE'
}

/** Which of these codes say that the same request may work later. */
export function isRetriable(code: string): boolean {
  return !['NO_SHARE', 'BAD_REFRESH', 'BAD_RESHARE'].includes(code)
}

/** The share that a renewal leaves at each party. */
export function renewedShare({ epoch, threshold, parties }: RenewKey, share: FakeShare | undefined): FakeShare {
  const before = share === undefined ? undefined : { epoch: share.epoch, threshold: share.threshold }
  return { epoch, threshold, parties, state: 'active', prepared: epoch, before }
}

/** Code of the refusal to sign under an epoch with so many signers; undefined to sign. */
export function signingRefusal(share: FakeShare | undefined, epoch: number, signers: number, signsBefore: boolean): string | undefined {
  if (share?.state !== 'active') return 'NO_SHARE'
  if (epoch > share.epoch) return 'EPOCH_MISMATCH'
  const under = epoch === share.epoch ? share : signsBefore && share.before?.epoch === epoch ? share.before : undefined
  if (under === undefined) return 'STALE_EPOCH'
  return under.threshold === signers ? undefined : 'BAD_QUORUM'
}
