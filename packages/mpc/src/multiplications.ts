import type { PartyId, Random, SecretScope } from '@conclave/core'
import type { OtExtension, Vole } from '@conclave/wire'
import { checksOf, type Product } from './correlation.ts'
import { type AliceExtension, type BobExtension, extendAlice, extendBob } from './ot-extension.ts'
import { type PairState, pairContext, secretsOf } from './pair-state.ts'
import { type AliceVole, type BobVole, voleAlice, voleBob } from './vole.ts'

export interface MultiplicationInputs {
  readonly pair: PairState
  /** One for each multiplication, used once: what `nu` binds in the place of `sid`. */
  readonly ids: readonly Uint8Array[]
  readonly random: Random
  /** Wipes what is secret. */
  readonly scope: SecretScope
}

/** What became of the peer's VOLE messages: fine, not canonical (no secret involved), or inconsistent (check 4.1: burn). */
export type VoleVerdict = 'fine' | 'malformed' | 'inconsistent'

/**
 * One pair's multiplications of one session in both directions, section 5: in one this party is Bob, in the other Alice.
 *
 * Each end sends its OT messages as Bob, and answers those of the other as Alice. Both directions are independent of each other.
 */
export class Multiplications {
  readonly #in: MultiplicationInputs
  readonly #self: PartyId
  readonly #peer: PartyId
  #bobs: readonly BobExtension[] = []
  #heard: readonly OtExtension[] = []
  #extended: readonly AliceExtension[] = []
  #alices: readonly AliceVole[] = []
  #products: readonly BobVole[] = []
  #answers: readonly Vole[] = []

  constructor(inputs: MultiplicationInputs) {
    this.#in = inputs
    this.#self = inputs.pair.public.self
    this.#peer = inputs.pair.public.peer
  }

  /** As Bob: one OT message for each multiplication. */
  ots(): readonly OtExtension[] {
    const { pair, ids, random, scope } = this.#in
    const { bobSeeds0, bobSeeds1 } = secretsOf(pair)
    const pairCtx = pairContext(pair.public, this.#peer, this.#self)
    this.#bobs = ids.map((id) => {
      const bob = extendBob(id, pairCtx, { seeds0: bobSeeds0, seeds1: bobSeeds1 }, random)
      scope.own(bob.choices)
      scope.own(bob.rows)
      return bob
    })
    return this.#bobs.map((b) => b.message)
  }

  /** As Alice: whether check 3.1 holds for each of the peer's OT messages. All are evaluated before it is decided. */
  hearOts(messages: readonly OtExtension[]): boolean {
    const { pair, ids, scope } = this.#in
    const { delta, aliceSeeds } = secretsOf(pair)
    const pairCtx = pairContext(pair.public, this.#self, this.#peer)
    const extended = messages.map((m, k) => {
      const alice = extendAlice(ids[k] as Uint8Array, pairCtx, { delta, seeds: aliceSeeds }, m)
      if (alice !== undefined) scope.own(alice.rows)
      return alice
    })
    if (extended.includes(undefined)) return false
    this.#heard = messages
    this.#extended = extended as readonly AliceExtension[]
    return true
  }

  /** As Alice: the answer to each OT message that was heard. */
  voles(): readonly Vole[] {
    const { pair, random, scope } = this.#in
    const { delta } = secretsOf(pair)
    this.#alices = this.#extended.map(({ nu, rows }, k) => {
      const alice = voleAlice(nu, this.#heard[k] as OtExtension, rows, delta, random)
      for (const secret of [...alice.alpha, ...alice.t]) scope.own(secret)
      return alice
    })
    return this.#alices.map((a) => a.message)
  }

  /** As Bob: check 4.1 for each answer. A malformed one among them decides, whatever the others are. */
  hearVoles(messages: readonly Vole[]): VoleVerdict {
    const outcomes = messages.map((m, k) => {
      const bob = this.#bobs[k] as BobExtension
      const outcome = voleBob(bob.nu, bob.message, bob, m)
      if (typeof outcome === 'object') for (const secret of [outcome.beta, ...outcome.r]) this.#in.scope.own(secret)
      return outcome
    })
    if (outcomes.includes('malformed')) return 'malformed'
    if (outcomes.includes('inconsistent')) return 'inconsistent'
    this.#answers = messages
    this.#products = outcomes as readonly BobVole[]
    return 'fine'
  }

  /** What is left, when both directions are through. */
  products(): readonly Product[] {
    return this.#alices.map(({ alpha, t }, k) => {
      const { beta, r } = this.#products[k] as BobVole
      return { alpha, t, beta, r, checks: checksOf(t) }
    })
  }

  /** Of multiplication k, when both directions are through: our salts and the peer's. */
  salts(k: number): { readonly ours: { ot: Uint8Array; vole: Uint8Array }; readonly theirs: { ot: Uint8Array; vole: Uint8Array } } {
    return {
      ours: { ot: (this.#bobs[k] as BobExtension).message.salt, vole: (this.#alices[k] as AliceVole).message.salt },
      theirs: { ot: (this.#heard[k] as OtExtension).salt, vole: (this.#answers[k] as Vole).salt },
    }
  }
}
