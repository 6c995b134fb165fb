import { expect } from 'chai'
import { slopeOf } from './memory.ts'

describe('memory of a load', () => {
  it('slope: that of the line through the points, and none of too few', () => {
    const line = Array.from({ length: 9 }, (_, i) => [i / 2, 100 + 3 * (i / 2)] as const)
    expect(slopeOf(line)).to.be.closeTo(3, 1e-9)
    // What jumps up and down and stays is flat.
    expect(slopeOf([0, 1, 2, 3].map((x) => [x, x === 0 || x === 3 ? 7 : 5] as const))).to.be.closeTo(0, 1e-9)
    expect(slopeOf([[1, 2]])).to.equal(0)
    expect(slopeOf([])).to.equal(0)
  })
})
