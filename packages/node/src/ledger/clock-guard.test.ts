import type { AuditEvent, Clock, PartyId } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import type { PeerWord } from '../peer-reports.ts'
import { ASK_AGAIN_MS, ASK_EVERY_MS, ClockGuard, FRESH_MS } from './clock-guard.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const policyWith = (when: string) =>
  parsePolicy(`{version: 1, sequence: 1, rules: [{name: a, effect: allow, when: {payload: raw${when}}}]}`)
const TIMED = policyWith(', times: [{zone: UTC, to: "23:59"}]')
const LIMITED = policyWith(', limits: [{window: 1h, countMax: 1}]')

describe('clock guard', () => {
  let nowMs: number
  let timers: { readonly delayMs: number; fire(): void }[]
  let words: Map<PartyId, PeerWord | string>
  let asked: number
  let events: AuditEvent[]
  let guard: ClockGuard
  const clock: Clock = {
    nowMs: () => nowMs,
    after: (delayMs, fire) => {
      const timer = { delayMs, fire }
      timers.push(timer)
      return () => {
        timers = timers.filter((t) => t !== timer)
      }
    },
  }
  const word = (offsetMs: number, roundTripMs = 0): PeerWord => ({ offsetMs, roundTripMs, version: '', hsms: [] })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const begin = async (policy = TIMED) => {
    ;[nowMs, timers, asked, events] = [NOW, [], 0, []]
    guard = new ClockGuard({
      ...{ clock, policy, skewMaxMs: 1000, needed: 2, log: silentLogger },
      journal: { record: async (event) => void events.push(event) },
      peersUp: () => [...words.keys()],
      ask: async (peer) => {
        asked++
        return words.get(peer) ?? 'CALL_TIMEOUT'
      },
    })
    guard.start()
    await settle()
  }
  const again = async () => {
    const [timer] = timers.splice(0, 1)
    nowMs += timer?.delayMs ?? 0
    timer?.fire()
    await settle()
  }
  const sureWith = async (...said: readonly (PeerWord | string)[]) => {
    words = new Map(said.map((w, i) => [i + 2, w]))
    await begin()
    return guard.nowMs() === NOW
  }

  it('clock guard: it is sure of the time when enough peers agree with it, whatever the others say', async () => {
    expect(await sureWith(word(1000), word(-1000))).to.equal(true)
    expect(await sureWith(word(1001), word(-1000))).to.equal(false)
    expect(await sureWith(word(0))).to.equal(false)
    expect(await sureWith(word(0), 'CALL_TIMEOUT')).to.equal(false)
    expect(await sureWith(word(9e9), word(-9e9), word(0), word(5))).to.equal(true)
    expect(await sureWith()).to.equal(false)
    // Half of the round trip explains that much.
    expect(await sureWith(word(1500, 1000), word(-1500, 1000))).to.equal(true)
    expect(await sureWith(word(1501, 1000), word(0))).to.equal(false)
  })

  it('clock guard: when rules that depend on the time come later, peers are asked from then on, and nothing is sure before', async () => {
    words = new Map([2, 3].map((peer) => [peer, word(0)]))
    const live = { rules: policyWith('').rules }
    await begin(live as ReturnType<typeof policyWith>)
    expect([guard.nowMs(), asked]).to.deep.equal([NOW, 0])
    live.rules = TIMED.rules
    expect(guard.nowMs()).to.equal(undefined)
    for (let i = 0; i < 2; i++) guard.start()
    await settle()
    expect([guard.nowMs(), asked, timers.length]).to.deep.equal([NOW, 2, 1])
  })

  it('clock guard: peers are asked again, soon as long as they do not agree, and both changes are in the log', async () => {
    words = new Map([[2, word(0)]])
    await begin()
    expect([guard.nowMs(), timers.map((t) => t.delayMs)]).to.deep.equal([undefined, [ASK_AGAIN_MS]])
    words.set(3, word(0))
    await again()
    expect([guard.nowMs(), timers.map((t) => t.delayMs)]).to.deep.equal([nowMs, [ASK_EVERY_MS]])
    words.set(3, word(5000))
    await again()
    expect(guard.nowMs()).to.equal(undefined)
    expect(events.map(({ kind, details }) => [kind, details.agreeing])).to.deep.equal([
      ['clock.doubted', 1],
      ['clock.agreed', 2],
      ['clock.doubted', 1],
    ])
  })

  it('clock guard: what peers said gets old, and a clock that jumps is alone', async () => {
    words = new Map([2, 3].map((peer) => [peer, word(0)]))
    await begin()
    nowMs = NOW + FRESH_MS
    expect(guard.nowMs()).to.equal(nowMs)
    for (const jump of [NOW + FRESH_MS + 1, NOW - FRESH_MS - 1]) {
      nowMs = jump
      expect(guard.nowMs()).to.equal(undefined)
    }
  })

  it('clock guard: a peer that fails to answer keeps what it said until that is old', async () => {
    words = new Map([2, 3].map((peer) => [peer, word(0)]))
    await begin()
    words.set(3, 'CALL_TIMEOUT')
    for (let i = 0; i < FRESH_MS / ASK_EVERY_MS; i++) await again()
    expect(guard.nowMs()).to.equal(nowMs)
    await again()
    expect(guard.nowMs()).to.equal(undefined)
  })

  it('clock guard: nobody is asked under a policy that does not depend on the time', async () => {
    words = new Map([[2, word(0)]])
    await begin(policyWith(''))
    expect([asked, timers.length, guard.nowMs()]).to.deep.equal([0, 0, NOW])
    await begin(LIMITED)
    expect([asked, guard.nowMs()]).to.deep.equal([1, undefined])
  })

  it('clock guard: after it is stopped nobody is asked any more', async () => {
    words = new Map([[2, word(0)]])
    await begin()
    guard.stop()
    expect([asked, timers.length]).to.deep.equal([1, 0])
    await begin()
    const timer = timers[0]
    guard.stop()
    timer?.fire()
    await settle()
    expect([asked, timers.length]).to.deep.equal([1, 0])
  })
})
