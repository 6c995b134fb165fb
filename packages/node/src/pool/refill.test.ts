import { ConclaveError, tagged, toHex } from '@conclave/core'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { FakeClock } from '../sessions/jobs.fixture.ts'
import { PAIR, RefillEnd, settled } from './refill.fixture.ts'
import { QUIET_MS, REFILL_MAX, type WaterMarks } from './refill.ts'
import { EARNED_MS } from './refill-budget.ts'
import type { StockEntry } from './shelf.ts'

const OTHER = tagged('pair-b')
const NONE = new Uint8Array(0)

describe('refill of the correlation pool', () => {
  let clock: FakeClock
  let ends: Map<number, RefillEnd>
  beforeEach(() => {
    clock = new FakeClock()
    ends = new Map()
  })

  const end = (self: number, marks: WaterMarks = { low: 5, high: 20 }): RefillEnd => new RefillEnd(self, clock, ends, marks)
  const link = (a: number, b: number, pairId = PAIR): void => {
    ends.get(a)?.up(b, pairId)
    ends.get(b)?.up(a, pairId)
  }
  /** Moves time on, and everything that comes of it. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; ) {
      const step = clock.open > 0 ? Math.min(left, Math.max(1, clock.nextMs)) : left
      clock.advance(step)
      left -= step
      await settled()
    }
  }
  const namesIn = (e: RefillEnd, peer: number): readonly string[] => {
    const count = e.stock.count(peer)
    return e.stock.offer(peer, PAIR, count).map((s) => toHex(s.name))
  }

  it('refill: the lower index fills both stocks up to the high mark, with the same names, and then is quiet', async () => {
    const [one, two] = [end(1), end(2)]
    link(1, 2)
    await pass(QUIET_MS)
    expect(one.offers.map((o) => o.count)).to.deep.equal([REFILL_MAX, REFILL_MAX, 4])
    expect(two.offers).to.deep.equal([])
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([20, 20])
    expect(clock.open).to.equal(0)
    await pass(3_600_000)
    expect(one.offers).to.have.length(3)
    expect([one.refill.counts, two.refill.counts]).to.deep.equal(Array(2).fill({ refills: 3, declined: 0, failed: 0 }))
    expect(namesIn(one, 2)).to.deep.equal(namesIn(two, 1))
  })

  it('refill: it begins again at the low mark, not before', async () => {
    const [one, two] = [end(1), end(2)]
    link(1, 2)
    await pass(QUIET_MS)
    const use = (count: number) => {
      const names = one.stock.offer(2, PAIR, count).map((s) => s.name)
      one.refill.used(2, count)
      two.stock.take(1, PAIR, names)
      two.refill.used(1, count)
    }
    use(14)
    await pass(10 * QUIET_MS)
    expect(one.stock.count(2)).to.equal(6)
    use(1)
    await pass(QUIET_MS)
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([20, 20])
  })

  it('refill: nothing is made while the pool is off, at either end', async () => {
    for (const [low, high] of [
      [0, 20],
      [20, 0],
    ] as const) {
      const [one, two] = [end(1, { low: 0, high: low }), end(2, { low: 0, high })]
      link(1, 2)
      await pass(60_000)
      expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([0, 0])
      if (low === 0) expect(one.offers).to.deep.equal([])
    }
  })

  it('refill: it waits until nothing else runs at either end, and does not poll', async () => {
    const [one, two] = [end(1), end(2)]
    one.idle = false
    link(1, 2)
    await pass(60_000)
    expect([one.offers.length, clock.open]).to.deep.equal([0, 0])
    one.idle = true
    two.idle = false
    one.refill.stir()
    await pass(60_000)
    expect(one.stock.count(2)).to.equal(0)
    // Doubling from half a second to ten, with jitter.
    expect(one.offers.length).to.be.within(6, 12)
    expect(two.refill.counts.declined).to.equal(one.offers.length)
    two.idle = true
    await pass(20_000)
    expect(one.stock.count(2)).to.equal(20)
  })

  it('refill: a node takes part in one at a time, whoever offers', async () => {
    const [one, two, three] = [end(1), end(2), end(3)]
    const gate = Promise.withResolvers<readonly StockEntry[]>()
    for (const e of [one, three]) e.session = () => gate.promise
    link(1, 3)
    await pass(QUIET_MS)
    link(1, 2)
    link(2, 3)
    await pass(60_000)
    // The first is busy, so it offers nothing to the second; the third is, so it declines.
    expect([one.offers.length, two.batches.length, three.batches.length]).to.deep.equal([1, 0, 1])
    expect(two.offers.length).to.be.above(0)
    expect(three.refill.counts.declined).to.equal(two.offers.length)
    gate.resolve([])
    await pass(20_000)
    expect(two.batches.length).to.be.above(0)
  })

  it('refill: an offer that comes before this end of the last refill has ended waits for it', async () => {
    const [, two] = [end(1), end(2)]
    const late = two.session
    two.session = async (batch) => {
      for (let i = 0; i < 5; i++) await new Promise(setImmediate)
      return late(batch)
    }
    link(1, 2)
    await pass(QUIET_MS + 10)
    expect(two.stock.count(1)).to.equal(20)
    expect(two.refill.counts.declined).to.equal(0)
  })

  it('refill: only the lower index offers, only for the pair state that counts, and never above the mark', async () => {
    const [two, one] = [end(2), end(1)]
    two.up(1)
    const offer = { pairId: PAIR, nonce: tagged('n'), count: 8, oldest: NONE }
    expect(await refusal(() => two.refill.answer(3, offer))).to.equal('NOT_ALLOWED')
    expect(await two.refill.answer(1, { ...offer, pairId: OTHER })).to.deep.equal({ count: 0, oldest: NONE })
    expect(await two.refill.answer(1, { ...offer, count: 0 })).to.deep.equal({ count: 0, oldest: NONE })
    expect((await two.refill.answer(1, { ...offer, count: 64 })).count).to.equal(REFILL_MAX)
    await settled()
    // A peer that says that it still has what it had.
    const again = async (i: number) =>
      (await two.refill.answer(1, { ...offer, nonce: tagged('m', Uint8Array.of(i)), oldest: two.stock.oldest(1) })).count
    const counts: number[] = []
    for (let i = 0; i < 4; i++) {
      counts.push(await again(i))
      await settled()
    }
    expect(counts).to.deep.equal([8, 4, 0, 0])
    expect(two.stock.count(1)).to.equal(20)
    expect(one.batches).to.deep.equal([])
  })

  it('refill: a peer that gives up its stock again and again does not make this node work without end', async () => {
    const two = end(2)
    two.up(1)
    let made = 0
    const offer = async (i: number) => {
      const nonce = tagged('n', Uint8Array.of(i & 255, i >> 8))
      made += (await two.refill.answer(1, { pairId: PAIR, nonce, count: 8, oldest: NONE })).count
      await settled()
    }
    for (let i = 0; i < 50; i++) await offer(i)
    expect(made).to.equal(40)
    clock.advance(10 * EARNED_MS)
    for (let i = 50; i < 60; i++) await offer(i)
    expect(made).to.equal(50)
    two.refill.used(1, 6)
    for (let i = 60; i < 70; i++) await offer(i)
    expect(made).to.equal(56)
  })

  it('refill: a peer that drops its link again and again does not make this node offer without end', async () => {
    const [one, two] = [end(1), end(2)]
    for (let i = 0; i < 10; i++) {
      link(1, 2)
      await pass(QUIET_MS)
      one.down(2)
      two.down(1)
    }
    expect(one.batches.reduce((sum, b) => sum + b.count, 0)).to.be.within(40, 44)
  })

  it('refill: what the other end has lost or never got is wiped at the next one', async () => {
    const [one, two] = [end(1), end(2)]
    link(1, 2)
    await pass(QUIET_MS)
    // Offered in sessions that ended before the higher end heard the names.
    one.stock.offer(2, PAIR, 17)
    one.refill.used(2, 17)
    expect(two.stock.count(1)).to.equal(20)
    await pass(QUIET_MS)
    expect([one.stock.count(2), two.stock.count(1)]).to.deep.equal([20, 20])
    // And the other way round.
    two.stock.offer(1, PAIR, 12)
    one.stock.offer(2, PAIR, 10)
    one.stock.offer(2, PAIR, 5)
    two.stock.offer(1, PAIR, 4)
    one.refill.used(2, 15)
    await pass(QUIET_MS)
    expect(namesIn(one, 2)).to.deep.equal(namesIn(two, 1))
  })

  it('refill: entries of a session that did not end here do not enter the stock, and the next try comes later and later', async () => {
    const [one, two] = [end(1), end(2)]
    const good = one.session
    one.session = async () => {
      throw new ConclaveError('SESSION_SILENT', 'lost')
    }
    link(1, 2)
    await pass(60_000)
    expect(one.stock.count(2)).to.equal(0)
    expect(one.batches.length).to.be.within(4, 8)
    expect(one.refill.counts).to.include({ refills: 0, failed: one.batches.length })
    one.session = good
    await pass(600_000)
    expect(one.stock.count(2)).to.equal(20)
    // What only the higher end had was made in vain.
    expect(namesIn(one, 2)).to.deep.equal(namesIn(two, 1))
  })

  it('refill: a refusal, a wrong answer and a nonce that is not to be had are tried again without a busy loop', async () => {
    const [one, two] = [end(1), end(2)]
    two.answers = () => ({ correlateAccept: { count: REFILL_MAX + 1, oldest: NONE } })
    link(1, 2)
    await pass(20_000)
    expect([one.batches.length, one.stock.count(2)]).to.deep.equal([0, 0])
    expect(one.offers.length).to.be.within(2, 7)
    // The other end may have begun, so it is told.
    expect(one.declined.map((b) => toHex(b.nonce))).to.deep.equal(one.offers.map((o) => toHex(o.nonce)))
    let asked = 0
    one.nonce = async () => {
      asked++
      throw new ConclaveError('HSM_DOWN', 'no randomness')
    }
    await pass(600_000)
    expect(asked).to.be.within(2, 12)
  })

  it('refill: a pair that goes down or changes loses its stock, also what a session under way still makes', async () => {
    const [one, two] = [end(1), end(2)]
    link(1, 2)
    await pass(QUIET_MS)
    one.down(2)
    expect([one.stock.count(2), one.stock.counts.dropped]).to.deep.equal([0, 20])
    two.up(1, OTHER)
    expect(two.stock.count(1)).to.equal(0)
    let made: readonly StockEntry[] = []
    const good = one.session
    one.session = async (batch) => {
      made = await good(batch)
      one.up(2, OTHER)
      return made
    }
    link(1, 2)
    await pass(QUIET_MS)
    expect(made.length).to.equal(REFILL_MAX)
    expect(made.every((e) => e.secret.every((b) => b === 0))).to.equal(true)
    expect(one.stock.count(2)).to.equal(0)
  })

  it('refill: closing ends it', async () => {
    const [one, two] = [end(1), end(2)]
    link(1, 2)
    one.refill.close()
    two.refill.close()
    expect(clock.open).to.equal(0)
    await pass(60_000)
    expect(one.offers).to.deep.equal([])
    expect((await two.refill.answer(1, { pairId: PAIR, nonce: tagged('n'), count: 8, oldest: NONE })).count).to.equal(0)
  })
})
