import { tagged } from '@conclave/core'
import { expect } from 'chai'
import { FakeClock } from '../sessions/jobs.fixture.ts'
import { PAIR, RefillEnd, settled } from './refill.fixture.ts'
import { QUIET_MS } from './refill.ts'

describe('refill of the correlation pool under load', () => {
  it('refill: it waits for a pause in signing, at both ends, until the stock is low', async () => {
    const clock = new FakeClock()
    const ends = new Map<number, RefillEnd>()
    const [one, two] = [1, 2].map((self) => new RefillEnd(self, clock, ends, { low: 16, high: 20 })) as [RefillEnd, RefillEnd]
    const pass = async (ms: number) => {
      const untilMs = clock.now + ms
      while (clock.now < untilMs) {
        clock.advance(clock.open > 0 ? Math.min(untilMs - clock.now, Math.max(1, clock.nextMs)) : untilMs - clock.now)
        await settled()
      }
    }
    one.up(2, PAIR)
    two.up(1, PAIR)
    await pass(QUIET_MS)
    const use = () => {
      const names = one.stock.offer(2, PAIR, 1).map((s) => s.name)
      one.refill.used(2, 1)
      two.stock.take(1, PAIR, names)
      two.refill.used(1, 1)
    }
    const before = one.offers.length
    for (let i = 0; i < 11; i++) {
      use()
      await pass(QUIET_MS / 2)
    }
    expect([one.stock.count(2), one.offers.length]).to.deep.equal([9, before])
    const offer = { pairId: PAIR, nonce: tagged('n'), count: 8, oldest: two.stock.oldest(1) }
    expect((await two.refill.answer(1, offer)).count).to.equal(0)
    await pass(QUIET_MS)
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([20, 20])
    for (let i = 0; i < 11; i++) use()
    await pass(QUIET_MS / 2)
    expect(one.stock.count(2)).to.equal(9)
    // Low: between two signatures will do, until it is not low any more.
    use()
    await pass(QUIET_MS / 2)
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([16, 16])
    await pass(QUIET_MS)
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([20, 20])
  })
})
