import { concat, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { answer, type BaseChoice, challenge, choose, reveal, revealFits, seedsOf, startSender } from './base-ot.ts'
import { bitOf } from './bits.ts'
import { KAPPA, POINT_BYTES } from './constants.ts'
import { isIdentity, mul, mulBase, O, pointToBytes, subPoints } from './points.ts'
import { flip } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const HASH = 32
const ctx = utf8('pair and direction')
const random = seededRandom(utf8('base ot'))
const sender = startSender(ctx, random)
const choice = choose(ctx, sender.baseBytes, sender.proof, random) as BaseChoice
const made = challenge(ctx, sender, choice.points)!
const answers = answer(ctx, choice, made.challenges)
const opened = reveal(ctx, made, answers)!

const cut = (bytes: Uint8Array, j: number) => bytes.subarray(j * HASH, (j + 1) * HASH)
const all = Array.from({ length: KAPPA }, (_, j) => j)
const OFF_CURVE = Uint8Array.from([2, ...scalar(5n)])
/** The points with one of them replaced. */
const withPoint = (j: number, point: Uint8Array) => {
  const points = Uint8Array.from(choice.points)
  points.set(point, j * POINT_BYTES)
  return points
}

describe('base ot', () => {
  it('base ot: an honest run passes, and the receiver gets the seed of its bit and not the other', () => {
    expect(revealFits(ctx, choice, made.challenges, opened)).to.equal(true)
    const [mine, zero, one] = [seedsOf(ctx, choice.pads), seedsOf(ctx, made.pads0), seedsOf(ctx, made.pads1)]
    for (const j of all) {
      const [chosen, other] = bitOf(choice.bits, j) === 1 ? [one, zero] : [zero, one]
      expect(cut(mine, j)).to.deep.equal(cut(chosen, j))
      expect(cut(mine, j)).not.to.deep.equal(cut(other, j))
    }
    const ones = all.filter((j) => bitOf(choice.bits, j) === 1).length
    expect(ones).to.be.within(30, 98)
  })

  it('malicious base-OT points: a base point that is off the curve, the identity or not proved is refused (2.1)', () => {
    const again = () => seededRandom(utf8('again'))
    for (const base of [OFF_CURVE, new Uint8Array(33), flip(sender.baseBytes), pointToBytes(mulBase(scalar(7n))), new Uint8Array(0)])
      expect(choose(ctx, base, sender.proof, again())).to.equal(undefined)
    for (const part of ['nonce', 'response'] as const)
      expect(choose(ctx, sender.baseBytes, { ...sender.proof, [part]: flip(sender.proof[part], 200) }, again())).to.equal(undefined)
    expect(choose(utf8('another direction'), sender.baseBytes, sender.proof, again())).to.equal(undefined)
  })

  it('malicious base-OT points: a choice point that is off the curve, the identity or B itself is refused at every place (2.2)', () => {
    for (const bad of [OFF_CURVE, new Uint8Array(33), sender.baseBytes])
      for (const j of [0, 1, 63, 127]) expect(challenge(ctx, sender, withPoint(j, bad)), String(j)).to.equal(undefined)
    // -B is no danger: both pads are hashes of points that only the sender can compute.
    expect(challenge(ctx, sender, withPoint(5, pointToBytes(subPoints(O, sender.base))))).not.to.equal(undefined)
  })

  it('malicious base-OT points: A = B would give away the second pad', () => {
    // Without check 2.2: b A - b B = O whatever b is.
    const product = mul(sender.base, sender.secret)
    expect(isIdentity(subPoints(product, product))).to.equal(true)
  })

  it('base ot: one wrong bit in any answer is refused, whichever the choice was (2.3)', () => {
    for (const j of all) expect(reveal(ctx, made, flip(answers, j * 256 + j)), String(j)).to.equal(undefined)
  })

  it('base ot: the answer for the other choice bit is wrong (2.3)', () => {
    const lying = answer(ctx, { ...choice, bits: choice.bits.map((b) => ~b) }, made.challenges)
    expect(reveal(ctx, made, lying)).to.equal(undefined)
    // The answers themselves tell nothing of w: honest ones are all h2(h1(rho0)).
    expect(answer(ctx, choice, made.challenges)).to.deep.equal(answers)
  })

  it('corrupt unchosen slot: either slot of the reveal fails alike, whatever the choice bit (2.4)', () => {
    for (const j of all)
      for (const slot of [0, 1]) expect(revealFits(ctx, choice, made.challenges, flip(opened, (2 * j + slot) * 256 + j))).to.equal(false)
  })

  it('corrupt unchosen slot: a false challenge is found at the reveal, whatever the choice bit (2.4)', () => {
    for (const j of all) expect(revealFits(ctx, choice, flip(made.challenges, j * 256 + j), opened), String(j)).to.equal(false)
  })

  it('corrupt unchosen slot: both slots swapped are refused (2.4)', () => {
    const swapped = concat(...all.flatMap((j) => [cut(opened, 2 * j + 1), cut(opened, 2 * j)]))
    expect(revealFits(ctx, choice, made.challenges, swapped)).to.equal(false)
  })

  it('same choice bits for two peers: two runs draw their bits afresh', () => {
    const other = choose(ctx, sender.baseBytes, sender.proof, random) as BaseChoice
    expect(other.bits).not.to.deep.equal(choice.bits)
    const distance = all.filter((j) => bitOf(other.bits, j) !== bitOf(choice.bits, j)).length
    expect(distance).to.be.within(30, 98)
  })

  it('same choice bits for two peers: even then pads, seeds and points of two contexts have nothing in common', () => {
    const second = utf8('another pair')
    const start = startSender(second, seededRandom(utf8('second')))
    const rigged = (seed: string) => {
      const inner = seededRandom(utf8(seed))
      return { bytes: (n: number) => (n === KAPPA / 8 ? Uint8Array.from(choice.bits) : inner.bytes(n)) }
    }
    const [a, b] = [choose(ctx, sender.baseBytes, sender.proof, rigged('r')), choose(second, start.baseBytes, start.proof, rigged('r'))]
    expect(a?.bits).to.deep.equal(b?.bits)
    for (const j of all) expect(cut(seedsOf(ctx, a!.pads), j)).not.to.deep.equal(cut(seedsOf(second, b!.pads), j))
  })

  it('base ot: pads, challenges and seeds bind the context', () => {
    const elsewhere = utf8('elsewhere')
    expect(seedsOf(elsewhere, choice.pads)).not.to.deep.equal(seedsOf(ctx, choice.pads))
    expect(challenge(elsewhere, sender, choice.points)?.pads0).not.to.deep.equal(made.pads0)
    expect(revealFits(elsewhere, choice, made.challenges, opened)).to.equal(false)
  })
})
