import { expect } from 'chai'
import fc from 'fast-check'
import { CHECKS } from './checks.ts'
import { Draw, ORDER } from './draw.ts'

const RUNS = 200

describe('kernel against its twin', () => {
  for (const { name, run } of CHECKS) {
    it(name, () => {
      fc.assert(
        fc.property(fc.nat(), (seed) => run(new Draw(seed))),
        { numRuns: RUNS },
      )
    })
  }

  it('draw: the edges come up, and every number fits', () => {
    const drawn = new Set(Array.from({ length: 20000 }, (_, seed) => new Draw(seed).wide()))
    for (const edge of [0n, 1n, ORDER, ORDER - 1n, ORDER + 1n, 2n ** 255n, 2n ** 256n - 1n])
      expect(drawn.has(edge), `${edge}`).to.equal(true)
    expect([...drawn].every((value) => value >= 0n && value < 2n ** 256n)).to.equal(true)
  })
})
