import { expect } from 'chai'
import { same } from './check/compare.ts'
import { ORDER } from './check/draw.ts'
import { kernel } from './index.ts'

const bytesOf = (value: bigint, length = 32): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'))

const LIMB_EDGES = [29, 58, 64, 87, 116, 128, 145, 174, 192, 203, 232].flatMap((bits) => [2n ** BigInt(bits) - 1n, 2n ** BigInt(bits)])
const EDGES = [0n, 1n, 2n, ORDER - 1n, ORDER - 2n, ORDER / 2n, ORDER / 2n + 1n, 2n ** 255n, ORDER - 2n ** 128n, ...LIMB_EDGES]
const ABOVE = [ORDER, ORDER + 1n, 2n ** 256n - ORDER, 2n ** 256n - 1n, 2n ** 256n - 2n ** 64n]

describe('scalars', () => {
  it('addScalars, subScalars, mulScalars: every pair of edges', () => {
    for (const a of EDGES.map((v) => bytesOf(v))) {
      for (const b of EDGES.map((v) => bytesOf(v))) for (const name of ['addScalars', 'subScalars', 'mulScalars'] as const) same(name, a, b)
    }
  })

  it('invertScalar: every edge, and 0 is refused', () => {
    for (const value of EDGES.slice(1)) same('invertScalar', bytesOf(value))
    expect(() => kernel.invertScalar(bytesOf(0n))).to.throw(RangeError, '0 has no inverse')
  })

  it('reduceWide: every pair of edges as halves, multiples of q, and every length', () => {
    const halves = [...EDGES, ...ABOVE]
    for (const high of halves) for (const low of halves) same('reduceWide', bytesOf((high << 256n) | low, 64))
    for (const k of [1n, 2n, 2n ** 255n, 2n ** 256n, 2n ** 512n / ORDER])
      for (const near of [-1n, 0n, 1n]) same('reduceWide', bytesOf(k * ORDER + near, 64))
    for (let length = 0; length <= 64; length++) same('reduceWide', new Uint8Array(length).fill(255))
  })

  it('areCanonical: one value that is not below q is seen at every place', () => {
    for (const value of [...EDGES, ...ABOVE]) same('areCanonical', bytesOf(value))
    for (let count = 0; count < 6; count++) {
      const packed = Buffer.concat(Array.from({ length: count }, () => bytesOf(ORDER - 1n)))
      expect(kernel.areCanonical(packed)).to.equal(true)
      for (let i = 0; i < count; i++) {
        const spoilt = Uint8Array.from(packed)
        spoilt.set(bytesOf(ORDER), 32 * i)
        expect(kernel.areCanonical(spoilt)).to.equal(false)
      }
    }
  })

  it('scalars: other lengths than 32 bytes are refused', () => {
    const [short, good] = [new Uint8Array(31), bytesOf(1n)]
    for (const name of ['addScalars', 'subScalars', 'mulScalars'] as const) {
      expect(() => kernel[name](short, good)).to.throw(RangeError)
      expect(() => kernel[name](good, short)).to.throw(RangeError)
    }
    expect(() => kernel.invertScalar(short)).to.throw(RangeError)
    expect(() => kernel.reduceWide(new Uint8Array(65))).to.throw(RangeError)
    expect(() => kernel.areCanonical(short)).to.throw(RangeError)
  })
})
