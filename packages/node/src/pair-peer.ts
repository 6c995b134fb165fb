import { type Clock, type PartyId, tagged, u32 } from '@conclave/core'
import { PairRenewals } from './pair-renewals.ts'
import { SetupBudget } from './setup-budget.ts'

const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 60_000

export interface PairSetup {
  readonly id: Uint8Array
  readonly pairEpoch: number
  /** Resolves when its state is stored, or it has failed. */
  readonly ended: Promise<void>
}

export type PairPhase = 'down' | 'unknown' | 'setting-up' | 'ready'

/** Names the session of one setup, the same at both ends. */
export function setupId(clusterContext: Uint8Array, ends: readonly [PartyId, PartyId], pairEpoch: number, nonce: Uint8Array): Uint8Array {
  return tagged('pair-session-id', clusterContext, u32(Math.min(...ends)), u32(Math.max(...ends)), u32(pairEpoch), nonce)
}

/** What the pair keeper knows of one peer. */
export class PairPeer {
  /** What is under way; `down` while the pair is burned, whatever the link. */
  state: PairPhase = 'down'
  /** Grows with every link and setup, so that a late outcome of an older one changes nothing. */
  turn = 0
  /** Grows with every link. */
  links = 0
  /** The pair state that both ends named on this link; a renewal leaves it in use until the new one is stored. */
  agreed: Uint8Array | undefined
  /** The setup that runs; there is never more than one. */
  setup: PairSetup | undefined
  readonly renewals = new PairRenewals()
  readonly budget: SetupBudget
  readonly #clock: Clock
  #retryMs = RETRY_FIRST_MS
  #stopRetry: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.budget = new SetupBudget(clock)
  }

  get isRetrying(): boolean {
    return this.#stopRetry !== undefined
  }

  /** Acts once after a while, which doubles every time until `calm`; in place of what was to be done before. */
  retryLater(factor: number, act: () => void): void {
    this.stopRetry()
    this.#stopRetry = this.#clock.after(factor * this.#retryMs, () => {
      this.#stopRetry = undefined
      act()
    })
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS)
  }

  stopRetry(): void {
    this.#stopRetry?.()
    this.#stopRetry = undefined
  }

  /** Nothing is to be tried again, and the next retry comes soon. */
  calm(): void {
    this.stopRetry()
    this.#retryMs = RETRY_FIRST_MS
  }
}
