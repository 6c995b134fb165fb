import type { Clock, PartyId } from '@conclave/core'
import { type AttemptRecord, digestsOf, type KeyRecord, type SigningRecord } from './records.ts'
import type { SigningContext } from './signing-context.ts'
import { chooseSigners, type Quorum } from './signing-quorum.ts'

/** An attempt that has its signers, and its place among those that run until it is disposed of. */
export interface ChosenAttempt extends Disposable {
  readonly epoch: number
  /** As it is stored before anything of it is sent. */
  readonly started: AttemptRecord
  /** Lets the next request in, before this attempt is over. */
  readonly slot: Disposable
}

type Chooser = Pick<SigningContext, 'view' | 'doubts' | 'loads' | 'slots' | 'clock'>

/** @param slot - taken over. */
export function attemptBy(
  { loads, clock }: { readonly loads: Chooser['loads']; readonly clock: Clock },
  record: SigningRecord,
  { signers, epoch }: Quorum,
  slot: Disposable,
): ChosenAttempt {
  const attempt = (record.attempts.at(-1)?.attempt ?? 0) + 1
  const load = loads.begin(signers, digestsOf(record).length)
  return {
    epoch,
    started: {
      ...{ attempt, signers, outcome: 'running', code: null, culprits: [], waitingFor: [], refusedBy: [] },
      ...{ bytesOnWire: 0, startedAtMs: clock.nowMs(), endedAtMs: null },
    },
    slot,
    [Symbol.dispose]: () => {
      load[Symbol.dispose]()
      slot[Symbol.dispose]()
    },
  }
}

/** Nodes that may be asked to sign before they have said yes: connected, and none that failed or refused lately. */
export function promising({ view, doubts }: Pick<Chooser, 'view' | 'doubts'>, { keyId, parties }: KeyRecord): readonly PartyId[] {
  return parties.filter((p) => view.isUp(p) && !doubts.has(p, keyId))
}

/**
 * The first attempt of a new request, when there is a place and a quorum for it at once: then it is stored in one write with the
 * request.
 */
export function firstAttempt(ctx: Chooser, key: KeyRecord, record: SigningRecord): ChosenAttempt | undefined {
  const { view, loads, slots } = ctx
  const slot = slots.tryAcquire(digestsOf(record).length)
  if (slot === undefined) return undefined
  const quorum = chooseSigners({ view, loads, key, request: record, allowing: promising(ctx, key) })
  if (quorum !== undefined) return attemptBy(ctx, record, quorum, slot)
  slot[Symbol.dispose]()
  return undefined
}

/** A record with an attempt that begins as soon as it is stored. */
export function withAttempt(record: SigningRecord, { started }: ChosenAttempt): SigningRecord {
  return { ...record, state: 'signing', attempts: [...record.attempts, started] }
}

/** A record whose last attempt has ended. */
export function withOutcome({ attempts }: SigningRecord, ended: AttemptRecord, endedAtMs: number): readonly AttemptRecord[] {
  return [...attempts.slice(0, -1), { ...ended, endedAtMs }]
}
