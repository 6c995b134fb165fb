import type { PartyId } from '@conclave/core'
import type { Logger } from 'pino'
import type { KeyCreationContext } from './key-creation.ts'
import type { KeyDirectory } from './key-directory.ts'
import { ApiError } from './problem.ts'
import type { OperationRecord } from './records.ts'
import { type RenewalOutcome, renewKeyOnce } from './renewal-attempt.ts'
import { planRenewal, type RenewalPlan } from './renewal-plan.ts'
import { activeKey, isSameKey } from './sharings.ts'
import { waitForAny } from './wait.ts'

/** How often nodes are looked at while there is something to wait for. */
export const LOOK_MS = 2000
/** After a failed or interrupted attempt, how long what it left at the nodes may still come true before there is another one. */
export const SETTLE_MS = 15_000

export interface RenewalContext extends KeyCreationContext {
  readonly directory: KeyDirectory
  readonly logger: Logger
  /** For the whole operation; an attempt has `timeoutMs` at most. */
  readonly renewalTimeoutMs: number
  /** Until then a node that is not connected is waited for, even before the first attempt. */
  readonly linksUntilMs: number
}

/** The operation as its driver keeps it; `update` resolves when the change is on disk. */
export interface DrivenOperation {
  readonly record: OperationRecord
  update(change: Partial<OperationRecord>): Promise<void>
}

interface Settling {
  /** From here on, when nobody has prepared the attempt's epoch; the others have until `untilMs`. */
  readonly fromMs: number
  readonly untilMs: number
}

/** One renewal, from its record to its end. */
class RenewalRun {
  readonly #ctx: RenewalContext
  readonly #operation: DrivenOperation
  readonly #untilMs: number
  readonly #blame = new Map<PartyId, number>()
  #settling: Settling | undefined
  #lastError = new ApiError('KEY_RENEWAL_FAILED', 'the nodes did not renew the key in time', { retriable: true })

  constructor(ctx: RenewalContext, operation: DrivenOperation) {
    const nowMs = ctx.clock.nowMs()
    this.#ctx = ctx
    this.#operation = operation
    this.#untilMs = nowMs + ctx.renewalTimeoutMs
    // What an earlier run of the coordinator had sent may still be going on.
    if (operation.record.epochs !== null) this.#settling = { fromMs: nowMs + SETTLE_MS, untilMs: nowMs + SETTLE_MS }
  }

  async run(): Promise<ApiError | undefined> {
    const { view, directory, clock, stopping } = this.#ctx
    while (!stopping.aborted) {
      const { parties } = this.#operation.record
      await view.refresh(parties, 0)
      if (stopping.aborted) break
      if (this.#isDone()) {
        await directory.settled()
        return undefined
      }
      if (clock.nowMs() >= this.#untilMs) return this.#lastError
      const error = this.#isSettling() ? undefined : await this.#attempt()
      if (error !== undefined) return error
      if (!this.#isDone()) await waitForAny({ clock, signal: stopping, ms: LOOK_MS, pulses: [directory.changed, view.changed] })
    }
    return undefined
  }

  /** Whether every party reports one epoch of this operation, with the public key and chain code that are known and the committee that was asked for. */
  #isDone(): boolean {
    const { view, directory } = this.#ctx
    const { keyId, threshold, parties, epochs } = this.#operation.record
    const known = directory.get(keyId)
    if (epochs === null || known === undefined) return false
    const all = parties.map((party) => activeKey(view.report(party)?.status, keyId))
    const [first] = all
    return all.every(
      (k) =>
        k !== undefined &&
        k.epoch >= epochs.first &&
        k.epoch === first?.epoch &&
        k.threshold === threshold &&
        k.parties.join() === parties.join() &&
        isSameKey(k, known),
    )
  }

  #isSettling(): boolean {
    const { clock, view } = this.#ctx
    if (this.#settling === undefined) return false
    const { keyId, parties, epochs } = this.#operation.record
    const nowMs = clock.nowMs()
    const isPrepared = parties.some((p) => view.report(p)?.status.keys.some((k) => k.keyId === keyId && k.prepared >= (epochs?.last ?? 0)))
    return nowMs < (isPrepared ? this.#settling.untilMs : this.#settling.fromMs)
  }

  /** @returns why the operation has failed, or undefined to go on looking. */
  async #attempt(): Promise<ApiError | undefined> {
    const { view, clock, directory, linksUntilMs, timeoutMs, logger } = this.#ctx
    const { record } = this.#operation
    const key = directory.get(record.keyId)
    if (key === undefined) return new ApiError('KEY_NOT_FOUND', `no key ${record.keyId}`)
    const plan = planRenewal({ view, record, key, nowMs: clock.nowMs(), blame: (p) => this.#blame.get(p) ?? 0 })
    if (plan instanceof ApiError) {
      const isPatient = record.epochs !== null || clock.nowMs() < linksUntilMs
      if (!plan.retriable || (plan.code === 'NODES_UNREACHABLE' && !isPatient)) return plan
      this.#lastError = plan
      return undefined
    }
    await this.#note(plan)
    const outcome = await renewKeyOnce(this.#ctx, plan, key, Math.max(1, Math.min(timeoutMs, this.#untilMs - clock.nowMs())))
    logger.info({ operationId: record.operationId, ...plan, code: outcome.error?.code ?? null, blamed: outcome.blamed }, 'renewal attempt')
    return await this.#conclude(outcome)
  }

  /** On disk before anything is sent: a coordinator that is killed now must not take an older epoch for the one it had asked for. */
  async #note({ epoch }: RenewalPlan): Promise<void> {
    const first = this.#operation.record.epochs?.first ?? epoch
    await this.#operation.update({ epochs: { first, last: epoch } })
  }

  async #conclude({ error, blamed, isOver }: RenewalOutcome): Promise<ApiError | undefined> {
    const { view, clock, stopping } = this.#ctx
    if (stopping.aborted) return undefined
    const nowMs = clock.nowMs()
    this.#settling = { fromMs: nowMs + (isOver ? LOOK_MS : SETTLE_MS), untilMs: nowMs + SETTLE_MS }
    for (const party of blamed) this.#blame.set(party, (this.#blame.get(party) ?? 0) + 1)
    if (error === undefined) {
      await view.refresh(this.#operation.record.parties, 0)
      return undefined
    }
    this.#lastError = error
    if (error.retriable) return undefined
    // Somebody who answered nonsense or a refusal may still hold the new epoch, like all others; what is reported decides.
    await view.refresh(this.#operation.record.parties, 0)
    return this.#isDone() && error.code !== 'KEY_MISMATCH' ? undefined : error
  }
}

/**
 * Drives a refresh or a reshare until every party of the new committee reports the new epoch active.
 *
 * Nodes converge by gossip, also after an attempt that failed, so between attempts it looks at their reports; each attempt has a
 * fresh nonce and a higher epoch. Takes over from an earlier run of the coordinator by the record alone.
 *
 * @returns why it failed; undefined when it succeeded, or when the coordinator stops.
 */
export async function driveRenewal(ctx: RenewalContext, operation: DrivenOperation): Promise<ApiError | undefined> {
  return await new RenewalRun(ctx, operation).run()
}
