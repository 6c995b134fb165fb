import { ConclaveError, Timeout, tagged, utf8 } from '@conclave/core'
import type { SessionEnd, SessionMessage } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { until } from '../requests.fixture.ts'
import { FakeClock, pairJob, seed } from './jobs.fixture.ts'
import { SessionHub } from './session-hub.ts'
import { SessionPool } from './session-pool.ts'

const SILENCE_MS = 10_000
const id = (name: string) => tagged('session', utf8(name))

/** One node's hub over a real worker; what it sends is kept, and delivered by hand. */
class End {
  readonly clock = new FakeClock()
  readonly sent: SessionMessage[] = []
  readonly ends: SessionEnd[] = []
  readonly hub: SessionHub
  /** Seeds are given out when it resolves. */
  gate: Promise<void> = Promise.resolve()
  readonly seeds: Uint8Array[] = []

  constructor(self: number, pool: SessionPool) {
    this.hub = new SessionHub({
      ...{ self, pool, clock: this.clock, silenceTimeoutMs: SILENCE_MS },
      seed: async () => {
        await this.gate
        const fresh = seed(self)
        this.seeds.push(fresh)
        return fresh
      },
      send: (_to, message) => this.sent.push(message),
      sendEnd: (_to, end) => this.ends.push(end),
    })
  }
}

describe('session hub', () => {
  let pools: SessionPool[]
  let one: End
  let two: End

  before(() => {
    pools = [new SessionPool({ size: 1 }), new SessionPool({ size: 1 })]
  })
  beforeEach(() => {
    one = new End(1, pools[0] as SessionPool)
    two = new End(2, pools[1] as SessionPool)
  })
  after(async () => {
    for (const p of pools) await p.close()
  })

  const begin = (end: End, self: number, peer: number, name: string) => end.hub.run(id(name), [peer], pairJob(self, peer, name))
  /** Moves messages between both ends until nothing more comes or `stop` says so. */
  const relay = async (done: Promise<unknown>, stop: () => boolean = () => false): Promise<void> => {
    let over = false
    done.then(
      () => {
        over = true
      },
      () => {
        over = true
      },
    )
    const at = { one: 0, two: 0 }
    await until('the sessions end', () => {
      for (; at.one < one.sent.length && !stop(); at.one++) two.hub.receive(1, one.sent[at.one] as SessionMessage)
      for (; at.two < two.sent.length && !stop(); at.two++) one.hub.receive(2, two.sent[at.two] as SessionMessage)
      return over || stop()
    })
  }

  it('session hub: messages that come before the session, or while its seed is awaited, are delivered', async () => {
    const first = begin(one, 1, 2, 'early')
    await until('a first message', () => one.sent.length > 0)
    const gate = Promise.withResolvers<void>()
    two.gate = gate.promise
    two.hub.receive(1, one.sent[0] as SessionMessage)
    const second = begin(two, 2, 1, 'early')
    two.hub.receive(1, { ...(one.sent[0] as SessionMessage), round: 9 })
    gate.resolve()
    const done = Promise.all([first, second])
    await until('an answer', () => two.sent.length > 1)
    await relay(done)
    expect((await done)[0].result.public).to.be.instanceOf(Uint8Array)
    expect((await done)[0].bytesSent).to.equal(one.sent.reduce((sum, m) => sum + m.body.length, 0))
    expect([one.clock.open, two.clock.open]).to.deep.equal([0, 0])
  })

  it('session hub: a message that comes while the seed is awaited is not lost', async () => {
    const first = begin(one, 1, 2, 'gap')
    await until('a first message', () => one.sent.length > 0)
    const gate = Promise.withResolvers<void>()
    two.gate = gate.promise
    const second = begin(two, 2, 1, 'gap')
    two.hub.receive(1, one.sent[0] as SessionMessage)
    gate.resolve()
    // Round 2 is sent only by who has round 1 of the other.
    await until('round 2', () => two.sent.some((m) => m.round === 2))
    for (const end of [one, two]) end.hub.stopWith(end === one ? 2 : 1, 'PEER_LOST', 'over')
    await Promise.allSettled([first, second])
  })

  it('session hub: silence ends a session after its time, and names whom it waited for', async () => {
    const failed = begin(one, 1, 2, 'silent').catch((e: unknown) => e)
    await until('a first message', () => one.sent.length > 0)
    one.clock.advance(SILENCE_MS - 1)
    expect(one.hub.with(2)).to.have.length(1)
    one.clock.advance(SILENCE_MS)
    const error = await failed
    expect(error).to.be.instanceOf(Timeout)
    expect(error).to.include({ code: 'SESSION_SILENT', retriable: true })
    expect((error as Timeout).waitingFor).to.deep.equal([2])
    expect(one.ends.map((e) => e.code)).to.deep.equal(['SESSION_SILENT'])
    expect(one.clock.open).to.equal(0)
  })

  it('session hub: every round buys time anew, also with a single peer; repetition buys none', async () => {
    const failed = refusal(() => begin(one, 1, 2, 'rounds'))
    const other = refusal(() => begin(two, 2, 1, 'rounds'))
    await until('first messages', () => one.sent.length > 0 && two.sent.length > 0)
    two.hub.receive(1, one.sent[0] as SessionMessage)
    await until('round 2 of the peer', () => two.sent.some((m) => m.round === 2))
    // Every round comes just before the time is over.
    for (const round of [1, 2]) {
      one.clock.advance(SILENCE_MS - 1)
      one.hub.receive(2, two.sent.find((m) => m.round === round) as SessionMessage)
      await until(`round ${round + 1}`, () => one.sent.some((m) => m.round === round + 1) && one.clock.nextMs === SILENCE_MS)
    }
    for (let i = 0; i < 5; i++) one.hub.receive(2, two.sent[0] as SessionMessage)
    one.clock.advance(SILENCE_MS)
    expect(await failed).to.equal('SESSION_SILENT')
    two.hub.peerEnded(1, one.ends[0] as SessionEnd)
    expect(await other).to.equal('PEER_STOPPED')
  })

  it('spoofed inner from: what a peer says in the name of another, from outside of a session or after its end, is dropped and counted', async () => {
    const failed = refusal(() => begin(one, 1, 2, 'drops'))
    await until('a first message', () => one.sent.length > 0)
    const message = { sessionId: id('drops'), from: 2, round: 1, body: Uint8Array.of(1) }
    one.hub.receive(3, message)
    one.hub.receive(3, { ...message, from: 3 })
    one.hub.peerEnded(3, { sessionId: id('drops'), from: 2, code: 'X' })
    one.hub.peerEnded(3, { sessionId: id('drops'), from: 3, code: 'X' })
    expect(one.hub.with(2)).to.have.length(1)
    one.hub.peerEnded(2, { sessionId: id('drops'), from: 2, code: 'X' })
    expect(await failed).to.equal('PEER_STOPPED')
    one.hub.receive(2, message)
    one.hub.peerEnded(2, { sessionId: id('drops'), from: 2, code: 'X' })
    expect(one.hub.dropped).to.deep.equal({ spoofed: 2, 'unknown-peer': 1, ended: 1, 'early-overflow': 0 })
    expect(await refusal(() => begin(one, 1, 2, 'drops'))).to.equal('SESSION_EXISTS')
  })

  it('session hub: a peer that stopped before we began is not waited for', async () => {
    one.hub.peerEnded(2, { sessionId: id('stopped'), from: 2, code: 'PAIR_MISSING' })
    expect(await refusal(() => begin(one, 1, 2, 'stopped'))).to.equal('PEER_STOPPED')
  })

  it('session hub: a lost link ends the sessions with that peer only, also those that have no worker yet', async () => {
    const gate = Promise.withResolvers<void>()
    one.gate = gate.promise
    const failed = [refusal(() => begin(one, 1, 2, 'lost-a')), refusal(() => begin(one, 1, 3, 'lost-b'))]
    one.hub.stopWith(2, 'PEER_LOST', 'gone')
    gate.resolve()
    expect(await failed[0]).to.equal('PEER_LOST')
    expect(one.hub.with(3)).to.have.length(1)
    one.hub.stopWith(3, 'PAIR_BURNED', 'burned')
    expect(await failed[1]).to.equal('PAIR_BURNED')
    // The seed that no worker took over.
    expect(one.seeds[0]).to.deep.equal(new Uint8Array(32))
  })

  it('session hub: no peer hears of a failure before the node has acted on it', async () => {
    const acted = Promise.withResolvers<void>()
    let seen: unknown
    const failed = async (error: unknown) => {
      seen = error
      await acted.promise
    }
    const outcome = refusal(() => one.hub.run(id('hook'), [2], pairJob(1, 2, 'hook'), { failed }))
    one.hub.stopWith(2, 'PEER_LOST', 'gone')
    await until('the hook', () => seen !== undefined)
    expect(seen).to.be.instanceOf(ConclaveError)
    expect(one.ends).to.deep.equal([])
    acted.resolve()
    expect(await outcome).to.equal('PEER_LOST')
    expect(one.ends.map((e) => e.code)).to.deep.equal(['PEER_LOST'])
  })

  it('session hub: declining tells the peers, but never in the name of a session that runs or ran', async () => {
    one.hub.decline(id('declined'), [2, 3], 'PAIR_MISSING')
    expect(one.ends.map((e) => e.code)).to.deep.equal(['PAIR_MISSING', 'PAIR_MISSING'])
    const failed = refusal(() => begin(one, 1, 2, 'runs'))
    one.hub.decline(id('runs'), [2], 'X')
    one.hub.stop(id('runs'), 3, new ConclaveError('X', 'not a peer of it'))
    expect(one.ends).to.have.length(2)
    one.hub.stop(id('runs'), 2, new ConclaveError('STOPPED', 'enough'))
    expect(await failed).to.equal('STOPPED')
    one.hub.decline(id('runs'), [2], 'X')
    expect(one.ends.map((e) => e.code).slice(2)).to.deep.equal(['STOPPED'])
  })
})
