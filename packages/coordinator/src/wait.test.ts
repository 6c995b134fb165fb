import { expect } from 'chai'
import { FakeClock } from './testing/fake-clock.ts'
import { Limiter, Pulse, sharedController, waitForAny } from './wait.ts'

const never = sharedController().signal

describe('waitForAny', () => {
  it('ends at a pulse, at the time, and at an abort, and leaves nothing behind', async () => {
    const clock = new FakeClock()
    const pulse = new Pulse()
    const byPulse = waitForAny({ clock, ms: 1000, signal: never, pulses: [pulse] })
    pulse.fire()
    await byPulse
    const byTime = waitForAny({ clock, ms: 1000, signal: never, pulses: [pulse] })
    clock.advance(1000)
    await byTime
    const controller = new AbortController()
    const byAbort = waitForAny({ clock, ms: 1000, signal: controller.signal, pulses: [] })
    controller.abort()
    await byAbort
    await waitForAny({ clock, ms: 1000, signal: controller.signal, pulses: [] })
    expect(clock.timers).equal(0)
  })
})

describe('Limiter', () => {
  it('lets in at most its slots, first come first served', async () => {
    const limiter = new Limiter(2)
    const order: number[] = []
    const first = await limiter.acquire(never)
    const second = await limiter.acquire(never)
    const waiting = [3, 4].map(async (n) => {
      const slot = await limiter.acquire(never)
      order.push(n)
      return slot
    })
    expect(order).deep.equal([])
    first?.[Symbol.dispose]()
    const third = await waiting[0]
    expect(order).deep.equal([3])
    // A slot counts once, however often it is disposed of.
    first?.[Symbol.dispose]()
    second?.[Symbol.dispose]()
    await waiting[1]
    expect(order).deep.equal([3, 4])
    third?.[Symbol.dispose]()
  })

  it('who does not want to wait comes in only when there is room at once', async () => {
    const limiter = new Limiter(1)
    const first = limiter.tryAcquire(2)
    expect([first === undefined, limiter.tryAcquire()]).deep.equal([false, undefined])
    first?.[Symbol.dispose]()
    const second = await limiter.acquire(never)
    expect(limiter.tryAcquire()).equal(undefined)
    second?.[Symbol.dispose]()
    expect(limiter.tryAcquire() === undefined).equal(false)
  })

  it('who takes several comes in while there is room for one, and then everybody waits', async () => {
    const limiter = new Limiter(2)
    const order: string[] = []
    const one = await limiter.acquire(never)
    const three = await limiter.acquire(never, 3)
    const waiting = ['b', 'c'].map(async (name) => {
      const slot = await limiter.acquire(never)
      order.push(name)
      return slot
    })
    one?.[Symbol.dispose]()
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).deep.equal([])
    // Three free places, of which two count: both come in.
    three?.[Symbol.dispose]()
    for (const slot of await Promise.all(waiting)) slot?.[Symbol.dispose]()
    expect(order).deep.equal(['b', 'c'])
    expect(await limiter.acquire(never, 9)).not.equal(undefined)
  })

  it('who gives up waiting takes no slot', async () => {
    const limiter = new Limiter(1)
    const held = await limiter.acquire(never)
    const controller = new AbortController()
    const gaveUp = limiter.acquire(controller.signal)
    const patient = limiter.acquire(never)
    controller.abort()
    expect(await gaveUp).equal(undefined)
    expect(await limiter.acquire(controller.signal)).equal(undefined)
    held?.[Symbol.dispose]()
    expect(await patient).not.equal(undefined)
  })
})
