import { ConclaveError, type PartyId, toHex } from '@conclave/core'
import type { KeyCreated } from '@conclave/wire'
import { askAll } from './ask-all.ts'
import { agreedKey, FAILURE_GRACE_MS, isCreated, type KeyAnswers, type KeyCreationContext, keyFailure, keyLine } from './key-creation.ts'
import { NodeFailure } from './node-calls.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord } from './records.ts'
import type { RenewalPlan } from './renewal-plan.ts'
import { isSameKey } from './sharings.ts'

export interface RenewalOutcome {
  /** Undefined when every party answered the same renewed key. */
  readonly error: ApiError | undefined
  /** Whom somebody waited for or blamed, or who refused and named nobody: their word, good for choosing other dealers. */
  readonly blamed: readonly PartyId[]
  /** Whether every party has answered, so that none of them is still at it. */
  readonly isOver: boolean
}

function blamedIn(plan: RenewalPlan, answers: KeyAnswers): readonly PartyId[] {
  return plan.parties.filter((party) => {
    const own = answers.get(party)
    if (own === undefined || (own instanceof ConclaveError && !(own instanceof NodeFailure))) return true
    if (own instanceof NodeFailure && own.culprits.length + own.waitingFor.length === 0) return true
    const others = plan.parties.filter((p) => p !== party).map((p) => answers.get(p))
    return others.some((o) => o instanceof NodeFailure && (o.culprits.includes(party) || o.waitingFor.includes(party)))
  })
}

/**
 * Judges the answers of one attempt. Public key and chain code must be those that are known: nothing that nodes answer can change it.
 *
 * The error is KEY_RENEWAL_FAILED, retriable when every failure is; or KEY_MISMATCH.
 */
export function judgeRenewal(ctx: KeyCreationContext, plan: RenewalPlan, known: KeyRecord, answers: KeyAnswers): RenewalOutcome {
  const { view } = ctx
  const created = plan.parties.map((p) => answers.get(p)).filter(isCreated)
  const isOver = plan.parties.every((p) => answers.has(p))
  if (created.length < plan.parties.length) {
    const error = keyFailure(view, plan, answers, { code: 'KEY_RENEWAL_FAILED', what: 'renew' })
    return { error, blamed: blamedIn(plan, answers), isOver }
  }
  const agreed = agreedKey(view, plan, created)
  if (typeof agreed !== 'string') {
    const hex = { publicKey: toHex(agreed.publicKey), chainCode: toHex(agreed.chainCode) }
    if (isSameKey(hex, known) && agreed.epoch === plan.epoch) return { error: undefined, blamed: [], isOver }
  }
  const said = typeof agreed === 'string' ? agreed : `all: ${keyLine(agreed)}`
  return { error: new ApiError('KEY_MISMATCH', `the nodes answered another key than ${known.publicKey}: ${said}`), blamed: [], isOver }
}

/** Sends RenewKey under a fresh nonce to every participant and judges the answers. Never rejects. */
export async function renewKeyOnce(
  ctx: KeyCreationContext,
  plan: RenewalPlan,
  known: KeyRecord,
  timeoutMs: number,
): Promise<RenewalOutcome> {
  const { view, calls, clock, stopping } = ctx
  const renewKey = { ...plan, nonce: ctx.random.bytes(32) }
  const answers = await askAll<KeyCreated>({
    // The dealers are nodes of the lock, and those are all parties.
    nodes: plan.parties.map((p) => view.node(p)),
    ask: (node, signal) => calls.call(node, { renewKey }, 'keyCreated', { timeoutMs, signal }),
    hurries: (answer) => answer instanceof ConclaveError,
    graceMs: FAILURE_GRACE_MS,
    clock,
    signal: stopping,
  })
  return judgeRenewal(ctx, plan, known, answers)
}
