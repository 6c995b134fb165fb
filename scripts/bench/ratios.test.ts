import { expect } from 'chai'
import type { Figure } from './figures.ts'
import { ratiosOf } from './ratios.ts'
import type { Measured, Results } from './rounds.ts'

const measured = (cpuMs: number, bytes = 0): Measured => ({ cpuMs, bytes, cpuMsMin: cpuMs, cpuMsMax: cpuMs, wallMs: cpuMs, samples: 1 })
const figures = (of: Partial<Record<Figure, Measured>>): Results[string] => of

describe('bench: ratios', () => {
  const own = figures({ signFull: measured(4, 500), signPooled: measured(1, 10), dkg: measured(5), dkgWithPairSetup: measured(100) })
  const peers = {
    quick: figures({ signFull: measured(40, 1000), dkgWithPairSetup: measured(3000) }),
    small: figures({ signFull: measured(50, 600), dkgWithPairSetup: measured(2000) }),
  }

  it('bench: time is peer over ours against the fastest peer, bytes ours over peer against the smallest', () => {
    const ratios = ratiosOf(own, peers)
    const found = Object.fromEntries(Object.entries(ratios).map(([name, r]) => [name, [r.value, r.against]]))
    expect(found).to.deep.equal({
      fullSignCpu: [10, 'quick'],
      pooledSignCpu: [40, 'quick'],
      dkgWithPairSetupCpu: [20, 'small'],
      dkgFurtherKeyCpu: [400, 'small'],
      bytesFull: [500 / 600, 'small'],
      bytesPooled: [10 / 600, 'small'],
    })
    expect(ratios.dkgWithPairSetupCpu.all).to.deep.equal({ quick: 30, small: 20 })
  })

  it('bench: a ratio of time is reached from its goal on, a ratio of bytes below it', () => {
    const { fullSignCpu, pooledSignCpu, bytesFull, bytesPooled } = ratiosOf(own, peers)
    expect([fullSignCpu.reached, pooledSignCpu.reached, bytesFull.reached, bytesPooled.reached]).to.deep.equal([true, false, true, true])
    const exact = ratiosOf(figures({ signFull: measured(4, 85) }), { quick: figures({ signFull: measured(40, 100) }) })
    expect([exact.fullSignCpu.reached, exact.bytesFull.reached]).to.deep.equal([true, false])
  })

  it('bench: what was not measured has no ratio', () => {
    const alone = ratiosOf(own, {})
    expect(Object.values(alone).map((r) => [r.value, r.against, r.reached])).to.deep.equal(Array(6).fill([null, null, null]))
    const { signPooled: _, ...without } = own
    expect(ratiosOf(without, peers).pooledSignCpu.value).to.equal(null)
    expect(ratiosOf(without, peers).fullSignCpu.value).to.equal(10)
  })
})
