/** Drives our sessions in this process: every party in turn, every message encoded and decoded as between machines. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { IdentityKey, PartyId } from '@conclave/core'
import type { Entries, Identities, Names, Outgoing, Session } from '@conclave/mpc'
import type { Meter } from './meter.ts'

const PUBLIC_KEY_BYTES = 32

/** Signs what a party attests, as its HSM would. */
export class Seats {
  readonly identities: Identities
  readonly #keys: ReadonlyMap<PartyId, KeyObject>

  constructor(parties: readonly PartyId[]) {
    const pairs = parties.map((j) => [j, generateKeyPairSync('ed25519')] as const)
    const raw = (key: KeyObject) => Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_BYTES))
    const identity = (key: KeyObject): IdentityKey => ({ type: 'ed25519', publicKey: raw(key) })
    this.identities = new Map(pairs.map(([j, { publicKey }]) => [j, identity(publicKey)]))
    this.#keys = new Map(pairs.map(([j, { privateKey }]) => [j, privateKey]))
  }

  attest(self: PartyId, hash: Uint8Array): Uint8Array {
    return Uint8Array.from(sign(null, hash, this.#keys.get(self) as KeyObject))
  }
}

interface Arrived {
  readonly from: PartyId
  readonly round: number
  readonly body: Uint8Array
}

export interface Drive {
  readonly meter: Meter
  readonly seats?: Seats
  /** Takes what a run asks for out of its party's stock. */
  readonly take?: (self: PartyId, names: Names) => Entries
  /** Told of every message that a party says, once. */
  readonly said?: (round: number, bytes: number) => void
  /** Told what a party would store before it attests. */
  readonly store?: (self: PartyId, pending: unknown) => void
}

/**
 * Runs the sessions to their end and returns what each party has. A party hears at once whatever has come for it, as from a link that
 * sends the messages of a round together.
 *
 * @throws the error of the first party that failed.
 */
export function drive<T>(sessions: ReadonlyMap<PartyId, Session<T>>, { meter, seats, store, said, take }: Drive): ReadonlyMap<PartyId, T> {
  const inboxes = new Map([...sessions.keys()].map((j) => [j, [] as Arrived[]]))
  const post = (from: PartyId, session: Session<T>, out: readonly Outgoing[]): void => {
    for (const { to, round, body } of out) {
      const receivers = to === 'all' ? session.peers : [to]
      meter.sent(body.length, receivers.length)
      said?.(round, body.length)
      for (const receiver of receivers) inboxes.get(receiver)?.push({ from, round, body })
    }
  }
  const step = (self: PartyId, session: Session<T>, work: () => readonly Outgoing[]): void => {
    post(self, session, meter.step(work))
    const { attest, take: wanted } = session
    if (attest !== undefined && seats !== undefined) {
      store?.(self, attest.pending)
      step(self, session, () => session.attested(seats.attest(self, attest.hash)))
    } else if (wanted !== undefined && take !== undefined) {
      const found = take(self, wanted)
      step(self, session, () => session.taken(found))
    }
  }
  for (const [self, session] of sessions) step(self, session, () => session.start())
  while ([...inboxes.values()].some((inbox) => inbox.length > 0)) {
    for (const [self, session] of sessions) {
      const arrived = inboxes.get(self)?.splice(0) ?? []
      if (arrived.length > 0) step(self, session, () => arrived.flatMap(({ from, round, body }) => session.receive(from, round, body)))
    }
  }
  return new Map([...sessions].map(([j, session]) => [j, session.result]))
}
