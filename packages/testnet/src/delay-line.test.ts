import type { Clock } from '@conclave/core'
import { expect } from 'chai'
import { DelayLine } from './delay-line.ts'

/** Time that goes on when the test says so. */
class HandClock implements Clock {
  #now = 0
  readonly #timers: { readonly atMs: number; fire: (() => void) | undefined }[] = []

  nowMs(): number {
    return this.#now
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer: { atMs: number; fire: (() => void) | undefined } = { atMs: this.#now + delayMs, fire }
    this.#timers.push(timer)
    return () => {
      timer.fire = undefined
    }
  }

  goTo(ms: number): void {
    for (;;) {
      const next = this.#timers.filter((t) => t.fire !== undefined && t.atMs <= ms).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.atMs)
      const { fire } = next
      next.fire = undefined
      fire?.()
    }
    this.#now = ms
  }
}

describe('far links: the delay line', () => {
  let clock: HandClock
  let log: string[]
  let delays: number[]
  let line: DelayLine
  beforeEach(() => {
    clock = new HandClock()
    log = []
    delays = []
    line = new DelayLine({
      delayMs: () => delays.shift() ?? 30,
      clock,
      deliver: (piece) => log.push(`${clock.nowMs()} ${piece.length > 100 ? 'big' : String.fromCharCode(...piece)}`),
      ended: () => log.push(`${clock.nowMs()} end`),
      flowing: (flows) => log.push(flows ? 'flows' : 'waits'),
    })
  })
  const push = (text: string) => line.push(new TextEncoder().encode(text))

  it('far links: every piece waits its delay, and the end comes after all of them', () => {
    push('a')
    clock.goTo(10)
    push('b')
    line.end()
    clock.goTo(29.9)
    expect(log).to.deep.equal([])
    clock.goTo(100)
    expect(log).to.deep.equal(['30 a', '40 b', '40 end'])
  })

  it('far links: a piece with a shorter delay does not overtake', () => {
    delays = [50, 5, 60]
    for (const text of ['a', 'b', 'c']) push(text)
    clock.goTo(100)
    expect(log).to.deep.equal(['50 a', '50 b', '60 c'])
  })

  it('far links: after a rest the line goes on', () => {
    push('a')
    clock.goTo(200)
    push('b')
    clock.goTo(300)
    expect(log).to.deep.equal(['30 a', '230 b'])
  })

  it('far links: what is held is bounded, and reading goes on when there is room', () => {
    const piece = new Uint8Array(9 << 20)
    line.push(piece)
    clock.goTo(10)
    line.push(piece)
    expect(log).to.deep.equal(['waits'])
    clock.goTo(30)
    expect(log).to.deep.equal(['waits', '30 big', 'flows'])
    clock.goTo(40)
    expect(log.slice(3)).to.deep.equal(['40 big'])
  })

  it('far links: nothing comes out of a line that was stopped', () => {
    push('a')
    line.stop()
    push('b')
    clock.goTo(100)
    expect(log).to.deep.equal([])
  })
})
