import { ConclaveError, InvalidArgument, ProtocolAbort } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { DEAL_ROUNDS, deal } from './deal.ts'
import { Session, type SessionState } from './session.ts'
import { attestAs, type DealSpec, dealContext, runDkg } from './testing/cluster.ts'
import { always } from './testing/property.fixture.ts'
import { flip, recorder, slotOf } from './testing/run.ts'

const PARTIES = [1, 2, 3]
const PEERS = [2, 3]
const SEED = 'session-fuzz'

type Act =
  | { readonly act: 'start' | 'attested' | 'badly attested' | 'abort' }
  | { readonly act: 'receive'; readonly from: number; readonly round: number; readonly as: number; readonly spoil: number }

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Act>({ act: 'start' }, { act: 'attested' }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ act: 'badly attested' }, { act: 'abort' }) },
  {
    weight: 12,
    arbitrary: fc.record({
      act: fc.constant('receive' as const),
      from: fc.constantFrom(2, 3, 2, 3, 0, 1, 4),
      round: fc.integer({ min: 0, max: 5 }),
      // Which round's body it is; 0 for that of its own round.
      as: fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 3, 4),
      spoil: fc.constantFrom(-1, -1, -1, -1, -1, 0, 100, 271),
    }),
  },
)
/** Every peer's word of every round, with some of the disorder of a network. */
const honest: fc.Arbitrary<Act[]> = fc
  .shuffledSubarray(
    [1, 2, 3, 4].flatMap((round) => PEERS.map((from): Act => ({ act: 'receive', from, round, as: 0, spoil: -1 }))),
    { minLength: 6 },
  )
  .map((words) => [{ act: 'start' }, ...words, { act: 'attested' }])

const NEXT: Readonly<Record<SessionState, readonly SessionState[]>> = {
  idle: ['idle', 'running', 'aborted'],
  running: ['running', 'attesting', 'aborted', 'done'],
  taking: ['taking', 'running', 'aborted', 'done'],
  attesting: ['attesting', 'running', 'aborted', 'done'],
  done: ['done'],
  aborted: ['aborted'],
}

describe('session fuzz', () => {
  const said = recorder()
  before(() => {
    runDkg(PARTIES, 2, SEED, { watch: said.watch })
  })

  const spec: DealSpec = { parties: PARTIES, threshold: 2, epoch: 0, dealingOf: () => ({ kind: 'create' }) }
  const fresh = () => new Session({ self: 1, peers: PEERS, rounds: DEAL_ROUNDS, protocol: deal(dealContext(spec, SEED, 1)) })

  const perform = (s: Session<unknown>, a: Act): readonly unknown[] => {
    if (a.act === 'receive') {
      const body = said.sent.get(slotOf(a.as || a.round, a.from, 1)) ?? new Uint8Array(3)
      return s.receive(a.from, a.round, a.spoil < 0 ? body : flip(body, a.spoil % (8 * body.length)))
    }
    if (a.act === 'start') return s.start()
    if (a.act === 'abort') return s.abort(new ConclaveError('OUTSIDE', 'stopped')) ?? []
    const hash = s.attest?.hash ?? new Uint8Array(32)
    return s.attested(a.act === 'attested' ? attestAs(1, hash) : new Uint8Array(64))
  }

  /** Performs one act; only a call that does not belong here may throw, and then nothing has changed. */
  function step(s: Session<unknown>, a: Act): void {
    const before = s.state
    try {
      const out = perform(s, a)
      if (before === 'done' || before === 'aborted' || before === 'idle') expect(a.act === 'start' || out.length === 0).to.equal(true)
    } catch (error) {
      expect(error).to.be.instanceOf(ConclaveError)
      expect((error as ConclaveError).code).to.equal('ASSERTION')
      expect(a.act).to.equal(before === 'attesting' ? 'start' : a.act)
      expect(a.act).to.be.oneOf(['start', 'attested', 'badly attested'])
      expect(s.state).to.equal(before)
    }
    expect(NEXT[before]).to.include(s.state)
  }

  const reached = new Set<SessionState>()
  const check = (list: readonly Act[]) => {
    const s = fresh()
    for (const a of list) {
      step(s, a)
      reached.add(s.state)
    }
    const received = list.filter((a) => a.act === 'receive').length
    const taken = received - Object.values(s.dropped).reduce((x, y) => x + y, 0)
    // One slot for each peer and declared round: whatever comes, no more is kept.
    expect(taken).to.be.within(0, PEERS.length * DEAL_ROUNDS.length)
    expect(s.error === undefined).to.equal(s.state !== 'aborted')
    if (s.error === undefined) return
    const expected =
      s.error instanceof ProtocolAbort || s.error instanceof InvalidArgument || /^(OUTSIDE|BAD_SIGNATURE)$/.test(s.error.code)
    expect(expected, s.error.code).to.equal(true)
    if (s.error instanceof ProtocolAbort) for (const j of s.error.culprits) expect(PEERS).to.include(j)
  }

  it('panic instead of abort: any calls in any order leave a session in a sane state', () => {
    always(fc.property(fc.array(acts, { maxLength: 30 }), check), { numRuns: 120 })
  })

  it('panic instead of abort: calls that do not belong there, in the middle of an honest run, leave it in a sane state', () => {
    const mixed = fc.tuple(honest, fc.array(fc.tuple(fc.nat(12), acts), { maxLength: 3 }))
    const woven = mixed.map(([list, extra]) => extra.reduce((all, [at, a]) => all.toSpliced(at, 0, a), list))
    always(fc.property(woven, check), { numRuns: 80 })
    expect([...reached].sort()).to.deep.equal(['aborted', 'attesting', 'done', 'idle', 'running'])
  })
})
