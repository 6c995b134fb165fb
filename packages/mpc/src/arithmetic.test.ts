import { seededRandom, utf8 } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import * as a from './arithmetic.ts'
import { always } from './testing/property.fixture.ts'
import { witness } from './testing/run.ts'

const big = fc.bigInt({ min: 0n, max: a.q - 1n })
const mod = (x: bigint) => ((x % a.q) + a.q) % a.q
const bytesOf = (x: bigint, length = 32) => Uint8Array.from(Buffer.from(x.toString(16).padStart(2 * length, '0'), 'hex'))
const p = secp256k1.Point.Fp.ORDER

describe('arithmetic', () => {
  it('arithmetic: scalars are integers mod q', () => {
    always(
      fc.property(big, big, (x, y) => {
        expect(a.addScalars(x, y)).to.equal(mod(x + y))
        expect(a.subScalars(x, y)).to.equal(mod(x - y))
        expect(a.mulScalars(x, y)).to.equal(mod(x * y))
        expect(a.sumScalars([x, y, x])).to.equal(mod(2n * x + y))
        expect(a.reduce(x - y - a.q)).to.equal(mod(x - y))
        if (x !== 0n) expect(a.mulScalars(x, a.invertScalar(x))).to.equal(1n)
      }),
    )
    expect(() => a.invertScalar(0n)).to.throw()
    expect(a.sumScalars([])).to.equal(0n)
  })

  it('arithmetic: only canonical scalars of 32 bytes are read', () => {
    for (const x of [0n, 1n, a.q - 1n]) expect(a.scalarFromBytes(bytesOf(x))).to.equal(x)
    for (const x of [a.q, a.q + 1n, a.q + 5n, 2n ** 256n - 1n]) expect(a.scalarFromBytes(bytesOf(x)), `${x}`).to.equal(undefined)
    for (const n of [0, 31, 33]) expect(a.scalarFromBytes(new Uint8Array(n))).to.equal(undefined)
    always(
      fc.property(big, (x) => {
        expect(a.scalarFromBytes(a.scalarToBytes(x))).to.equal(x)
      }),
    )
  })

  it('arithmetic: only compressed points on the curve and not O are read', () => {
    const good = a.pointToBytes(a.G)
    expect(a.pointFromBytes(good)?.equals(a.G)).to.equal(true)
    const withPrefix = (prefix: number, x: Uint8Array) => Uint8Array.from([prefix, ...x])
    const x = good.subarray(1)
    const refused = [
      new Uint8Array(33),
      new Uint8Array(0),
      good.subarray(0, 32),
      withPrefix(0, x),
      withPrefix(4, x),
      withPrefix(6, x),
      withPrefix(2, bytesOf(5n)), // x = 5 is on no point of the curve
      withPrefix(2, bytesOf(p)), // not reduced
      withPrefix(2, bytesOf(p + 1n)),
      withPrefix(2, new Uint8Array(32).fill(255)),
      a.G.toBytes(false),
    ]
    for (const bytes of refused) expect(a.pointFromBytes(bytes), Buffer.from(bytes).toString('hex')).to.equal(undefined)
    expect(() => a.pointToBytes(a.O)).to.throw()
  })

  it('arithmetic: what is read as a point writes the same bytes', () => {
    always(
      fc.property(fc.uint8Array({ minLength: 33, maxLength: 33 }), fc.constantFrom(2, 3), (bytes, prefix) => {
        bytes[0] = prefix
        const point = a.pointFromBytes(bytes)
        if (point !== undefined) expect(a.pointToBytes(point)).to.deep.equal(bytes)
      }),
    )
  })

  it('arithmetic: multiplication by public, secret and base agree, zero and O included', () => {
    always(
      fc.property(big, big, (x, y) => {
        const point = a.mulBase(y)
        const expected = a.mulBase(mod(x * y))
        expect(a.mul(point, x).equals(expected)).to.equal(true)
        expect(a.mulPublic(point, x).equals(expected)).to.equal(true)
        expect(a.sumPoints([point, a.mulBase(x)]).equals(a.mulBase(mod(x + y)))).to.equal(true)
        expect(a.subPoints(point, a.mulBase(x)).equals(a.mulBase(mod(y - x)))).to.equal(true)
      }),
      {
        numRuns: 10,
        examples: [
          [0n, 1n],
          [1n, 0n],
          [0n, 0n],
          [a.q - 1n, 1n],
          [2n, a.q - 1n],
        ],
      },
    )
  })

  it('arithmetic: points written together are the points written one by one', () => {
    const points = [1n, 2n, a.q - 1n, 123456789n].map(a.mulBase)
    expect(a.pointsToBytes(points)).to.deep.equal(points.map(a.pointToBytes))
    expect(() => a.pointsToBytes([a.G, a.O])).to.throw()
  })

  it('arithmetic: random scalars are never zero, and the bytes they came from are wiped', () => {
    const random = witness(seededRandom(utf8('scalars')))
    const made = Array.from({ length: 50 }, () => a.randomScalar(random))
    expect(made.every((x) => x >= 1n && x < a.q)).to.equal(true)
    expect(new Set(made).size).to.equal(50)
    expect(random.given.every((b) => b.length === 48 && b.every((v) => v === 0))).to.equal(true)
    expect(a.randomScalar({ bytes: (n) => new Uint8Array(n) })).to.equal(1n)
  })
})
