import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import * as p from './points.ts'
import { always } from './testing/property.fixture.ts'
import { bytesOf, q, scalar } from './testing/scalars.fixture.ts'

const big = fc.bigInt({ min: 0n, max: q - 1n })
const field = secp256k1.Point.Fp.ORDER
const EDGES: [bigint, bigint][] = [
  [0n, 1n],
  [1n, 0n],
  [0n, 0n],
  [q - 1n, 1n],
  [2n, q - 1n],
]

describe('points', () => {
  it('points: only compressed points on the curve and not O are read', () => {
    const good = p.pointToBytes(p.G)
    expect(good).to.deep.equal(secp256k1.Point.BASE.toBytes(true))
    expect(p.equalPoints(p.pointFromBytes(good) as p.Point, p.G)).to.equal(true)
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
      withPrefix(2, bytesOf(field)), // not reduced
      withPrefix(2, bytesOf(field + 1n)),
      withPrefix(2, new Uint8Array(32).fill(255)),
      secp256k1.Point.BASE.toBytes(false),
    ]
    for (const bytes of refused) expect(p.pointFromBytes(bytes), Buffer.from(bytes).toString('hex')).to.equal(undefined)
    expect(() => p.pointToBytes(p.O)).to.throw()
  })

  it('points: what is read as a point writes the same bytes', () => {
    always(
      fc.property(fc.uint8Array({ minLength: 33, maxLength: 33 }), fc.constantFrom(2, 3), (bytes, prefix) => {
        bytes[0] = prefix
        const point = p.pointFromBytes(bytes)
        if (point !== undefined) expect(p.pointToBytes(point)).to.deep.equal(bytes)
      }),
    )
  })

  it('points: multiplications of a point, by tables, in public and of the base agree, zero and O included', () => {
    always(
      fc.property(big, big, (x, y) => {
        const k = scalar(x)
        const point = p.mulBase(scalar(y))
        const expected = p.mulBase(scalar(x * y))
        expect(p.equalPoints(p.mul(point, k), expected)).to.equal(true)
        expect(p.equalPoints(p.mulTable(p.tableOf(point), k), expected)).to.equal(true)
        expect(p.equalPoints(p.mulPublic(point, k), expected)).to.equal(true)
        expect(p.equalPoints(p.combinePublic(k, point, k), p.mulBase(scalar(x + x * y)))).to.equal(true)
      }),
      { numRuns: 10, examples: EDGES },
    )
  })

  it('points: sums and differences are those of the logarithms', () => {
    always(
      fc.property(big, big, (x, y) => {
        const [a, b] = [p.mulBase(scalar(x)), p.mulBase(scalar(y))]
        expect(p.equalPoints(p.addPoints(a, b), p.mulBase(scalar(x + y)))).to.equal(true)
        expect(p.equalPoints(p.sumPoints([b, a, b]), p.mulBase(scalar(x + 2n * y)))).to.equal(true)
        expect(p.equalPoints(p.subPoints(b, a), p.mulBase(scalar(y - x)))).to.equal(true)
        expect([p.equalPoints(a, b), p.isIdentity(a)]).to.deep.equal([x === y, x === 0n])
      }),
      { numRuns: 10, examples: [...EDGES, [3n, 3n], [3n, q - 3n]] },
    )
    expect(p.isIdentity(p.sumPoints([]))).to.equal(true)
  })

  it('points: small multiples', () => {
    const point = p.mulBase(scalar(77n))
    for (let n = 0; n <= 20; n++) expect(p.equalPoints(p.timesSmall(point, n), p.mulBase(scalar(77n * BigInt(n)))), `${n}`).to.equal(true)
    expect(p.isIdentity(p.timesSmall(p.O, 5))).to.equal(true)
  })

  it('points: points written together are the points written one by one', () => {
    const points = [1n, 2n, q - 1n, 123456789n].map((x) => p.mulBase(scalar(x)))
    expect(p.pointsToBytes(points)).to.deep.equal(points.map((a) => p.pointToBytes(a)))
    expect(() => p.pointsToBytes([p.G, p.O])).to.throw()
  })
})
