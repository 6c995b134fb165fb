import { expect } from 'chai'
import fc from 'fast-check'
import { bitOf, maskOf, select, xorMasked, xorStrings } from './bits.ts'
import { always } from './testing/property.fixture.ts'

describe('bits', () => {
  it('bits: bit i is the least significant first', () => {
    const bytes = Uint8Array.of(0b00000001, 0b10000000)
    expect(Array.from({ length: 16 }, (_, i) => bitOf(bytes, i))).to.deep.equal([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  })

  it('bits: masks select and add without looking at the bit', () => {
    expect([maskOf(0), maskOf(1)]).to.deep.equal([0, 0xff])
    always(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), fc.uint8Array({ minLength: 9, maxLength: 9 }), (zero, one) => {
        expect(select(0, zero, one)).to.deep.equal(zero)
        expect(select(1, zero, one)).to.deep.equal(one)
        const out = Uint8Array.from(zero)
        xorMasked(out, one, maskOf(0))
        expect(out).to.deep.equal(zero)
        xorMasked(out, one, maskOf(1))
        expect(out).to.deep.equal(zero.map((v, i) => v ^ (one[i] as number)))
      }),
    )
  })

  it('bits: strings are added where the bit is set, or all of them, or one string to all', () => {
    always(
      fc.property(
        fc.uint8Array({ minLength: 48, maxLength: 48 }),
        fc.uint8Array({ minLength: 51, maxLength: 51 }),
        fc.nat(3),
        (bytes, buffer, skip) => {
          const other = buffer.subarray(skip, skip + 48)
          const bits = Uint8Array.of(0b101)
          const added = (by: (i: number) => number | undefined) => bytes.map((v, i) => v ^ (by(i) ?? 0))
          const made = (...rest: [Uint8Array, Uint8Array?]) => {
            const out = Uint8Array.from(bytes)
            xorStrings(out, 3, ...rest)
            return out
          }
          expect(made(other)).to.deep.equal(added((i) => other[i]))
          expect(made(other, bits)).to.deep.equal(added((i) => (i >= 16 && i < 32 ? 0 : other[i])))
          expect(made(other.subarray(0, 16))).to.deep.equal(added((i) => other[i % 16]))
          expect(made(other.subarray(0, 16), bits)).to.deep.equal(added((i) => (i >= 16 && i < 32 ? 0 : other[i % 16])))
        },
      ),
    )
  })
})
