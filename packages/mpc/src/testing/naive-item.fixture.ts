/**
 * One signature of one signer a second time, from the formulas of docs/spec/protocol.md section 6.
 *
 * Randomness in the order in which it is drawn: k and phi of 48 bytes each, 32 bytes of opening salt; then what naive-ot draws.
 */
import type { Random } from '@conclave/core'
import type { KeyPublic, Opening, OtExtension, PartialSignature, Vole } from '@conclave/wire'
import {
  add,
  type Bits,
  bigEndian,
  bytesOf,
  compressed,
  decompressed,
  G,
  Hs,
  hmac512,
  inverse,
  join,
  mod,
  type Point,
  pointsEqual,
  q,
  same,
  T,
  times,
  u32,
} from './naive-maths.fixture.ts'
import {
  drawScalar,
  extendAlice,
  extendBob,
  NaiveAbort,
  type NaiveAlice,
  type NaiveAliceVole,
  type NaiveBob,
  type NaiveBobVole,
  voleAlice,
  voleBob,
} from './naive-ot.fixture.ts'

export type ByParty<V> = ReadonlyMap<number, V>

export interface NaivePair {
  readonly pairEpoch: number
  readonly transcript: Uint8Array
  readonly delta: Bits
  readonly aliceSeeds: readonly Uint8Array[]
  readonly bobSeeds: readonly (readonly Uint8Array[])[]
  readonly zeroSeed: Uint8Array
}

export const pairCtx = (clusterCtx: Uint8Array, pair: NaivePair, alice: number, bob: number): Uint8Array =>
  T('pair', clusterCtx, u32(pair.pairEpoch), u32(alice), u32(bob), pair.transcript)

/** Both multiplications of one pair, one in each direction: as Bob and as Alice under one name. */
export class NaiveRun {
  readonly #clusterCtx: Uint8Array
  readonly #pair: NaivePair
  readonly #ends: readonly [number, number]
  readonly #id: Uint8Array
  #bob!: NaiveBob
  #alice!: NaiveAlice
  #heard!: OtExtension
  vole!: NaiveAliceVole
  product!: NaiveBobVole

  constructor(clusterCtx: Uint8Array, pair: NaivePair, ends: readonly [self: number, peer: number], id: Uint8Array) {
    this.#clusterCtx = clusterCtx
    this.#pair = pair
    this.#ends = ends
    this.#id = id
  }

  ot(random: Random): OtExtension {
    const [self, peer] = this.#ends
    this.#bob = extendBob(this.#id, pairCtx(this.#clusterCtx, this.#pair, peer, self), this.#pair.bobSeeds, random)
    return this.#bob.message
  }

  /** @throws {NaiveAbort} 3.1. */
  hearOt(ot: OtExtension): void {
    const held = { delta: this.#pair.delta, seeds: this.#pair.aliceSeeds }
    this.#alice = extendAlice(this.#id, pairCtx(this.#clusterCtx, this.#pair, ...this.#ends), held, ot)
    this.#heard = ot
  }

  answer(random: Random): Vole {
    this.vole = voleAlice(this.#alice, this.#heard, random)
    return this.vole.message
  }

  /** @throws {NaiveAbort} 0, 4.1. */
  hearVole(vole: Vole): void {
    this.product = voleBob(this.#bob.nu, this.#bob.message, this.#bob, vole)
  }
}

/** What is left of {@link NaiveRun}, or what the pool has of it. */
export interface NaiveEntry {
  readonly alpha: readonly bigint[]
  readonly t: readonly bigint[]
  readonly beta: bigint
  readonly r: readonly bigint[]
}

/** Cuts the secret of a pool entry. */
export function readEntry(secret: Uint8Array): NaiveEntry {
  const [a0, a1, t0, t1, beta, r0, r1] = [0, 1, 2, 3, 4, 5, 6].map((i) => bigEndian(secret.slice(32 * i, 32 * i + 32)))
  return { alpha: [a0!, a1!], t: [t0!, t1!], beta: beta!, r: [r0!, r1!] }
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

export interface NaiveItemInputs {
  readonly self: number
  readonly signers: readonly number[]
  readonly key: KeyPublic
  /** x_i, 32 bytes. */
  readonly share: Uint8Array
  readonly pairs: ByParty<NaivePair>
  /** What stands for sid in everything of this item. */
  readonly id: Uint8Array
  readonly digest: Uint8Array
  readonly path: readonly number[]
  readonly random: Random
}

export class NaiveItem {
  readonly #in: NaiveItemInputs
  readonly #peers: readonly number[]
  readonly #publicKey: Point
  readonly #k: bigint
  readonly #phi: bigint
  readonly #sk: bigint
  readonly #opening: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>
  readonly commitment: Uint8Array
  #R: Point
  #mine = { u: 0n, w: 0n }

  constructor(inputs: NaiveItemInputs) {
    const { self, signers, key, share, pairs, id, path, random } = inputs
    this.#in = inputs
    this.#peers = signers.filter((j) => j !== self)
    const { point, tweak } = childOf(key, path)
    this.#publicKey = point
    let sk = bigEndian(share)
    for (const j of this.#peers) sk = mod(sk * BigInt(j) * inverse(BigInt(j - self)))
    for (const j of this.#peers) sk += BigInt(Math.sign(j - self)) * Hs('zero-share', pairs.get(j)!.zeroSeed, id)
    if (self === Math.min(...signers)) sk += tweak
    this.#sk = mod(sk)
    this.#k = drawScalar(random)
    this.#phi = drawScalar(random)
    this.#opening = { noncePoint: compressed(times(G, this.#k)), keyPoint: compressed(times(G, this.#sk)), salt: random.bytes(32) }
    this.commitment = this.#commit(self, this.#opening)
  }

  open(entry: NaiveEntry): Opening {
    return {
      ...this.#opening,
      gammaU: bytesOf(mod(this.#k - entry.alpha[0]!), 32),
      gammaV: bytesOf(mod(this.#sk - entry.alpha[1]!), 32),
      checkU: compressed(times(G, entry.t[0]!)),
      checkV: compressed(times(G, entry.t[1]!)),
      psi: bytesOf(mod(this.#phi - entry.beta), 32),
    }
  }

  /** @throws {NaiveAbort} 5.2 to 5.6. */
  partial(entries: ByParty<NaiveEntry>, opens: ByParty<Opening>, commitments: ByParty<Uint8Array>): PartialSignature {
    for (const [j, o] of opens) if (!same(this.#commit(j, o), commitments.get(j)!)) throw new NaiveAbort('5.2')
    const value = (f: (o: Opening) => Uint8Array, j: number) => bigEndian(f(opens.get(j)!))
    const point = (f: (o: Opening) => Uint8Array, j: number) => decompressed(f(opens.get(j)!))
    const products = this.#peers.map((j) => {
      const { beta, r } = entries.get(j)!
      const du = mod(r[0]! + value((o) => o.gammaU, j) * beta)
      const dv = mod(r[1]! + value((o) => o.gammaV, j) * beta)
      const fails = (d: bigint, check: Point, input: Point) => !pointsEqual(add(times(G, d), check), times(input, beta))
      const [checkU, checkV] = [point((o) => o.checkU, j), point((o) => o.checkV, j)]
      if (
        fails(
          du,
          checkU,
          point((o) => o.noncePoint, j),
        )
      )
        throw new NaiveAbort('5.3')
      if (
        fails(
          dv,
          checkV,
          point((o) => o.keyPoint, j),
        )
      )
        throw new NaiveAbort('5.4')
      return [j, [du, dv]] as const
    })
    const d = new Map(products)
    const total = (own: Uint8Array, f: (o: Opening) => Uint8Array) =>
      this.#peers.reduce((sum, j) => add(sum, point(f, j)), decompressed(own))
    const sums = [total(this.#opening.keyPoint, (o) => o.keyPoint), total(this.#opening.noncePoint, (o) => o.noncePoint)]
    if (!pointsEqual(sums[0], this.#publicKey)) throw new NaiveAbort('5.5')
    this.#R = sums[1]
    if (this.#R === undefined || mod(this.#R.x) === 0n) throw new NaiveAbort('5.6')
    const masks = this.#peers.reduce((sum, j) => sum + value((o) => o.psi, j), this.#phi)
    const cross = (c: 0 | 1) => this.#peers.reduce((sum, j) => sum + entries.get(j)!.t[c]! + d.get(j)![c]!, 0n)
    const v = this.#sk * masks + cross(1)
    this.#mine = { u: mod(this.#k * masks + cross(0)), w: mod(bigEndian(this.#in.digest) * this.#phi + this.#R.x * v) }
    return { u: bytesOf(this.#mine.u, 32), w: bytesOf(this.#mine.w, 32) }
  }

  /** @throws {NaiveAbort} 5.7. */
  finish(partials: readonly PartialSignature[]): { readonly signature: Uint8Array; readonly recovery: number } {
    const R = this.#R!
    const u = partials.reduce((sum, m) => sum + bigEndian(m.u), this.#mine.u)
    const w = partials.reduce((sum, m) => sum + bigEndian(m.w), this.#mine.w)
    const r = mod(R.x)
    const s = mod(w * inverse(u))
    const e = bigEndian(this.#in.digest)
    const check = s === 0n ? undefined : add(times(G, e * inverse(s)), times(this.#publicKey, r * inverse(s)))
    if (check === undefined || mod(check.x) !== r) throw new NaiveAbort('5.7')
    const high = s > q / 2n
    const odd = (R.y & 1n) === 1n
    const signature = join([bytesOf(r, 32), bytesOf(high ? q - s : s, 32)])
    return { signature, recovery: (odd !== high ? 1 : 0) + (R.x >= q ? 2 : 0) }
  }

  #commit(j: number, o: Pick<Opening, 'noncePoint' | 'keyPoint' | 'salt'>): Uint8Array {
    return T('nonce', this.#in.id, u32(j), o.noncePoint, o.keyPoint, o.salt)
  }
}
