import { seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { bitOf, maskOf, select, transpose, xorMasked } from './bits.ts'
import { COLUMN_BYTES, KAPPA, N, ROW_BYTES } from './constants.ts'
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

  it('bits: transposition puts bit j of column i at bit i of row j, for all of them', () => {
    const columns = seededRandom(utf8('columns')).bytes(KAPPA * COLUMN_BYTES)
    const rows = transpose(columns)
    expect(rows).to.have.length(N * ROW_BYTES)
    let differences = 0
    for (let i = 0; i < KAPPA; i++) for (let j = 0; j < N; j++) differences += bitOf(columns, i * N + j) ^ bitOf(rows, j * KAPPA + i)
    expect(differences).to.equal(0)
  })
})
