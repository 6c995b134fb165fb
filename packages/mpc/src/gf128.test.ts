import { expect } from 'chai'
import fc from 'fast-check'
import { fold, Multiplier } from './gf128.ts'
import { always } from './testing/property.fixture.ts'

/** Bit i, least significant first, is the coefficient of x^i. */
const toInt = (b: Uint8Array) => b.reduceRight((sum, v) => (sum << 8n) | BigInt(v), 0n)
const toBytes = (x: bigint) => Uint8Array.from({ length: 16 }, (_, i) => Number((x >> BigInt(8 * i)) & 255n))

/** Carry-less product, then division by x^128 + x^7 + x^2 + x + 1, bit by bit. */
function product(a: bigint, b: bigint): bigint {
  let sum = 0n
  for (let i = 0n; i < 128n; i++) if ((b >> i) & 1n) sum ^= a << i
  for (let i = 254n; i >= 128n; i--) if ((sum >> i) & 1n) sum ^= ((1n << 128n) | 0x87n) << (i - 128n)
  return sum
}

const element = fc.uint8Array({ minLength: 16, maxLength: 16 })
const multiply = (a: Uint8Array, b: Uint8Array) => fold([new Multiplier(a)], Uint8Array.from([...b, ...new Uint8Array(16)]))
const x = (i: number) => toBytes(1n << BigInt(i))

describe('gf128', () => {
  it('gf128: products are those of a naive carry-less multiplication', () => {
    always(
      fc.property(element, element, (a, b) => {
        expect(toInt(multiply(a, b))).to.equal(product(toInt(a), toInt(b)))
      }),
      { numRuns: 200 },
    )
  })

  it('gf128: every power of x times x is reduced where it must be', () => {
    for (let i = 0; i < 128; i++) expect(toInt(multiply(x(1), x(i)))).to.equal(i === 127 ? 0x87n : 1n << BigInt(i + 1))
    expect(toInt(multiply(x(127), x(127)))).to.equal(product(1n << 127n, 1n << 127n))
  })

  it('gf128: it is a field: commutative, distributive, no zero divisors', () => {
    always(
      fc.property(element, element, element, (a, b, c) => {
        expect(multiply(a, b)).to.deep.equal(multiply(b, a))
        const sum = toInt(multiply(a, b)) ^ toInt(multiply(a, c))
        expect(toInt(multiply(a, toBytes(toInt(b) ^ toInt(c))))).to.equal(sum)
        expect(toInt(multiply(a, b)) === 0n).to.equal(toInt(a) === 0n || toInt(b) === 0n)
      }),
    )
  })

  it('gf128: fold is the sum of products plus the last block, also of a view into a larger buffer', () => {
    always(
      fc.property(fc.array(element, { minLength: 6, maxLength: 6 }), fc.uint8Array({ minLength: 115, maxLength: 115 }), (chi, buffer) => {
        const bytes = buffer.subarray(3)
        const block = (k: number) => toInt(bytes.subarray(16 * k, 16 * k + 16))
        const expected = chi.reduce((sum, c, k) => sum ^ product(toInt(c), block(k)), block(6))
        expect(
          toInt(
            fold(
              chi.map((c) => new Multiplier(c)),
              bytes,
            ),
          ),
        ).to.equal(expected)
      }),
      { numRuns: 30 },
    )
  })
})
