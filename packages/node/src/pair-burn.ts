import { type Clock, type Journal, type PartyId, ProtocolAbort } from '@conclave/core'
import { burnsPairs } from '@conclave/mpc'
import type { Logger } from '@conclave/transport'
import { noteEvent } from './audit/note-event.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { SessionHub } from './sessions/session-hub.ts'
import type { PairStore } from './store/pair-store.ts'

export interface PairBurnParts {
  readonly pairs: PairStore
  readonly pairKeeper: PairKeeper
  readonly hub: SessionHub
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
}

/**
 * Section 6: where a failed check can leak bits of an OT secret, the pair is gone for good, and with it every session under way with
 * that peer. Any other error burns nothing. Never rejects.
 */
export async function burnCulprits({ pairs, pairKeeper, hub, clock, log, journal }: PairBurnParts, error: unknown): Promise<void> {
  if (!(error instanceof ProtocolAbort) || !burnsPairs(error.code)) return
  // Everything that closes the door comes first and at once, for every culprit; the disk is slow, and may refuse.
  const writes = error.culprits.map((j) => {
    const written = pairs.burn(j, error.code, clock.nowMs())
    pairKeeper.burned(j)
    hub.stopWith(j, 'PAIR_BURNED', `the pair with party ${j} was burned (${error.code})`)
    return written
  })
  const outcomes = await Promise.allSettled(writes)
  for (const [i, outcome] of outcomes.entries()) {
    const about = { peer: error.culprits[i] as PartyId, code: error.code }
    void noteEvent(journal, log, {
      kind: 'pair.burned',
      details: { ...about, check: error.check, isDurable: outcome.status === 'fulfilled' },
    })
    if (outcome.status === 'fulfilled') log.error(about, 'pair burned: peer banned until an operator sets it up again')
    // The ban holds in memory; the operator must know that a restart would lift it.
    else log.error({ ...about, err: outcome.reason }, 'pair burned, but the disk did not take it: do not restart before it is mended')
  }
}
