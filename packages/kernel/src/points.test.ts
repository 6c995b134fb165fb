import { inspect } from 'node:util'
import { expect } from 'chai'
import { Draw, FIELD_PRIME, ORDER } from './check/draw.ts'
import type { Point, Scalar } from './kernel.ts'
import { arena } from './load.ts'
import { points } from './points.ts'
import { points as twin } from './twin/points.ts'
import { scalars, toBigint, toScalar } from './twin/scalars.ts'

const { G, O } = points
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const encoding = (prefix: number, x: bigint): Uint8Array => Uint8Array.of(prefix, ...Buffer.from(x.toString(16).padStart(64, '0'), 'hex'))
const TIMES_G = [2n, 3n, 5n, ORDER - 1n].map((k) => points.mulBase(toScalar(k))) as [Point, Point, Point, Point]

describe('points', () => {
  it('the generator: is that of SEC 2, and q times it is the identity', () => {
    expect(hex(points.pointToBytes(G))).to.equal('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
    expect(points.isIdentity(points.addPoints(TIMES_G[3], G))).to.equal(true)
  })

  for (const k of [0n, 1n, 2n, ORDER - 1n, ORDER - 2n, (ORDER - 1n) / 2n, (ORDER + 1n) / 2n, 2n ** 255n, 2n ** 128n, 2n ** 128n - 1n]) {
    it(`multiplication: all ways to multiply by ${k.toString(16)} agree with the twin`, () => {
      const scalar = toScalar(k)
      const expected = twin.mulBase(scalar)
      const products = [
        ...[points.mulBase(scalar), points.mul(G, scalar), points.mulPublic(G, scalar)],
        ...[points.mulTable(points.tableOf(G), scalar), points.combinePublic(scalar, O, scalar)],
      ]
      for (const p of products) {
        expect(points.isIdentity(p)).to.equal(twin.isIdentity(expected))
        if (k !== 0n) expect(hex(points.pointToBytes(p))).to.equal(hex(twin.pointToBytes(expected)))
      }
    })
  }

  it('the identity: every multiple of it is itself, also from its table', () => {
    const k = new Draw(1).scalar()
    for (const p of [points.mul(O, k), points.mulPublic(O, k), points.mulTable(points.tableOf(O), k), points.addPoints(O, O)]) {
      expect(points.equalPoints(p, O)).to.equal(true)
    }
    expect(points.equalPoints(points.addPoints(O, G), G)).to.equal(true)
    expect(points.equalPoints(O, G)).to.equal(false)
    expect(points.equalPoints(G, O)).to.equal(false)
  })

  it('tables: two in turn do not mix', () => {
    const [two, three, five] = TIMES_G
    const tables = [points.tableOf(two), points.tableOf(three)] as const
    for (const i of [0, 1, 1, 0] as const) {
      expect(points.equalPoints(points.mulTable(tables[i], toScalar(1n)), [two, three][i] as Point)).to.equal(true)
    }
    expect(points.equalPoints(points.addPoints(points.mulTable(tables[0], toScalar(1n)), three), five)).to.equal(true)
  })

  it('encoding: the identity has none, alone or among others', () => {
    expect(() => points.pointToBytes(O)).to.throw(RangeError)
    expect(() => points.pointsToBytes([G, O])).to.throw(RangeError)
    expect(points.pointsToBytes([])).to.deep.equal([])
    expect(points.pointsToBytes([...TIMES_G]).map(hex)).to.deep.equal(TIMES_G.map((p) => hex(points.pointToBytes(p))))
  })

  for (const [title, bytes] of [
    ['32 bytes', encoding(2, 1n).subarray(1)],
    ['34 bytes', Uint8Array.of(...encoding(2, 1n), 0)],
    ['prefix 0, the infinity of other encodings', encoding(0, 0n)],
    ['prefix 0 with the x of a point', encoding(0, 1n)],
    ['prefix 1', encoding(1, 1n)],
    ['prefix 5', encoding(5, 1n)],
    ['prefix 4, uncompressed', encoding(4, 1n)],
    ['prefix 6, hybrid', encoding(6, 1n)],
    ['x = p, which is 0', encoding(2, FIELD_PRIME)],
    ['x = p + 1, which is 1, that of a point', encoding(2, FIELD_PRIME + 1n)],
    ['x = 2^256 - 1', encoding(3, 2n ** 256n - 1n)],
    ['x = 0, of no point', encoding(2, 0n)],
    ['x = 5, of no point', encoding(2, 5n)],
    ['x = p - 5, of no point', encoding(2, FIELD_PRIME - 5n)],
  ] as const) {
    it(`decoding: ${title} is refused`, () => {
      expect(points.pointFromBytes(bytes)).to.equal(undefined)
      expect(twin.pointFromBytes(bytes)).to.equal(undefined)
    })
  }

  it('decoding: both roots of a small and of the largest x come back as they were', () => {
    for (const bytes of [encoding(2, 1n), encoding(3, 1n), encoding(2, FIELD_PRIME - 3n), encoding(3, FIELD_PRIME - 3n)]) {
      expect(hex(points.pointToBytes(points.pointFromBytes(bytes) as Point))).to.equal(hex(bytes))
    }
  })

  it('a point: neither a log nor JSON shows its coordinates', () => {
    expect(inspect(G, { depth: 9, showHidden: true })).to.not.match(/\d/)
    expect(JSON.stringify(G)).to.equal('{}')
  })

  it('a point: one of another kernel is refused', () => {
    expect(() => points.addPoints(G, twin.G)).to.throw(TypeError)
  })
})

describe('points: verification at the edges', () => {
  const { mulScalars, subScalars, invertScalar } = scalars
  /** The key under which (r, s) signs the digest z with the nonce point R: (s R - z G) / r. */
  const keyOf = (R: Point, r: Scalar, s: Scalar, z: Scalar): Point =>
    points.mulPublic(points.subPoints(points.mulPublic(R, s), points.mulBase(z)), invertScalar(r))

  const xs = [1n, 2n, 3n, ORDER + 1n, ORDER - 1n, ORDER, FIELD_PRIME - 3n, 2n ** 255n]
  for (const x of new Set(xs.flatMap((from) => [from, from + 1n, from + 2n, from + 3n]))) {
    const R = points.pointFromBytes(encoding(2, x))
    if (R === undefined || x % ORDER === 0n) continue
    it(`r from x = ${x.toString(16)}: with extreme s and digests, u1 G + u2 Q is the nonce point again`, () => {
      const r = toScalar(x)
      for (const s of [1n, 2n, ORDER - 1n, ORDER / 2n, ORDER / 2n + 1n, 2n ** 128n].map(toScalar)) {
        for (const z of [0n, 1n, ORDER - 1n, toBigint(s), 2n ** 256n - 1n].map(toScalar)) {
          const key = keyOf(R, r, s, z)
          if (points.isIdentity(key)) continue
          const w = invertScalar(s)
          const found = points.combinePublic(mulScalars(z, w), key, mulScalars(r, w))
          expect(points.equalPoints(found, R)).to.equal(true)
          const other = points.combinePublic(mulScalars(subScalars(z, toScalar(1n)), w), key, mulScalars(r, w))
          expect(points.equalPoints(other, R)).to.equal(false)
        }
      }
    })
  }
})

describe('points: memory', () => {
  const [a, b] = [new Draw(2).scalar(), new Draw(3).scalar()]
  const P = points.mulBase(b)
  const encoded = points.pointToBytes(P)
  const table = points.tableOf(P)
  /** All of it: `slice` stops at the end. */
  const memory = (): Uint8Array => arena.take(0, 2 ** 32)

  for (const [name, call] of Object.entries<(k: Scalar) => unknown>({
    mulBase: (k) => points.mulBase(k),
    mul: (k) => points.mul(points.mulBase(k), k),
    mulTable: (k) => points.mulTable(table, k),
    // The table itself stays in memory, until that of another point takes its place.
    tableOf: (k) => [points.tableOf(points.mulBase(k)), points.mulTable(table, k)],
    addPoints: (k) => points.addPoints(P, points.mulBase(k)),
    subPoints: (k) => points.subPoints(P, points.mulBase(k)),
    equalPoints: (k) => points.equalPoints(P, points.mulBase(k)),
    isIdentity: (k) => points.isIdentity(points.mulBase(k)),
    pointsToBytes: (k) => points.pointsToBytes([points.mulBase(k), P]),
    pointFromBytes: () => points.pointFromBytes(encoded),
  })) {
    it(`${name}: leaves the memory of the compiled code as another call has left it, so nothing of a scalar or of a step on the way`, () => {
      call(b)
      const before = memory()
      call(a)
      expect(Buffer.compare(memory(), before)).to.equal(0)
    })
  }

  it('the comparison sees what a public multiplication leaves', () => {
    const before = memory()
    points.combinePublic(a, P, b)
    expect(Buffer.compare(memory(), before)).to.not.equal(0)
  })
})
