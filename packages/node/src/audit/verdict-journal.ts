import type { AuditEvent, Clock, Journal } from '@conclave/core'

/** Verdicts that were recorded lately: a proposal that comes again with the same outcome says nothing new. */
export const RECENT_MAX = 1024
/** Denials that are recorded at once, and how soon there is room for another one: whoever is denied must not be able to fill the disk. */
export const DENIALS_MAX = 200
export const DENIAL_EVERY_MS = 50

/**
 * Records verdicts, each once as long as it is remembered. Of a flood of denials as many are recorded as there is room for; the next
 * that is recorded says how many were not.
 */
export class VerdictJournal {
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #recent = new Map<string, Promise<void>>()
  #room = DENIALS_MAX
  #refilledMs: number
  #suppressed = 0

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal
    this.#clock = clock
    this.#refilledMs = clock.nowMs()
  }

  /** Resolves when it is durable, or when nothing has to be. @throws {ConclaveError} AUDIT_UNAVAILABLE. */
  async record(event: AuditEvent): Promise<void> {
    const { requestId, statement, code, rule, reason } = event.details
    const name = JSON.stringify([event.kind, requestId, statement, code, rule, reason])
    const known = this.#recent.get(name)
    if (known !== undefined) return known
    if (event.kind === 'request.denied' && !this.#takeRoom()) return
    const suppressed = this.#suppressed
    this.#suppressed = 0
    const details = suppressed === 0 ? event.details : { ...event.details, unrecordedDenials: suppressed }
    const recording = this.#journal.record({ kind: event.kind, details })
    this.#recent.set(name, recording)
    if (this.#recent.size > RECENT_MAX) this.#recent.delete(this.#recent.keys().next().value as string)
    try {
      await recording
    } catch (error) {
      // The next one of its kind is a new attempt.
      this.#recent.delete(name)
      this.#suppressed += suppressed
      throw error
    }
  }

  #takeRoom(): boolean {
    const gained = Math.floor((this.#clock.nowMs() - this.#refilledMs) / DENIAL_EVERY_MS)
    if (gained > 0) {
      this.#room = Math.min(DENIALS_MAX, this.#room + gained)
      this.#refilledMs += gained * DENIAL_EVERY_MS
    }
    if (this.#room === 0) {
      this.#suppressed++
      return false
    }
    this.#room--
    return true
  }
}
