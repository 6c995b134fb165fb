import { ConclaveError, codeOf, tagged, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { Calls, OPEN_CALLS_MAX } from '../calls.ts'
import { EARLY_BYTES_MAX, EARLY_COUNT_MAX } from './early-box.ts'
import { FakeClock, pairJob, seed } from './jobs.fixture.ts'
import { ENDED_MAX, type HubOptions, SessionHub } from './session-hub.ts'
import { SessionPool } from './session-pool.ts'

const SEED = 0x68756273
const PEERS = [2, 3]
const NAMES = ['a', 'b', 'c']
const id = (name: string) => tagged('fuzz-session', utf8(name))

interface Act {
  readonly what: 'run' | 'receive' | 'ended' | 'stopWith' | 'stop' | 'decline' | 'silence'
  readonly peer: number
  readonly from: number
  readonly name: string
  readonly round: number
  readonly bytes: number
}
const act: fc.Arbitrary<Act> = fc.record({
  what: fc.constantFrom('run', 'run', 'receive', 'receive', 'receive', 'ended', 'stopWith', 'stop', 'decline', 'silence'),
  peer: fc.constantFrom(...PEERS),
  from: fc.constantFrom(2, 2, 3, 3, 1, 9),
  name: fc.constantFrom(...NAMES),
  round: fc.integer({ min: 0, max: 16 }),
  bytes: fc.constantFrom(1, 100, 90_000),
})

describe('session hub fuzz', () => {
  let pool: SessionPool
  before(() => {
    pool = new SessionPool({ size: 1 })
  })
  after(() => pool.close())

  const made = (clock: FakeClock, change: Partial<HubOptions> = {}) =>
    new SessionHub({
      ...{ self: 1, pool, clock, silenceTimeoutMs: 1000, seed: async () => seed(1) },
      ...{ send: () => undefined, sendEnd: () => undefined },
      ...change,
    })

  /** Sessions that were begun here settle with one of these, whatever came. */
  const CODES = /^(SESSION_EXISTS|SESSION_SILENT|PEER_LOST|PEER_STOPPED|PAIR_[A-Z_]+|STOPPED|CLOSED)$/

  let runs = 0
  async function play(acts: readonly Act[]): Promise<void> {
    const clock = new FakeClock()
    const hub = made(clock)
    // The worker is shared, so names are of this run.
    const run = ++runs
    const session = (name: string) => id(`${run}/${name}`)
    const begun: Promise<string>[] = []
    for (const { what, peer, from, name, round, bytes } of acts) {
      const sessionId = session(name)
      if (what === 'run') begun.push(hub.run(sessionId, [peer], pairJob(1, peer, name)).then(() => 'DONE', codeOf))
      if (what === 'receive') hub.receive(peer, { sessionId, from, round, body: new Uint8Array(bytes) })
      if (what === 'ended') hub.peerEnded(peer, { sessionId, from, code: 'X' })
      if (what === 'stopWith') hub.stopWith(peer, 'PEER_LOST', 'gone')
      if (what === 'stop') hub.stop(sessionId, peer, new ConclaveError('STOPPED', 'stopped'))
      if (what === 'decline') hub.decline(sessionId, [peer], 'NO')
      if (what === 'silence') clock.advance(1000)
      const { running, ended } = hub.sizes(peer)
      expect(running + ended).to.be.at.most(NAMES.length)
    }
    for (const peer of PEERS) hub.stopWith(peer, 'PEER_LOST', 'gone')
    for (const code of await Promise.all(begun)) expect(code).to.match(CODES)
    expect(hub.sizes(2).running).to.equal(0)
    expect(clock.open).to.equal(0)
    // Nothing early is left of a session that has ended, nor of a peer that has gone.
    for (const peer of PEERS) expect(hub.sizes(peer).early.count).to.equal(0)
  }

  it('panic instead of abort: whatever peers say, in whatever order, sessions settle by code and nothing is left', async () => {
    await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 25 }), play), { seed: SEED, numRuns: 60 })
    expect(pool.running).to.equal(0)
  })

  it('panic instead of abort: a flood about sessions that do not exist is bounded in count and bytes for each peer', () => {
    const hub = made(new FakeClock())
    for (let i = 0; i < 1000; i++)
      hub.receive(2, { sessionId: tagged('flood', u32(i)), from: 2, round: i % 17, body: new Uint8Array(90_000) })
    for (let i = 0; i < 1000; i++) hub.peerEnded(3, { sessionId: tagged('flood', u32(i)), from: 3, code: 'X' })
    expect(hub.sizes(2).early.count).to.be.within(1, EARLY_COUNT_MAX)
    expect(hub.sizes(2).early.bytes).to.be.within(EARLY_BYTES_MAX - 90_000, EARLY_BYTES_MAX)
    expect(hub.sizes(3).early).to.deep.equal({ count: EARLY_COUNT_MAX, bytes: 0 })
    expect(hub.dropped['early-overflow']).to.equal(2000 - hub.sizes(2).early.count - EARLY_COUNT_MAX)
  })

  it('panic instead of abort: names of ended sessions are remembered up to their bound, the last ones', async () => {
    const refused = { seed: () => Promise.reject(new ConclaveError('HSM', 'no randomness')) }
    const hub = made(new FakeClock(), refused)
    const begin = (i: number) => hub.run(tagged('ended', u32(i)), [2], pairJob(1, 2, 'x')).then(() => 'DONE', codeOf)
    for (let i = 0; i < ENDED_MAX + 50; i++) expect(await begin(i)).to.equal('HSM')
    expect(hub.sizes(2)).to.deep.include({ running: 0, ended: ENDED_MAX })
    expect([await begin(ENDED_MAX), await begin(0)]).to.deep.equal(['SESSION_EXISTS', 'HSM'])
  })
})

describe('calls fuzz', () => {
  interface Deed {
    readonly what: 'call' | 'calls' | 'answer' | 'failure' | 'lost' | 'time' | 'broken'
    readonly peer: number
    readonly at: number
  }
  const deed: fc.Arbitrary<Deed> = fc.record({
    what: fc.constantFrom('call', 'call', 'calls', 'answer', 'answer', 'failure', 'lost', 'time', 'broken'),
    peer: fc.constantFrom(...PEERS),
    at: fc.nat(80),
  })
  const pairAccept = { pairEpoch: 1, agreed: true }
  const failure = { code: 'BUSY', message: '', retriable: true, culprits: [], waitingFor: [] }

  async function play(deeds: readonly Deed[]): Promise<void> {
    const clock = new FakeClock()
    let isBroken = false
    const asked: { readonly peer: number; readonly id: number }[] = []
    const calls = new Calls(clock, (peer, { id: asks }) => {
      if (isBroken) throw new ConclaveError('PEER_UNREACHABLE', 'down')
      asked.push({ peer, id: asks })
    })
    const outcomes: Promise<string>[] = []
    const call = (peer: number) => {
      try {
        outcomes.push(calls.call(peer, { status: {} }, 1000).then(() => 'DONE', codeOf))
      } catch (error) {
        outcomes.push(Promise.resolve(codeOf(error)))
      }
    }
    for (const { what, peer, at } of deeds) {
      isBroken = what === 'broken'
      if (what === 'call' || what === 'broken') call(peer)
      if (what === 'calls') for (let i = 0; i < at; i++) call(peer)
      // Of the right peer or another one, of a call that is open, closed or was never made.
      const answered = asked[at % Math.max(1, asked.length)]?.id ?? at
      if (what === 'answer') calls.answered(peer, { id: answered, body: { pairAccept } })
      if (what === 'failure') calls.answered(peer, { id: answered, body: { failure } })
      if (what === 'lost') calls.peerLost(peer)
      if (what === 'time') clock.advance(20 * at)
      expect(calls.open).to.be.at.most(OPEN_CALLS_MAX)
    }
    clock.advance(1000)
    expect([calls.open, clock.open]).to.deep.equal([0, 0])
    for (const code of await Promise.all(outcomes))
      expect(code).to.match(/^(DONE|BUSY|PEER_LOST|CALL_TIMEOUT|TOO_MANY_CALLS|PEER_UNREACHABLE)$/)
  }

  it('panic instead of abort: whatever is answered, by whom and when, calls settle by code and stay bounded', async () => {
    await fc.assert(fc.asyncProperty(fc.array(deed, { maxLength: 30 }), play), { seed: SEED, numRuns: 200 })
  })
})
