/**
 * One signer a second time, from the formulas of docs/spec/protocol.md section 5: one method a round, no session, no generator.
 *
 * Randomness in the order in which it is drawn: k and phi of 48 bytes each, 32 bytes of opening salt; in round 1, by peer in
 * increasing order, what naive-ot's Bob draws; in round 2, by peer in increasing order, what its Alice draws.
 */
import type { Random } from '@conclave/core'
import type { KeyPublic, OtExtension, SignCommit, SignOpen, SignPartial, SignVole, ValueOf } from '@conclave/wire'
import {
  add,
  type Bits,
  bigEndian,
  bitsOf,
  bytesOf,
  compressed,
  decompressed,
  G,
  Hs,
  hmac512,
  inverse,
  join,
  KAPPA,
  mod,
  type Point,
  pointsEqual,
  q,
  same,
  T,
  text,
  times,
  u32,
} from './naive-maths.fixture.ts'
import {
  drawScalar,
  extendAlice,
  extendBob,
  NaiveAbort,
  type NaiveAliceVole,
  type NaiveBob,
  type NaiveBobVole,
  voleAlice,
  voleBob,
} from './naive-ot.fixture.ts'

type Commit = ValueOf<typeof SignCommit>
type VoleMessage = ValueOf<typeof SignVole>
type Open = SignOpen
type Partial = ValueOf<typeof SignPartial>
type ByParty<V> = ReadonlyMap<number, V>

export interface NaiveRequest {
  readonly requestId: Uint8Array
  readonly signers: readonly number[]
  readonly digest: Uint8Array
  readonly path: readonly number[]
  readonly purpose: string
  readonly attempt: number
}

export interface NaivePair {
  readonly pairEpoch: number
  readonly transcript: Uint8Array
  readonly delta: Bits
  readonly aliceSeeds: readonly Uint8Array[]
  readonly bobSeeds: readonly (readonly Uint8Array[])[]
  readonly zeroSeed: Uint8Array
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

export const pairCtx = (clusterCtx: Uint8Array, pair: NaivePair, alice: number, bob: number): Uint8Array =>
  T('pair', clusterCtx, u32(pair.pairEpoch), u32(alice), u32(bob), pair.transcript)

const indices = (parties: readonly number[]) => join(parties.map(u32))

function sidOf(clusterCtx: Uint8Array, key: KeyPublic, r: NaiveRequest): Uint8Array {
  const shares = T('public-shares', indices(key.parties), ...key.publicShares)
  const numbers = [key.epoch, key.threshold, key.parties.length].map(u32)
  const keyCtx = T('key', clusterCtx, text(key.keyId), key.publicKey, ...numbers, key.chainCode, shares)
  return T('sign', keyCtx, r.requestId, indices(r.signers), r.digest, join(r.path.map(u32)), text(r.purpose), u32(r.attempt))
}

/** BIP32 public derivation; the tweak is the sum of the steps. */
function childOf(key: KeyPublic, path: readonly number[]): { readonly point: Point; readonly tweak: bigint } {
  let [point, chain, tweak] = [decompressed(key.publicKey), key.chainCode, 0n]
  for (const index of path) {
    const out = hmac512(chain, join([compressed(point), u32(index)]))
    const step = bigEndian(out.slice(0, 32))
    point = add(point, times(G, step))
    chain = out.slice(32)
    tweak = mod(tweak + step)
  }
  return { point, tweak }
}

export interface NaiveInputs {
  readonly clusterCtx: Uint8Array
  readonly self: number
  readonly key: KeyPublic
  /** x_i, 32 bytes. */
  readonly share: Uint8Array
  readonly pairs: ByParty<NaivePair>
  readonly request: NaiveRequest
  readonly random: Random
}

export class NaiveSigner {
  readonly #in: NaiveInputs
  readonly #peers: readonly number[]
  readonly #sid: Uint8Array
  readonly #publicKey: Point
  readonly #k: bigint
  readonly #phi: bigint
  readonly #sk: bigint
  readonly #opening: Pick<Open, 'noncePoint' | 'keyPoint' | 'salt'>
  readonly #bobs = new Map<number, NaiveBob>()
  readonly #alices = new Map<number, NaiveAliceVole>()
  readonly #products = new Map<number, NaiveBobVole>()
  readonly #commitments = new Map<number, Uint8Array>()
  #echo: Uint8Array = new Uint8Array(0)
  #R: Point
  #mine = { u: 0n, w: 0n }

  constructor(inputs: NaiveInputs) {
    const { clusterCtx, self, key, share, pairs, request, random } = inputs
    this.#in = inputs
    this.#peers = request.signers.filter((j) => j !== self)
    this.#sid = sidOf(clusterCtx, key, request)
    const { point, tweak } = childOf(key, request.path)
    this.#publicKey = point
    let sk = bigEndian(share)
    for (const j of this.#peers) sk = mod(sk * BigInt(j) * inverse(BigInt(j - self)))
    for (const j of this.#peers) sk += BigInt(Math.sign(j - self)) * Hs('zero-share', pairs.get(j)!.zeroSeed, this.#sid)
    if (self === Math.min(...request.signers)) sk += tweak
    this.#sk = mod(sk)
    this.#k = drawScalar(random)
    this.#phi = drawScalar(random)
    this.#opening = { noncePoint: compressed(times(G, this.#k)), keyPoint: compressed(times(G, this.#sk)), salt: random.bytes(32) }
    this.#commitments.set(self, this.#commit(self, this.#opening))
  }

  round1(): ByParty<Commit> {
    const { clusterCtx, self, pairs, random } = this.#in
    return this.#each((j) => {
      const pair = pairs.get(j)!
      const bob = extendBob(this.#sid, pairCtx(clusterCtx, pair, j, self), pair.bobSeeds, random)
      this.#bobs.set(j, bob)
      return { context: this.#context(j), commitment: this.#commitments.get(self)!, ot: bob.message }
    })
  }

  #context(j: number): Uint8Array {
    const { clusterCtx, self, pairs } = this.#in
    const { pairEpoch, transcript } = pairs.get(j)!
    return T(
      'sign-context',
      this.#sid,
      T('pair-id', clusterCtx, u32(pairEpoch), u32(Math.min(self, j)), u32(Math.max(self, j)), transcript),
    )
  }

  /** @throws {NaiveAbort} 3.0, 3.1. */
  round2(commits: ByParty<Commit>): ByParty<VoleMessage> {
    const { random, request } = this.#in
    for (const [j, m] of commits) if (!same(m.context, this.#context(j))) throw new NaiveAbort('3.0')
    for (const [j, m] of commits) this.#commitments.set(j, m.commitment)
    const extended = this.#each((j) => this.#asAlice(j, commits.get(j)!.ot))
    this.#echo = T('sign-echo', this.#sid, ...request.signers.flatMap((j) => [u32(j), this.#commitments.get(j)!]))
    return this.#each((j) => {
      const alice = voleAlice(extended.get(j)!, commits.get(j)!.ot, random)
      this.#alices.set(j, alice)
      return { echo: this.#echo, vole: alice.message }
    })
  }

  /** @throws {NaiveAbort} 5.1, 4.1. */
  round3(voles: ByParty<VoleMessage>): ByParty<Open> {
    this.#checkEchoes(voles)
    return this.#each((j) => {
      const bob = this.#bobs.get(j)!
      const product = voleBob(bob.nu, bob.message, bob, voles.get(j)!.vole)
      this.#products.set(j, product)
      const { alpha, t } = this.#alices.get(j)!
      return {
        ...this.#opening,
        gammaU: bytesOf(mod(this.#k - alpha[0]!), 32),
        gammaV: bytesOf(mod(this.#sk - alpha[1]!), 32),
        checkU: compressed(times(G, t[0]!)),
        checkV: compressed(times(G, t[1]!)),
        psi: bytesOf(mod(this.#phi - product.beta), 32),
        echo: this.#echo,
      }
    })
  }

  /** @throws {NaiveAbort} 5.1 to 5.6. */
  round4(opens: ByParty<Open>): Partial {
    const { request } = this.#in
    this.#checkEchoes(opens)
    for (const [j, o] of opens) if (!same(this.#commit(j, o), this.#commitments.get(j)!)) throw new NaiveAbort('5.2')
    const value = (f: (o: Open) => Uint8Array, j: number) => bigEndian(f(opens.get(j)!))
    const point = (f: (o: Open) => Uint8Array, j: number) => decompressed(f(opens.get(j)!))
    const d = this.#each((j) => {
      const { beta, r } = this.#products.get(j)!
      const du = mod(r[0]! + value((o) => o.gammaU, j) * beta)
      const dv = mod(r[1]! + value((o) => o.gammaV, j) * beta)
      const left = (s: bigint, check: Point) => add(times(G, s), check)
      const right = (input: Point) => times(input, beta)
      if (
        !pointsEqual(
          left(
            du,
            point((o) => o.checkU, j),
          ),
          right(point((o) => o.noncePoint, j)),
        )
      )
        throw new NaiveAbort('5.3')
      if (
        !pointsEqual(
          left(
            dv,
            point((o) => o.checkV, j),
          ),
          right(point((o) => o.keyPoint, j)),
        )
      )
        throw new NaiveAbort('5.4')
      return [du, dv] as const
    })
    const total = (own: Uint8Array, f: (o: Open) => Uint8Array) => this.#peers.reduce((sum, j) => add(sum, point(f, j)), decompressed(own))
    if (
      !pointsEqual(
        total(this.#opening.keyPoint, (o) => o.keyPoint),
        this.#publicKey,
      )
    )
      throw new NaiveAbort('5.5')
    this.#R = total(this.#opening.noncePoint, (o) => o.noncePoint)
    if (this.#R === undefined || mod(this.#R.x) === 0n) throw new NaiveAbort('5.6')
    const masks = this.#peers.reduce((sum, j) => sum + value((o) => o.psi, j), this.#phi)
    const cross = (c: 0 | 1) => this.#peers.reduce((sum, j) => sum + this.#alices.get(j)!.t[c]! + d.get(j)![c], 0n)
    const v = this.#sk * masks + cross(1)
    this.#mine = { u: mod(this.#k * masks + cross(0)), w: mod(bigEndian(request.digest) * this.#phi + this.#R.x * v) }
    return { u: bytesOf(this.#mine.u, 32), w: bytesOf(this.#mine.w, 32) }
  }

  /** @throws {NaiveAbort} 5.7. */
  finish(partials: ByParty<Partial>): { readonly signature: Uint8Array; readonly recovery: number } {
    const R = this.#R!
    const u = [...partials.values()].reduce((sum, m) => sum + bigEndian(m.u), this.#mine.u)
    const w = [...partials.values()].reduce((sum, m) => sum + bigEndian(m.w), this.#mine.w)
    const r = mod(R.x)
    const s = mod(w * inverse(u))
    const e = bigEndian(this.#in.request.digest)
    const check = s === 0n ? undefined : add(times(G, e * inverse(s)), times(this.#publicKey, r * inverse(s)))
    if (check === undefined || mod(check.x) !== r) throw new NaiveAbort('5.7')
    const high = s > q / 2n
    const odd = (R.y & 1n) === 1n
    const signature = join([bytesOf(r, 32), bytesOf(high ? q - s : s, 32)])
    return { signature, recovery: (odd !== high ? 1 : 0) + (R.x >= q ? 2 : 0) }
  }

  #commit(j: number, o: Pick<Open, 'noncePoint' | 'keyPoint' | 'salt'>): Uint8Array {
    return T('nonce', this.#sid, u32(j), o.noncePoint, o.keyPoint, o.salt)
  }

  #asAlice(j: number, ot: OtExtension) {
    const { clusterCtx, self, pairs } = this.#in
    const pair = pairs.get(j)!
    return extendAlice(this.#sid, pairCtx(clusterCtx, pair, self, j), { delta: pair.delta, seeds: pair.aliceSeeds }, ot)
  }

  #checkEchoes(messages: ByParty<{ readonly echo: Uint8Array }>): void {
    for (const m of messages.values()) if (!same(m.echo, this.#echo)) throw new NaiveAbort('5.1')
  }

  #each<V>(f: (j: number) => V): ReadonlyMap<number, V> {
    return new Map(this.#peers.map((j) => [j, f(j)]))
  }
}
