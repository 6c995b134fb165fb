import { expect } from 'chai'
import { commandOf } from './orders.ts'
import { partsOf, planOf, without } from './plan.ts'
import { shrink } from './shrink.ts'

describe('shrink', () => {
  it('shrink: what the failure does not need is left out, and what it needs stays', async () => {
    const parts = ['loss', 'fault0', 'fault1', 'deviant0', 'action0']
    const needs = ['fault1', 'action0']
    const smallest = await shrink({ seed: 7, dropped: [] }, parts, async ({ dropped }) => needs.every((part) => !dropped.includes(part)))
    expect(smallest).to.deep.equal({ seed: 7, dropped: ['loss', 'fault0', 'deviant0'] })
    expect(commandOf(smallest)).to.equal('npm run sim -- --seed 7 --drop loss,fault0,deviant0')
  })

  it('shrink: a part that can go only after another one is found as well', async () => {
    const allowed = ['', 'b', 'a,b']
    const fails = async ({ dropped }: { readonly dropped: readonly string[] }) => allowed.includes([...dropped].sort().join())
    expect((await shrink({ seed: 1, dropped: [] }, ['a', 'b'], fails)).dropped).to.have.members(['a', 'b'])
  })
})

describe('plan', () => {
  it('plan: the same seed makes the same plan, and every part of it can be left out', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const plan = planOf(seed)
      expect(planOf(seed)).to.deep.equal(plan)
      const bare = without(plan, partsOf(plan))
      expect(partsOf(bare)).to.deep.equal([])
      const [first] = partsOf(plan)
      expect(partsOf(without(plan, [first as string]))).to.deep.equal(partsOf(plan).slice(1))
    }
  })

  it('plan: deviant parties are fewer than could sign, and leave a quorum of honest ones', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { n, t, deviants } = planOf(seed)
      const count = new Set(deviants.map((d) => d.party)).size
      expect(count, `seed ${seed}`).to.be.below(t)
      expect(n - count, `seed ${seed}`).to.be.at.least(t)
    }
  })
})
