import { type ConclaveError, type PartyId, type Random, seededRandom, utf8 } from '@conclave/core'
import { decode, encode, type MessageField, type ValueOf } from '@conclave/wire'
import type { Outgoing, Round } from '../protocol.ts'
import type { Session } from '../session.ts'

/** A message under way in a test, decoded on demand. */
export interface InFlight {
  readonly from: PartyId
  readonly to: PartyId
  readonly round: number
  readonly body: Uint8Array
}

/** Changes what is delivered: other bytes, or undefined to withhold. */
export type Tamper = (m: InFlight) => Uint8Array | undefined

/** Rewrites the decoded value of one round's messages that `when` picks. */
export function edit<M extends MessageField>(
  round: Round<M> | { readonly number: number; readonly message: M },
  when: (m: InFlight) => boolean,
  change: (value: ValueOf<M>) => ValueOf<M>,
): Tamper {
  return (m) => (m.round === round.number && when(m) ? encode(round.message, change(decode(round.message, m.body))) : m.body)
}

/** A copy with bit `bit` flipped. */
export function flip(bytes: Uint8Array, bit = 0): Uint8Array {
  const out = Uint8Array.from(bytes)
  out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7))
  return out
}

export interface RunOptions {
  readonly tamper?: Tamper
  /** Shuffles delivery; without it, first in first out. */
  readonly order?: Random
  /** Signs an attestation; a run that attests without it stops there. */
  readonly attest?: (self: PartyId, hash: Uint8Array, pending: unknown) => Uint8Array
  /** Sees every message as sent. */
  readonly watch?: (m: InFlight) => void
}

export interface Outcome<T> {
  readonly sessions: ReadonlyMap<PartyId, Session<T>>
  /** Errors by party. */
  readonly errors: ReadonlyMap<PartyId, ConclaveError>
  readonly results: ReadonlyMap<PartyId, T>
}

/** Drives one session per party in this process until nothing is left to deliver. Each party's secrets stay in its own session. */
export function runSessions<T>(sessions: ReadonlyMap<PartyId, Session<T>>, options: RunOptions = {}): Outcome<T> {
  const queue: InFlight[] = []
  const post = (from: PartyId, out: readonly Outgoing[]): void => {
    for (const o of out) {
      const targets = o.to === 'all' ? (sessions.get(from)?.peers ?? []) : [o.to]
      for (const to of targets) {
        const m = { from, to, round: o.round, body: o.body }
        options.watch?.(m)
        queue.push(m)
      }
    }
    const session = sessions.get(from)
    if (session?.state === 'attesting' && session.attest !== undefined && options.attest !== undefined) {
      post(from, session.attested(options.attest(from, session.attest.hash, session.attest.pending)))
    }
  }
  for (const [j, s] of sessions) post(j, s.start())
  while (queue.length > 0) {
    const [b0, b1] = options.order?.bytes(2) ?? [0, 0]
    const at = options.order === undefined ? 0 : (((b0 as number) << 8) | (b1 as number)) % queue.length
    const [m] = queue.splice(at, 1) as [InFlight]
    const body = options.tamper === undefined ? m.body : options.tamper(m)
    if (body !== undefined) post(m.to, sessions.get(m.to)?.receive(m.from, m.round, body) ?? [])
  }
  return {
    sessions,
    errors: new Map([...sessions].flatMap(([j, s]) => (s.error === undefined ? [] : [[j, s.error] as const]))),
    results: new Map([...sessions].flatMap(([j, s]) => (s.state === 'done' ? [[j, s.result] as const] : []))),
  }
}

/** Deterministic randomness of one party in one test. */
export const partyRandom = (seed: string, j: PartyId): Random => seededRandom(utf8(`${seed}/${j}`))
