/**
 * One signer a second time, from the formulas of docs/spec/protocol.md section 6: one method a round, no session, no generator.
 *
 * Randomness in the order in which it is drawn: by item what naive-item draws; in round 1, by peer in increasing order and by item, what
 * naive-ot's Bob draws; in round 2, in the same order, what its Alice draws.
 */
import type { Random } from '@conclave/core'
import type { KeyPublic, SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import { type ByParty, type NaiveEntry, NaiveItem, type NaivePair, NaiveRun } from './naive-item.fixture.ts'
import { bitsOf, join, KAPPA, same, T, text, u32 } from './naive-maths.fixture.ts'
import { NaiveAbort } from './naive-ot.fixture.ts'

export { pairCtx, readEntry } from './naive-item.fixture.ts'

export interface NaiveRequest {
  readonly requestId: Uint8Array
  readonly statement: Uint8Array
  readonly signers: readonly number[]
  readonly items: readonly { readonly digest: Uint8Array; readonly path: readonly number[] }[]
  readonly purpose: string
  readonly attempt: number
}

/** Cuts the stored secret: Delta, Alice's seeds, Bob's two lists, the zero-share seed. */
export function readPair(pair: { readonly pairEpoch: number; readonly transcript: Uint8Array }, secret: Uint8Array): NaivePair {
  const seeds = (from: number) => Array.from({ length: KAPPA }, (_, i) => secret.slice(from + 32 * i, from + 32 * i + 32))
  return {
    pairEpoch: pair.pairEpoch,
    transcript: pair.transcript,
    delta: bitsOf(secret.slice(0, 16)),
    aliceSeeds: seeds(16),
    bobSeeds: [seeds(16 + 4096), seeds(16 + 8192)],
    zeroSeed: secret.slice(16 + 12288),
  }
}

const indices = (parties: readonly number[]) => join(parties.map(u32))

function sidOf(clusterCtx: Uint8Array, key: KeyPublic, r: NaiveRequest): Uint8Array {
  const shares = T('public-shares', indices(key.parties), ...key.publicShares)
  const numbers = [key.epoch, key.threshold, key.parties.length].map(u32)
  const keyCtx = T('key', clusterCtx, text(key.keyId), key.publicKey, ...numbers, key.chainCode, shares)
  const items = r.items.flatMap((item) => [item.digest, join(item.path.map(u32))])
  return T('sign', keyCtx, r.requestId, r.statement, indices(r.signers), ...items, text(r.purpose), u32(r.attempt))
}

const idOfPair = (clusterCtx: Uint8Array, pair: NaivePair, self: number, peer: number) =>
  T('pair-id', clusterCtx, u32(pair.pairEpoch), u32(Math.min(self, peer)), u32(Math.max(self, peer)), pair.transcript)

/** A pool entry of a pair that the pool serves. */
export interface NaiveStock {
  readonly name: Uint8Array
  readonly entry: NaiveEntry
}

export interface NaiveInputs {
  readonly clusterCtx: Uint8Array
  readonly self: number
  readonly key: KeyPublic
  /** x_i, 32 bytes. */
  readonly share: Uint8Array
  readonly pairs: ByParty<NaivePair>
  /** One entry for each item and peer that the pool serves. */
  readonly pooled?: ByParty<readonly NaiveStock[]>
  readonly request: NaiveRequest
  readonly random: Random
}

export class NaiveSigner {
  readonly #in: NaiveInputs
  readonly #peers: readonly number[]
  readonly #sid: Uint8Array
  readonly #items: readonly NaiveItem[]
  readonly #runs: ByParty<readonly NaiveRun[]>
  readonly #commitments = new Map<number, readonly Uint8Array[]>()
  #echo: Uint8Array = new Uint8Array(0)

  constructor(inputs: NaiveInputs) {
    const { clusterCtx, self, key, pairs, request } = inputs
    this.#in = inputs
    this.#peers = request.signers.filter((j) => j !== self)
    this.#sid = sidOf(clusterCtx, key, request)
    const many = request.items.length > 1
    const ids = request.items.map((_, i) => (many ? T('sign-item', this.#sid, u32(i)) : this.#sid))
    this.#items = request.items.map((item, i) => new NaiveItem({ ...inputs, ...item, signers: request.signers, id: ids[i]! }))
    this.#runs = this.#each((j) => ids.map((id) => new NaiveRun(clusterCtx, pairs.get(j)!, [self, j], id)))
    this.#commitments.set(
      self,
      this.#items.map((item) => item.commitment),
    )
  }

  round1(): ByParty<SignCommit> {
    const { self, random } = this.#in
    return this.#each((j) => {
      const stock = this.#stock(j)
      const ots = stock === undefined ? this.#runs.get(j)!.map((run) => run.ot(random)) : []
      const offer = self < j ? (stock ?? []).map((s) => s.name) : []
      return { context: this.#context(j), commitments: this.#commitments.get(self)!, ots, offer }
    })
  }

  /** @throws {NaiveAbort} 3.0, 0, 3.1. */
  round2(commits: ByParty<SignCommit>): ByParty<SignVole> {
    const { self, random, request } = this.#in
    for (const [j, m] of commits) if (!same(m.context, this.#context(j))) throw new NaiveAbort('3.0')
    for (const [j, m] of commits) this.#commitments.set(j, m.commitments)
    for (const [j, m] of commits) {
      const offered = (self > j ? (this.#stock(j) ?? []) : []).map((s) => s.name)
      if (!same(join(m.offer), join(offered))) throw new NaiveAbort('0')
      for (const [i, ot] of m.ots.entries()) this.#runs.get(j)![i]!.hearOt(ot)
    }
    this.#echo = T('sign-echo', this.#sid, ...request.signers.flatMap((j) => [u32(j), join(this.#commitments.get(j)!)]))
    return this.#each((j) => {
      const voles = this.#stock(j) === undefined ? this.#runs.get(j)!.map((run) => run.answer(random)) : []
      return { echo: this.#echo, ots: [], voles }
    })
  }

  /** @throws {NaiveAbort} 5.1, 4.1. */
  round3(said: ByParty<SignVole>): ByParty<SignOpen> {
    this.#checkEchoes(said)
    return this.#each((j) => {
      for (const [i, vole] of said.get(j)!.voles.entries()) this.#runs.get(j)![i]!.hearVole(vole)
      return { echo: this.#echo, openings: this.#items.map((item, i) => item.open(this.#entry(j, i))) }
    })
  }

  /** @throws {NaiveAbort} 5.1 to 5.6. */
  round4(said: ByParty<SignOpen>): SignPartial {
    this.#checkEchoes(said)
    const partials = this.#items.map((item, i) =>
      item.partial(
        this.#each((j) => this.#entry(j, i)),
        this.#each((j) => said.get(j)!.openings[i]!),
        this.#each((j) => this.#commitments.get(j)![i]!),
      ),
    )
    return { partials }
  }

  /** @throws {NaiveAbort} 5.7. */
  finish(said: ByParty<SignPartial>) {
    return this.#items.map((item, i) => item.finish([...said.values()].map((m) => m.partials[i]!)))
  }

  #stock(j: number): readonly NaiveStock[] | undefined {
    return this.#in.pooled?.get(j)
  }

  #entry(j: number, i: number): NaiveEntry {
    const stocked = this.#stock(j)
    if (stocked !== undefined) return stocked[i]!.entry
    const { vole, product } = this.#runs.get(j)![i]!
    return { alpha: vole.alpha, t: vole.t, beta: product.beta, r: product.r }
  }

  #context(j: number): Uint8Array {
    const { clusterCtx, self, pairs } = this.#in
    return T('sign-context', this.#sid, idOfPair(clusterCtx, pairs.get(j)!, self, j))
  }

  #checkEchoes(messages: ByParty<{ readonly echo: Uint8Array }>): void {
    for (const m of messages.values()) if (!same(m.echo, this.#echo)) throw new NaiveAbort('5.1')
  }

  #each<V>(f: (j: number) => V): ReadonlyMap<number, V> {
    return new Map(this.#peers.map((j) => [j, f(j)]))
  }
}
