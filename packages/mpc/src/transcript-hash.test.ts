import { createHash } from 'node:crypto'
import { concat, seededRandom, tagged, taggedExpand, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { hashToScalar } from './arithmetic.ts'
import { echoHash } from './protocol.ts'
import { always } from './testing/property.fixture.ts'
import { q, toBigint } from './testing/scalars.fixture.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const length64 = (n: number) => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}
/** `T` as the specification words it. */
const T = (label: string, ...parts: readonly Uint8Array[]) =>
  sha256(concat(utf8(`conclave/v1/${label}`), ...parts.flatMap((p) => [length64(p.length), p])))

const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((p, i) => Buffer.compare(p, b[i] as Uint8Array) === 0)
const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 })
const cut = (bytes: Uint8Array, cuts: readonly number[]) => {
  const at = [...new Set(cuts.map((c) => c % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

describe('transcript hash', () => {
  it('transcript hash: T is SHA-256 over domain, label and length-prefixed parts', () => {
    always(
      fc.property(parts, (p) => {
        expect(tagged('label', ...p)).to.deep.equal(T('label', ...p))
      }),
    )
  })

  it('transcript hash: T in counter mode appends the block number as a part', () => {
    always(
      fc.property(parts, fc.integer({ min: 0, max: 100 }), (p, length) => {
        const blocks = [0, 1, 2, 3].map((b) => T('label', ...p, u32(b)))
        expect(taggedExpand('label', length, ...p)).to.deep.equal(concat(...blocks).subarray(0, length))
      }),
    )
  })

  // CVE-2022-47931 (alpha-shuffle): the same bytes cut in another way must not hash the same.
  it('ambiguous hash encoding: T is injective over re-splits of the same bytes', () => {
    const splits = fc.array(fc.nat(40), { maxLength: 5 })
    always(
      fc.property(fc.uint8Array({ maxLength: 40 }), splits, splits, (bytes, a, b) => {
        const [x, y] = [cut(bytes, a), cut(bytes, b)]
        expect(same([tagged('l', ...x)], [tagged('l', ...y)])).to.equal(same(x, y))
        expect(same([hashToScalar('l', ...x)], [hashToScalar('l', ...y)])).to.equal(same(x, y))
      }),
      { numRuns: 300 },
    )
  })

  it('transcript hash: bytes do not move between label, length and parts', () => {
    const zeros = (n: number) => new Uint8Array(n)
    const seen = [
      tagged('ab', utf8('c')),
      tagged('a', utf8('bc')),
      tagged('abc'),
      tagged('abc', zeros(0)),
      tagged('abc', zeros(0), zeros(0)),
      tagged('abc', zeros(8)),
      tagged('abc', concat(length64(8), zeros(8))),
      tagged('abc', zeros(8), zeros(8)),
    ]
    expect(new Set(seen.map((s) => toBigint(s))).size).to.equal(seen.length)
  })

  it('transcript hash: Hs reduces 48 bytes mod q', () => {
    const random = seededRandom(utf8('hs'))
    for (let i = 0; i < 20; i++) {
      const [a, b, c] = [random.bytes(16), random.bytes(3), random.bytes(40)] as const
      const expected = toBigint(concat(T('x', a, b, c, u32(0)), T('x', a, b, c, u32(1)).subarray(0, 16))) % q
      expect(toBigint(hashToScalar('x', a, b, c))).to.equal(expected)
    }
  })

  it('transcript hash: an echo is the same whatever the order of arrival, and binds who said what', () => {
    const [a, b] = [utf8('one'), utf8('two')]
    const sid = utf8('sid')
    const of = (...said: [number, Uint8Array][]) => echoHash('echo', sid, new Map(said))
    expect(of([1, a], [2, b])).to.deep.equal(of([2, b], [1, a]))
    for (const other of [
      of([1, b], [2, a]),
      of([1, a], [3, b]),
      of([1, a]),
      echoHash(
        'echo',
        utf8('dis'),
        new Map([
          [1, a],
          [2, b],
        ]),
      ),
    ])
      expect(other).not.to.deep.equal(of([1, a], [2, b]))
  })
})
