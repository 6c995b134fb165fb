import { type PartyId, SecretBytes, tagged, utf8 } from '@conclave/core'
import { CORRELATE_ROUNDS, type CorrelateContext, correlate } from '../correlate.ts'
import type { Correlation } from '../correlation.ts'
import type { PairState } from '../pair-state.ts'
import type { Entries, Names } from '../protocol.ts'
import { Session } from '../session.ts'
import type { SignContext } from '../sign-request.ts'
import type { Deviants, SignOptions } from './cluster.ts'
import { pairOf } from './committee.ts'
import { type Outcome, partyRandom, type RunOptions, runSessions } from './run.ts'

export type CorrelateOptions = RunOptions & {
  readonly deviants?: Deviants<CorrelateContext, readonly Correlation[]>
  readonly change?: (self: PartyId) => Partial<CorrelateContext>
}

export function runCorrelate(
  a: PartyId,
  b: PartyId,
  seed: string,
  count: number,
  options: CorrelateOptions = {},
): Outcome<readonly Correlation[]> {
  const sessions = new Map(
    [a, b].map((self) => {
      const peer = a + b - self
      const pair = pairOf(a, b).get(self) as PairState
      const context = {
        self,
        peer,
        pair,
        nonce: tagged('correlate-nonce', utf8(seed)),
        count,
        random: partyRandom(`pool/${seed}/${peer}`, self),
      }
      const protocol = (options.deviants?.get(self) ?? correlate)({ ...context, ...options.change?.(self) })
      return [self, new Session({ self, peers: [peer], rounds: CORRELATE_ROUNDS, protocol })]
    }),
  )
  return runSessions(sessions, options)
}

/** Honest runs, by pair, seed and number: names and secrets at both ends. */
const made = new Map<string, ReadonlyMap<PartyId, readonly { readonly name: Uint8Array; readonly bytes: Uint8Array }[]>>()

/** Fresh copies of what an honest run gives, which is made once. */
function entriesOf(a: PartyId, b: PartyId, seed: string, count: number, self: PartyId): readonly Correlation[] {
  const name = `${a}/${b}/${seed}/${count}`
  const plain = (entries: readonly Correlation[]) => entries.map((e) => ({ name: e.name, bytes: e.secret.bytes }))
  const known = made.get(name) ?? new Map([...runCorrelate(a, b, seed, count).results].map(([j, entries]) => [j, plain(entries)]))
  made.set(name, known)
  return (known.get(self) ?? []).map((e) => ({ name: e.name, secret: new SecretBytes(e.bytes.slice()) }))
}

export function isWiped({ secret }: Correlation): boolean {
  try {
    return secret.bytes.length < 0
  } catch {
    // SECRET_WIPED: that is what is asked for.
    return true
  }
}

const keyOf = (self: PartyId, peer: PartyId) => `${self}/${peer}`

/** What every party of a test has in stock with every other: all of a peer's entries leave it in the order in which they came. */
export class TestPool {
  readonly #stock = new Map<string, Correlation[]>()
  /** Every entry that has left a stock, by party. */
  readonly left: { readonly self: PartyId; readonly entry: Correlation }[] = []

  /** Both ends of the pair make `count` entries; `keep` says who keeps them. */
  fill(a: PartyId, b: PartyId, seed: string, count: number, keep: readonly PartyId[] = [a, b]): void {
    for (const self of keep) this.#of(self, a + b - self).push(...entriesOf(a, b, seed, count, self))
  }

  size(self: PartyId, peer: PartyId): number {
    return this.#of(self, peer).length
  }

  /** The first entries of a stock, which stay in it. */
  look(self: PartyId, peer: PartyId): readonly Correlation[] {
    return this.#of(self, peer)
  }

  /** What a party brings to a session: it offers where it can, and expects offers where it has enough itself. */
  bring(self: PartyId, signers: readonly PartyId[], count: number): Pick<SignContext, 'offers' | 'stocked'> {
    const enough = signers.filter((j) => j !== self && this.size(self, j) >= count)
    const offers = new Map(enough.filter((j) => j > self).map((j) => [j, this.#leave(self, this.#of(self, j).splice(0, count))] as const))
    return { offers, stocked: new Set(enough.filter((j) => j < self)) }
  }

  take(self: PartyId, names: Names): Entries {
    const found = new Map<PartyId, readonly Correlation[]>()
    for (const [j, wanted] of names) {
      const stock = this.#of(self, j)
      const at = wanted.map((name) => stock.findIndex((e) => Buffer.from(e.name).equals(name)))
      if (at.includes(-1) || new Set(at).size !== at.length) continue
      found.set(
        j,
        this.#leave(
          self,
          at.map((i) => stock[i] as Correlation),
        ),
      )
      this.#stock.set(
        keyOf(self, j),
        stock.filter((_, i) => !at.includes(i)),
      )
    }
    return found
  }

  /** Options of a run in which everybody signs with what is here. */
  options(signers: readonly PartyId[], count = 1): Pick<SignOptions, 'pool' | 'take'> {
    return { pool: (self) => this.bring(self, signers, count), take: (self, names) => this.take(self, names) }
  }

  #of(self: PartyId, peer: PartyId): Correlation[] {
    const stock = this.#stock.get(keyOf(self, peer)) ?? []
    this.#stock.set(keyOf(self, peer), stock)
    return stock
  }

  #leave(self: PartyId, entries: readonly Correlation[]): readonly Correlation[] {
    this.left.push(...entries.map((entry) => ({ self, entry })))
    return entries
  }
}
