import { expect } from 'chai'
import { median, percentile, significant } from './statistics.ts'

describe('bench: statistics', () => {
  it('bench: the median of an even number of values lies between the middle two, in any order', () => {
    expect(median([9, 1, 3])).to.equal(3)
    expect(median([4, 1, 3, 2])).to.equal(2.5)
    expect(median([])).to.deep.equal(Number.NaN)
  })

  it('bench: a percentile lies in proportion between the nearest values, and 0 and 1 are the ends', () => {
    const values = [50, 10, 40, 20, 30]
    expect([0, 0.25, 0.5, 0.9, 1].map((p) => percentile(values, p))).to.deep.equal([10, 20, 30, 46, 50])
    expect(values).to.deep.equal([50, 10, 40, 20, 30])
    for (const p of [-0.1, 1.1, Number.NaN, 99]) expect(() => percentile(values, p)).to.throw(RangeError)
  })

  it('bench: rounding keeps the digits that mean something', () => {
    expect([123456, 0.00123456, 0].map((v) => significant(v, 3))).to.deep.equal([123000, 0.00123, 0])
  })
})
