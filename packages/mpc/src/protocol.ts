import { ConclaveError, type PartyId, tagged, u32 } from '@conclave/core'
import { encode, type MessageField, type ValueOf } from '@conclave/wire'
import type { Correlation } from './correlation.ts'

/** One round of a protocol. `broadcast`: the same bytes to every peer. */
export interface Round<M extends MessageField = MessageField> {
  readonly number: number
  readonly kind: 'broadcast' | 'p2p'
  readonly message: M
  /** The protocol wants the exact bytes as well as what they decode to. */
  readonly exact?: true
}

export interface Outgoing {
  readonly round: number
  readonly to: PartyId | 'all'
  readonly body: Uint8Array
}

/** What must be stored durably before `hash` is signed with the node identity and anything else is sent. */
export interface Attest {
  readonly hash: Uint8Array
  readonly pending: unknown
}

/** What a protocol asks of whoever drives it. */
export type Effect =
  | { readonly send: Outgoing }
  /** `from`: whose message is waited for; every peer's unless given. */
  | { readonly collect: number; readonly from?: readonly PartyId[] | undefined }
  | { readonly attest: Attest }
  | { readonly take: Names }

/** Names of pool entries, by the peer that shares them. */
export type Names = ReadonlyMap<PartyId, readonly Uint8Array[]>
/** Pool entries, by the peer that shares them. */
export type Entries = ReadonlyMap<PartyId, readonly Correlation[]>

/** Bytes by party: bodies, or after `attest` the own signature under the own index. */
export type Received = ReadonlyMap<PartyId, Uint8Array>

/** A round as it was heard, by peer. */
export interface Heard {
  /** None unless the round is exact. */
  readonly bodies: Received
  readonly values: ReadonlyMap<PartyId, unknown>
}

/** `collect` is answered with what was heard, `attest` with the signature, `take` with entries. */
export type Answer = Heard | Received | Entries

/** A pure function of its inputs, its seed and the order of delivery; it cannot await. */
export type Protocol<T> = Generator<Effect, T, Answer>

/** Sends one message. */
export function* send<M extends MessageField>(round: Round<M>, to: PartyId | 'all', value: ValueOf<M>): Protocol<void> {
  yield { send: { round: round.number, to, body: encode(round.message, value) } }
}

export interface Messages<M extends MessageField> {
  /** Decoded, by peer. */
  readonly values: ReadonlyMap<PartyId, ValueOf<M>>
  /** The exact bytes, by peer; none unless the round is exact. */
  readonly bodies: Received
}

/**
 * Waits for the round's message of every peer, or of the peers in `from`: those who have nothing to say in this round are not waited
 * for, and what they say is not looked at. The session has decoded each body as this round's message, once, when it came.
 */
export function* collect<M extends MessageField>(round: Round<M>, from?: readonly PartyId[]): Protocol<Messages<M>> {
  const { bodies, values } = (yield { collect: round.number, from }) as Heard
  return { bodies, values: values as ReadonlyMap<PartyId, ValueOf<M>> }
}

/**
 * Asks for pool entries by name. Whoever drives the run takes them out of its stock, all of a peer or none, and hands them over: they are
 * the run's from then on.
 *
 * @returns the entries by peer; a peer whose entries are not held here is missing.
 */
export function* take(names: Names): Protocol<Entries> {
  return (yield { take: names }) as Entries
}

/** Digest of what each party said in a round, own message included: equal at all parties exactly when all saw the same. */
export function echoHash(label: string, sid: Uint8Array, said: ReadonlyMap<PartyId, Uint8Array>): Uint8Array {
  const parts = [...said].sort(([a], [b]) => a - b).flatMap(([j, body]) => [u32(j), body])
  return tagged(label, sid, ...parts)
}

/** `map.get(j)` where the session guarantees an entry. */
export function of<V>(map: ReadonlyMap<PartyId, V>, j: PartyId): V {
  const v = map.get(j)
  if (v === undefined) throw new ConclaveError('ASSERTION', `no entry of party ${j}`)
  return v
}
