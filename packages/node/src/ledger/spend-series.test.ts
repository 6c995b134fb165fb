import { expect } from 'chai'
import fc from 'fast-check'
import { SpendSeries } from './spend-series.ts'

describe('spend series', () => {
  it('spend series: whatever is added, taken back and asked, in any order, sums are those of a list', () => {
    const amount = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.constantFrom(1n << 53n, 1n << 63n, 1n << 64n, (1n << 256n) - 1n))
    const act = fc.record({ kind: fc.constantFrom('add', 'remove', 'ask'), ms: fc.nat(30), amount })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const series = new SpendSeries()
        const list: { ms: number; amount: bigint }[] = []
        for (const { kind, ms, amount: units } of acts) {
          if (kind === 'add') {
            series.add(ms, units)
            list.push({ ms, amount: units })
          } else if (kind === 'remove') {
            series.remove(ms, units)
            const at = list.findIndex((p) => p.ms === ms && p.amount === units)
            if (at >= 0) list.splice(at, 1)
          }
          expect(series.sumAfter(ms)).to.equal(list.reduce((sum, p) => (p.ms > ms ? sum + p.amount : sum), 0n))
          expect(series.length).to.equal(list.length)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('spend series: what is forgotten changes no sum of what is later', () => {
    const series = new SpendSeries()
    for (let ms = 0; ms < 3000; ms++) series.add(ms, BigInt(ms))
    const before = [1600, 2000, 2998, 2999].map((ms) => series.sumAfter(ms))
    series.forget(1000)
    expect(series.length, 'not worth it yet').to.equal(3000)
    series.forget(1600)
    expect(series.length).to.equal(1399)
    expect([1600, 2000, 2998, 2999].map((ms) => series.sumAfter(ms))).to.deep.equal(before)
    series.add(2999, 7n)
    expect(series.sumAfter(2998)).to.equal(3006n)
  })
})
