import { expect } from 'chai'
import type { ApiError } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { FakeClock, Harness, type ProblemAnswer } from './testing/harness.ts'

function limitOf(rate: { perSecond: number; burst: number }, namesMax = 10) {
  const clock = new FakeClock()
  const limit = new RateLimit(rate, clock, namesMax)
  const take = (name: string, cost = 1): number | 'taken' => {
    try {
      limit.take(name, cost)
      return 'taken'
    } catch (error) {
      return (error as ApiError).retryAfterS
    }
  }
  return { clock, take }
}

describe('RateLimit', () => {
  it('a burst at once, then as many a second as the rate says; what is refused costs nothing', () => {
    const { clock, take } = limitOf({ perSecond: 2, burst: 3 })
    expect([take('a'), take('a'), take('a'), take('a'), take('a')]).deep.equal(['taken', 'taken', 'taken', 1, 1])
    clock.advance(499)
    expect(take('a')).equal(1)
    clock.advance(1)
    expect([take('a'), take('a')]).deep.equal(['taken', 1])
    clock.advance(3_600_000)
    expect([take('a'), take('a'), take('a'), take('a')]).deep.equal(['taken', 'taken', 'taken', 1])
  })

  it('a call that costs more waits longer, and says how long; one that costs more than a burst takes all of it', () => {
    const { clock, take } = limitOf({ perSecond: 1, burst: 10 })
    expect(take('a', 8)).equal('taken')
    expect(take('a', 100)).equal(8)
    clock.advance(8000)
    expect(take('a', 100)).equal('taken')
    expect(take('a', 0)).equal('taken')
    expect(take('a', 10)).equal(10)
  })

  it('callers do not share, and of too many the one that was not heard for longest is forgotten', () => {
    const { take } = limitOf({ perSecond: 1, burst: 1 }, 2)
    expect([take('a'), take('b'), take('a'), take('b')]).deep.equal(['taken', 'taken', 1, 1])
    expect([take('c'), take('b'), take('a')]).deep.equal(['taken', 1, 'taken'])
  })

  it('a clock that is set back refills nothing', () => {
    const { clock, take } = limitOf({ perSecond: 1000, burst: 1 })
    expect(take('a')).equal('taken')
    clock.advance(-3_600_000)
    expect(take('a')).equal(1)
  })
})

describe('coordinator HTTP: rates', () => {
  it('429 with Retry-After for the key that calls too often, and for nobody else; health is always told', async () => {
    await using h = await Harness.prepare()
    h.settings = { ...h.settings, http: { ...h.settings.http, rate: { perSecond: 1, burst: 3 } } }
    await h.run()
    // The document is read first, once for all tests of a process, and costs a call.
    await h.contract()
    h.clock.advance(10_000)
    const status = async (as: 'admin' | 'viewer' | null, path = '/v1/nodes') => (await h.get(path, { as })).status
    expect([await status('viewer'), await status('viewer'), await status('viewer')]).deep.equal([200, 200, 200])
    const refused = await h.get<ProblemAnswer>('/v1/nodes', { as: 'viewer' })
    expect(refused.status).equal(429)
    expect(refused.body).include({ code: 'RATE_LIMITED', retriable: true })
    expect(refused.headers.get('retry-after')).equal('1')
    expect(await status('admin')).equal(200)
    expect([await status(null), await status(null), await status(null), await status(null)]).deep.equal([401, 401, 401, 429])
    expect(await status('admin')).equal(200)
    for (let i = 0; i < 5; i++) expect(await status(null, '/healthz')).equal(200)
    h.clock.advance(1000)
    expect([await status('viewer'), await status('viewer')]).deep.equal([200, 429])
  })
})
