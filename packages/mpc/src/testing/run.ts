import { type ConclaveError, type PartyId, type Random, seededRandom, utf8 } from '@conclave/core'
import { decode, encode, type MessageField, type ValueOf } from '@conclave/wire'
import type { Entries, Names, Outgoing, Round } from '../protocol.ts'
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

/** All of `tampers`, one after the other. */
export const allOf =
  (...tampers: readonly Tamper[]): Tamper =>
  (m) => {
    let body: Uint8Array | undefined = m.body
    for (const t of tampers) if (body !== undefined) body = t({ ...m, body })
    return body
  }

/** A copy with bit `bit` flipped. */
export function flip(bytes: Uint8Array, bit = 0): Uint8Array {
  const out = Uint8Array.from(bytes)
  out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7))
  return out
}

export interface RunOptions {
  readonly tamper?: Tamper
  /** Delivered just before each message, as it is: replays, copies under another name, noise. */
  readonly inject?: (m: InFlight) => readonly InFlight[]
  /** Shuffles delivery; without it, first in first out. */
  readonly order?: Random
  /** Signs an attestation; a run that attests without it stops there. */
  readonly attest?: (self: PartyId, hash: Uint8Array, pending: unknown) => Uint8Array
  /** Takes entries out of a party's stock; without it no stock holds anything. */
  readonly take?: (self: PartyId, names: Names) => Entries
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
    if (session?.state === 'taking' && session.take !== undefined)
      post(from, session.taken(options.take?.(from, session.take) ?? new Map()))
  }
  for (const [j, s] of sessions) post(j, s.start())
  while (queue.length > 0) {
    const [b0, b1] = options.order?.bytes(2) ?? [0, 0]
    const at = options.order === undefined ? 0 : (((b0 as number) << 8) | (b1 as number)) % queue.length
    const [m] = queue.splice(at, 1) as [InFlight]
    for (const extra of options.inject?.(m) ?? [])
      post(extra.to, sessions.get(extra.to)?.receive(extra.from, extra.round, extra.body) ?? [])
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

/** Names one message of a run. */
export const slotOf = (round: number, from: PartyId, to: PartyId): string => `${round}/${from}/${to}`

/** Keeps every message as sent, by {@link slotOf}. */
export function recorder(): { readonly sent: ReadonlyMap<string, Uint8Array>; readonly watch: (m: InFlight) => void } {
  const sent = new Map<string, Uint8Array>()
  return { sent, watch: (m) => sent.set(slotOf(m.round, m.from, m.to), m.body) }
}

/** Every buffer that a source of randomness handed out, to see which are wiped afterwards. */
export function witness(random: Random): Random & { readonly given: readonly Uint8Array[] } {
  const given: Uint8Array[] = []
  return {
    given,
    bytes(length) {
      const out = random.bytes(length)
      given.push(out)
      return out
    },
  }
}
