import { type Clock, type Journal, messageOf, type PartyId } from '@conclave/core'
import type { Policy } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import { noteEvent } from '../audit/note-event.ts'
import type { PeerWord } from '../peer-reports.ts'

/** How often peers are asked for their clocks, and how often as long as too few agree. */
export const ASK_EVERY_MS = 10_000
export const ASK_AGAIN_MS = 500
/** What a peer said counts this long: a clock that jumps further has nobody who agrees with it until they are asked again. */
export const FRESH_MS = 60_000

/** How far this node's clock may be from others' when nothing is set. */
export const CLOCK_SKEW_MAX_MS = 5_000

export interface ClockGuardOptions {
  readonly clock: Clock
  /** Its rules as they are now. */
  readonly policy: Pick<Policy, 'rules'>
  readonly skewMaxMs: number
  /** Peers that have to agree: with them and this node it is a quorum. */
  readonly needed: number
  readonly journal: Journal
  readonly log: Logger
  peersUp(): readonly PartyId[]
  /** @returns a code when the peer does not answer. */
  ask(peer: PartyId): Promise<PeerWord | string>
}

/** Whether a rule asks what time it is. */
function dependsOnTime({ rules }: Pick<Policy, 'rules'>): boolean {
  return rules.some(({ when }) => when.times !== undefined || ('limits' in when && when.limits !== undefined))
}

/**
 * The time, as long as this node and enough others to make a quorum agree on it.
 *
 * Under a policy without rules that depend on the time nobody is asked, and the clock of this node is good enough.
 */
export class ClockGuard {
  readonly #o: ClockGuardOptions
  #asked: { readonly rules: Policy['rules']; readonly isNeeded: boolean } | undefined
  #started = false
  readonly #heard = new Map<PartyId, { readonly errorMs: number; readonly offsetMs: number; readonly atMs: number }>()
  #wasSure: boolean | undefined
  #stopped = false
  #cancel: () => void = () => undefined

  constructor(options: ClockGuardOptions) {
    this.#o = options
  }

  /** Undefined when this node is not sure of the time. */
  nowMs(): number | undefined {
    const nowMs = Math.round(this.#o.clock.nowMs())
    if (!this.#isNeeded) return nowMs
    return this.#agreeing(nowMs).length >= this.#o.needed ? nowMs : undefined
  }

  /** How far the clocks of peers were ahead of this one, as far as they were asked and what they said still counts. */
  offsets(): readonly { readonly peer: PartyId; readonly offsetMs: number }[] {
    const nowMs = this.#o.clock.nowMs()
    const fresh = [...this.#heard].filter(([, h]) => Math.abs(nowMs - h.atMs) <= FRESH_MS)
    return fresh.map(([peer, { offsetMs }]) => ({ peer, offsetMs }))
  }

  /** Peers are asked from now on, if a rule needs it. To be called again when the rules are others. */
  start(): void {
    if (this.#started || !this.#isNeeded) return
    this.#started = true
    void this.#round()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  get #isNeeded(): boolean {
    const { rules } = this.#o.policy
    if (this.#asked?.rules !== rules) this.#asked = { rules, isNeeded: dependsOnTime({ rules }) }
    return this.#asked.isNeeded
  }

  #agreeing(nowMs: number): readonly PartyId[] {
    const { skewMaxMs } = this.#o
    return [...this.#heard].filter(([, h]) => Math.abs(nowMs - h.atMs) <= FRESH_MS && h.errorMs <= skewMaxMs).map(([peer]) => peer)
  }

  async #round(): Promise<void> {
    if (this.#stopped) return
    const { clock, log } = this.#o
    // Each peer by itself: one that is silent does not make the others' words old.
    await Promise.all(this.#o.peersUp().map((peer) => this.#askOne(peer))).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'peers could not be asked for the time')
    })
    if (this.#stopped) return
    const isSure = this.nowMs() !== undefined
    this.#note(isSure)
    this.#cancel = clock.after(isSure ? ASK_EVERY_MS : ASK_AGAIN_MS, () => void this.#round())
  }

  async #askOne(peer: PartyId): Promise<void> {
    const word = await this.#o.ask(peer)
    // What it said before gets old.
    if (typeof word === 'string') return
    // Beyond what the way there and back explains.
    const errorMs = Math.max(0, Math.abs(word.offsetMs) - word.roundTripMs / 2)
    this.#heard.set(peer, { errorMs, offsetMs: word.offsetMs, atMs: this.#o.clock.nowMs() })
  }

  #note(isSure: boolean): void {
    const { journal, log, clock, needed } = this.#o
    if (isSure === this.#wasSure) return
    this.#wasSure = isSure
    const details = { needed, agreeing: this.#agreeing(clock.nowMs()).length }
    log.info(details, isSure ? 'the clock agrees with a quorum' : 'the clock does not agree with a quorum')
    void noteEvent(journal, log, { kind: isSure ? 'clock.agreed' : 'clock.doubted', details })
  }
}
