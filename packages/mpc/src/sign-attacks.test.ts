import { type PartyId, tagged } from '@conclave/core'
import { decode, type Opening, SignCommit, SignOpen, SignVole } from '@conclave/wire'
import { expect } from 'chai'
import { burnsPairs } from './abort.ts'
import type { KeyShare } from './key.ts'
import type { PairState } from './pair-state.ts'
import { mulBase, pointToBytes } from './points.ts'
import { echoHash, of } from './protocol.ts'
import { Session } from './session.ts'
import { SIGN_ROUNDS, sign } from './sign.ts'
import { commitmentOf } from './sign-maths.ts'
import { type SignContext, signSid } from './sign-request.ts'
import { expectAborts, expectNoOutput } from './testing/claims.fixture.ts'
import { CLUSTER_CONTEXT, NO_POOL, type RequestChange, runDkg, runPair, runSign, signerRandom, testRequest } from './testing/cluster.ts'
import { committee, keyOf, pairOf } from './testing/committee.ts'
import { inList } from './testing/items.ts'
import { allOf, edit, flip, type InFlight, recorder, runSessions, slotOf, type Tamper } from './testing/run.ts'
import { scalar } from './testing/scalars.fixture.ts'

const COMMIT = { number: 1, message: SignCommit } as const
const VOLE = { number: 2, message: SignVole } as const
const OPEN = { number: 3, message: SignOpen } as const
const SEED = 'attacks'
const THREE = [1, 3, 5]
const TWO = [1, 3]
const of3 = (m: InFlight) => m.from === 3
const keyOf3of5 = () => (keyOf(3, 5).shares.get(1) as KeyShare).public

describe('nonce split view', () => {
  /** Party 3 shows party 5 a commitment to another nonce than party 1, and later the opening that fits it. */
  function splitView(echo: 'as computed' | 'as each peer expects') {
    const said = recorder()
    const sid = signSid(CLUSTER_CONTEXT, keyOf3of5(), testRequest(THREE))
    const second = { noncePoint: pointToBytes(mulBase(scalar(5n))), keyPoint: pointToBytes(mulBase(scalar(6n))), salt: new Uint8Array(32) }
    const commitment = commitmentOf(sid, 3, second)
    const seen = (j: PartyId) => decode(SignCommit, said.sent.get(slotOf(1, j, 3)) as Uint8Array).commitments[0] as Uint8Array
    const echoOf5 = () =>
      echoHash(
        'sign-echo',
        sid,
        new Map([
          [1, seen(1)],
          [3, commitment],
          [5, seen(5)],
        ]),
      )
    const to5 = (m: InFlight) => of3(m) && m.to === 5
    const tampers: Tamper[] = [
      edit(
        COMMIT,
        to5,
        inList('commitments', () => commitment),
      ),
      edit(
        OPEN,
        to5,
        inList('openings', (o: Opening) => ({ ...o, ...second })),
      ),
    ]
    if (echo !== 'as computed') tampers.push(edit(VOLE, to5, (m) => ({ ...m, echo: echoOf5() })))
    const rounds = new Set<number>()
    const watch = (m: InFlight) => {
      said.watch(m)
      if (m.from !== 3) rounds.add(m.round)
    }
    return { outcome: runSign(committee(3, 5, THREE), testRequest(THREE), SEED, { tamper: allOf(...tampers), watch }), rounds }
  }

  for (const echo of ['as computed', 'as each peer expects'] as const)
    it(`nonce split view: with different commitments for two peers and echoes ${echo}, no opening and no (u, w) is ever sent`, () => {
      const { outcome, rounds } = splitView(echo)
      expectAborts(outcome, [1, 5], 'SIGN_ECHO')
      expect([...rounds]).to.deep.equal([1, 2])
    })

  it('nonce split view: an echo that is wrong in round 3 only stops its receiver before it sends (u, w)', () => {
    const partials: PartyId[] = []
    const tamper = edit(
      OPEN,
      (m) => of3(m) && m.to === 5,
      (m) => ({ ...m, echo: flip(m.echo) }),
    )
    const watch = (m: InFlight) => m.round === 4 && partials.push(m.from)
    const outcome = runSign(committee(3, 5, THREE), testRequest(THREE), SEED, { tamper, watch })
    expectAborts(outcome, [5], 'SIGN_ECHO')
    expect(partials).not.to.include(5)
    expect(outcome.results.size).to.equal(0)
  })
})

describe('missing session id', () => {
  const earlier = recorder()
  const three = recorder()
  const run = (tamper: Tamper, watch?: (m: InFlight) => void) =>
    runSign(committee(2, 3, TWO), testRequest(TWO, { attempt: 1 }), SEED, watch === undefined ? { tamper } : { tamper, watch })
  before(() => {
    runSign(committee(2, 3, TWO), testRequest(TWO), 'earlier', { watch: earlier.watch })
    runSign(committee(3, 5, THREE), testRequest(THREE), SEED, { watch: three.watch })
  })

  for (const [round, code] of [
    [1, 'SIGN_PAIR_MISMATCH'],
    [2, 'SIGN_ECHO'],
    [3, 'SIGN_ECHO'],
    [4, 'SIGN_INVALID'],
  ] as const)
    it(`missing session id: round ${round} of an earlier attempt gives no signature, names nobody and burns nothing (${code})`, () => {
      expectAborts(
        run((m) => (of3(m) && m.round === round ? earlier.sent.get(slotOf(round, 3, 1)) : m.body)),
        [1],
        code,
      )
      expect(burnsPairs(code)).to.equal(false)
    })

  it('missing session id: an OT extension of an earlier session inside a message of this one names its sender (3.1 binds the session)', () => {
    const { ots } = decode(SignCommit, earlier.sent.get(slotOf(1, 3, 1)) ?? new Uint8Array(0))
    expectAborts(run(edit(COMMIT, of3, (m) => ({ ...m, ots }))), [1], 'OT_CHECK', [3])
  })

  it('missing session id: a VOLE message of an earlier session inside a message of this one names its sender (4.1 binds the session)', () => {
    const { voles } = decode(SignVole, earlier.sent.get(slotOf(2, 3, 1)) ?? new Uint8Array(0))
    expectAborts(run(edit(VOLE, of3, (m) => ({ ...m, voles }))), [1], 'VOLE_CHECK', [3])
  })

  for (const [round, code, culprits] of [
    [1, 'OT_CHECK', [3]],
    [2, 'VOLE_CHECK', [3]],
    [3, 'SIGN_BAD_OPENING', []],
    [4, 'SIGN_INVALID', []],
  ] as const)
    it(`missing session id: our own round ${round} sent back to us (role) gives no signature and names at most who sent it (${code})`, () => {
      const said = recorder()
      const tamper: Tamper = (m) => (of3(m) && m.round === round ? said.sent.get(slotOf(round, 1, 3)) : m.body)
      expectAborts(run(tamper, said.watch), [1], code, culprits)
    })

  for (const [round, code, culprits] of [
    [1, 'SIGN_PAIR_MISMATCH', []],
    [2, 'VOLE_CHECK', [3]],
    [3, 'SIGN_BAD_OPENING', []],
    [4, 'SIGN_INVALID', []],
  ] as const)
    it(`missing session id: round ${round} of party 5 said by party 3 (party) gives no signature and never names party 5 (${code})`, () => {
      const tamper: Tamper = (m) => (of3(m) && m.to === 1 && m.round === round ? three.sent.get(slotOf(round, 5, 1)) : m.body)
      const outcome = runSign(committee(3, 5, THREE), testRequest(THREE), SEED, { tamper })
      expectAborts(outcome, [1], code, culprits)
      expect(outcome.results.has(1)).to.equal(false)
    })

  it('missing session id: a pair state of another epoch at one end stops both, names nobody and burns nothing', () => {
    const current = pairOf(1, 3).get(3) as PairState
    const stale = { ...current, public: { ...current.public, pairEpoch: 0 } }
    const deviants = new Map([[3, (ctx: SignContext) => sign({ ...ctx, pairs: new Map([[1, stale]]) })]])
    const outcome = runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { deviants })
    expectAborts(outcome, TWO, 'SIGN_PAIR_MISMATCH')
  })

  it('missing session id: a share of another key epoch at one end stops both, names nobody and burns nothing', () => {
    const share = keyOf(2, 3).shares.get(3) as KeyShare
    const later = { ...share, public: { ...share.public, epoch: 1 } }
    const deviants = new Map([[3, (ctx: SignContext) => sign({ ...ctx, share: later })]])
    expectAborts(runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { deviants }), TWO, 'SIGN_PAIR_MISMATCH')
  })
})

describe('false-ban griefing', () => {
  it('false-ban griefing: bit flips of outer fields, wrong rounds and senders, cut bodies and copies change nothing at all', () => {
    const clean = runSign(committee(2, 3, TWO), testRequest(TWO), SEED)
    let injected = 0
    const inject = (m: InFlight): InFlight[] => {
      const bits = [1, 2, 4, 8, 16, 32, 64, 128]
      const copies = [
        ...bits.map((b) => ({ ...m, round: m.round ^ b })),
        ...bits.map((b) => ({ ...m, from: m.from ^ b })).filter((c) => c.from !== (m.to === 1 ? 3 : 1)),
        { ...m, body: m.body.subarray(0, -1) },
        { ...m, body: Uint8Array.from([...m.body, 0]) },
        { ...m, body: new Uint8Array(0) },
        m,
      ]
      injected += copies.length
      return copies
    }
    const noisy = runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { inject })
    expect(noisy.errors.size).to.equal(0)
    expect(noisy.results).to.deep.equal(clean.results)
    const dropped = [...noisy.sessions.values()].flatMap((s) => Object.values(s.dropped))
    expect(dropped.reduce((a, b) => a + b)).to.equal(injected)
  })

  it('false-ban griefing: a stranger that fills every slot it can reach takes none', () => {
    const noise = (m: InFlight): InFlight[] => [0, 2, 4, 5, 9].flatMap((from) => [1, 2, 3, 4].map((round) => ({ ...m, from, round })))
    const outcome = runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { inject: noise })
    expect([...outcome.results.keys()]).to.deep.equal(TWO)
  })
})

describe('key-purpose confusion', () => {
  const other: readonly (readonly [string, RequestChange])[] = [
    ['purpose', { purpose: 'evm.message' }],
    ['digest', { digest: flip(tagged('test-digest')) }],
    ['path', { path: [0] }],
    ['attempt', { attempt: 1 }],
    ['request id', { requestId: flip(testRequest(TWO).requestId) }],
    ['statement', { statement: flip(testRequest(TWO).statement) }],
  ]
  for (const [what, change] of other)
    it(`key-purpose confusion: two honest parties with another ${what} never sign, blame nobody and burn nothing`, () => {
      const deviants = new Map([[3, (ctx: SignContext) => sign({ ...ctx, request: testRequest(TWO, change) })]])
      expectAborts(runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { deviants }), TWO, 'SIGN_PAIR_MISMATCH')
    })

  it('key-purpose confusion: two honest parties with another key, or in another cluster, never sign and blame nobody', () => {
    const key = keyOf(2, 4).shares.get(3) as KeyShare
    for (const change of [{ share: key }, { clusterContext: flip(CLUSTER_CONTEXT) }]) {
      const deviants = new Map([[3, (ctx: SignContext) => sign({ ...ctx, ...change })]])
      expectAborts(runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { deviants }), TWO, 'SIGN_PAIR_MISMATCH')
    }
  })

  describe('messages of other protocols', () => {
    const bodies: Uint8Array[] = []
    const watch = (m: InFlight) => bodies.push(m.body)
    const at = (rounds: readonly number[]) => (m: InFlight) =>
      rounds.flatMap((round) => bodies.filter(() => m.from === 3).map((body) => ({ ...m, round, body })))
    const honest = () => runSign(committee(2, 3, TWO), testRequest(TWO), SEED)
    before(() => {
      runDkg([1, 3], 2, SEED, { watch })
      runPair(1, 3, SEED, { watch })
    })

    it('key-purpose confusion: in every round of a signing they are dropped and change nothing', () => {
      const noisy = runSign(committee(2, 3, TWO), testRequest(TWO), SEED, { inject: at(SIGN_ROUNDS.map((r) => r.number)) })
      expect(noisy.errors.size).to.equal(0)
      expect(noisy.results).to.deep.equal(honest().results)
    })
  })

  it('key-purpose confusion: parties that mean different quorums never sign and blame nobody', () => {
    const cluster = committee(2, 3, [1, 2, 3])
    const start = (self: PartyId, signers: readonly PartyId[]) => {
      const protocol = sign({
        clusterContext: CLUSTER_CONTEXT,
        share: of(cluster.shares, self),
        request: testRequest(signers),
        pairs: of(cluster.pairs, self),
        random: signerRandom(SEED, self),
        ...NO_POOL,
      })
      return [self, new Session({ self, peers: signers.filter((j) => j !== self), rounds: SIGN_ROUNDS, protocol })] as const
    }
    const outcome = runSessions(new Map([start(1, [1, 3]), start(2, [1, 2]), start(3, [2, 3])]))
    expectNoOutput(outcome, [1, 2, 3], [])
    expect(outcome.errors.size).to.equal(0)
  })
})
