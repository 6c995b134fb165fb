import { expect } from 'chai'
import { Dice } from './dice.ts'
import { Lane, Timeline } from './timeline.ts'

const FAR_MS = 1e9

describe('timeline', () => {
  it('timeline: events come by time, and what they promise comes before the next event', async () => {
    const timeline = new Timeline(new Dice('t'))
    const said: string[] = []
    const deep = async (name: string) => {
      for (let i = 0; i < 50; i++) await undefined
      said.push(name)
    }
    timeline.after(2, () => void deep('second'))
    timeline.after(1, () => void deep('first'))
    timeline.after(2.5, () => said.push('third'))
    expect(await timeline.run(() => said.length === 3, FAR_MS)).to.equal(true)
    expect(said).to.deep.equal(['first', 'second', 'third'])
    expect(timeline.nowMs).to.equal(2.5)
  })

  it('timeline: events of one time come in an order that the seed decides', async () => {
    const orderOf = async (seed: string) => {
      const timeline = new Timeline(new Dice(seed))
      const said: number[] = []
      for (let i = 0; i < 12; i++) timeline.after(1, () => said.push(i))
      await timeline.run(() => said.length === 12, FAR_MS)
      return said.join()
    }
    expect(await orderOf('a')).to.equal(await orderOf('a'))
    expect(await orderOf('a')).to.not.equal(await orderOf('b'))
  })

  it('timeline: what was cancelled or has died does not happen', async () => {
    const timeline = new Timeline(new Dice('t'))
    const said: string[] = []
    const life = { alive: true }
    timeline.after(1, () => said.push('cancelled'))()
    timeline.after(2, () => said.push('dead'), life)
    timeline.after(1, () => {
      life.alive = false
    })
    timeline.after(3, () => said.push('alive'))
    await timeline.run(() => said.includes('alive'), FAR_MS)
    expect(said).to.deep.equal(['alive'])
  })

  it('timeline: a run ends at its deadline or when nothing is left', async () => {
    const timeline = new Timeline(new Dice('t'))
    timeline.after(10, () => undefined)
    expect(await timeline.run(() => false, 5)).to.equal(false)
    expect(await new Timeline(new Dice('t')).run(() => false, FAR_MS)).to.equal(false)
  })

  it('lane: what takes less time does not overtake what went before', () => {
    const lane = new Lane()
    const [first, second, third] = [lane.next(10), lane.next(5), lane.next(20)]
    expect(first).to.equal(10)
    expect(second).to.be.above(first)
    expect(third).to.equal(20)
  })
})
