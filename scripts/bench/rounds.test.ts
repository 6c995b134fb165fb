import { expect } from 'chai'
import type { Costs, Figure, Subject } from './figures.ts'
import { Meter } from './meter.ts'
import { Committee, quorumOf } from './ours.ts'
import { measure } from './rounds.ts'
import { mustVerify } from './verify.ts'

/** Notes when it is run; its n-th run costs n bytes. */
function subject(name: string, figures: readonly Figure[], runs: string[], batch = 1): Subject {
  let count = 0
  const run = (): Costs => {
    runs.push(`${name}.${figures[0]}`)
    count++
    return Object.fromEntries(figures.map((f) => [f, { cpuMs: count, wallMs: count, bytes: count }]))
  }
  return { name, version: '1', notes: [], operations: [{ figures, batch, run }] }
}

const plan = (change: Partial<Parameters<typeof measure>[1]> = {}) => ({
  rounds: 3,
  warmUp: 1,
  warmUpMs: 0,
  wanted: () => true,
  progress: () => undefined,
  ...change,
})

describe('bench: rounds', () => {
  it('bench: everybody has a turn in each round, warm-up included', () => {
    const runs: string[] = []
    measure([subject('a', ['signFull'], runs), subject('b', ['signFull'], runs)], plan())
    expect(runs).to.deep.equal(Array(4).fill(['a.signFull', 'b.signFull']).flat())
  })

  it('bench: the figure is the median without the warm-up, and a batch is the mean of its runs', () => {
    const results = measure([subject('a', ['signFull', 'presign'], []), subject('b', ['signPooled'], [], 2)], plan())
    // Runs 2, 3, 4 after one that is thrown away; in pairs 3 and 4, 5 and 6, 7 and 8.
    expect(results.a?.signFull).to.deep.equal({ cpuMs: 3, cpuMsMin: 2, cpuMsMax: 4, wallMs: 3, bytes: 3, samples: 3 })
    expect(results.a?.presign?.cpuMs).to.equal(3)
    expect(results.b?.signPooled?.cpuMs).to.equal(5.5)
  })

  it('bench: key generations are run less often, and only what is wanted is run', () => {
    const runs: string[] = []
    const subjects = [subject('a', ['dkgWithPairSetup'], runs), subject('b', ['signFull'], runs)]
    const results = measure(subjects, plan({ rounds: 20, warmUp: 0 }))
    expect([results.a?.dkgWithPairSetup?.samples, results.b?.signFull?.samples]).to.deep.equal([4, 20])
    runs.length = 0
    measure(subjects, plan({ wanted: (figure) => figure === 'signFull' }))
    expect(new Set(runs)).to.deep.equal(new Set(['b.signFull']))
  })

  it('bench: a meter counts a broadcast once for each receiver, and only what happens in a step', () => {
    const meter = new Meter(3)
    meter.sent(10, 2)
    meter.sent(5)
    expect(meter.cost).to.deep.equal({ cpuMs: 0, wallMs: 0, bytes: 25 })
    expect(meter.step(() => 'result')).to.equal('result')
    expect(meter.cost.wallMs).to.be.greaterThan(0)
  })

  it('bench: our quorum has the first and the last party', () => {
    expect(quorumOf(3, 5)).to.deep.equal([1, 3, 5])
    expect(quorumOf(2, 2)).to.deep.equal([1, 2])
    expect(quorumOf(7, 9)).to.have.length(7).and.to.include.members([1, 9])
  })

  it('bench: our protocols run to their end, and their messages are counted', () => {
    const committee = new Committee(2, 2)
    const { bytes } = committee.signFull()
    expect(bytes).to.be.within(150_000, 200_000)
    expect(committee.dealKey().bytes).to.be.within(500, 5_000)
    expect(committee.refresh().bytes).to.be.greaterThan(committee.setUpPair().bytes)
  })

  it('bench: a signature that does not verify stops the run', () => {
    const key = new Uint8Array(33).fill(2)
    expect(() => mustVerify('somebody', key, new Uint8Array(32), new Uint8Array(64).fill(1))).to.throw(
      'a signature of somebody does not verify',
    )
  })
})
