import { type PartyId, seededRandom, tagged, u32, utf8 } from '@conclave/core'
import { decode, PairAnswer, PairChoose, PairReveal, PairStart } from '@conclave/wire'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import { randomScalar } from './arithmetic.ts'
import { POINT_BYTES } from './constants.ts'
import { PAIR_ROUNDS, pairSetup } from './pair-setup.ts'
import { type PairState, pairId, secretsOf } from './pair-state.ts'
import { mulBase, pointToBytes } from './points.ts'
import { of } from './protocol.ts'
import { proveKnowledge } from './schnorr.ts'
import { Session } from './session.ts'
import { BURNING, expectAborts } from './testing/claims.fixture.ts'
import { CLUSTER_CONTEXT, runPair } from './testing/cluster.ts'
import { pairOf } from './testing/committee.ts'
import { edit, flip, type InFlight, partyRandom, recorder, slotOf, type Tamper, witness } from './testing/run.ts'
import { q, scalar } from './testing/scalars.fixture.ts'

const START = { number: 1, message: PairStart } as const
const CHOOSE = { number: 2, message: PairChoose } as const
const ANSWER = { number: 4, message: PairAnswer } as const
const REVEAL = { number: 5, message: PairReveal } as const

const CONTEXT = { clusterContext: CLUSTER_CONTEXT, pairEpoch: 1, nonce: tagged('nonce', utf8('committee')) }
const session = tagged('pair-session', CLUSTER_CONTEXT, u32(1), u32(1), u32(3), CONTEXT.nonce)
/** What party 3 proves its base point under, in the setup of parties 1 and 3. */
const proofContext = [tagged('ot-base', tagged('pair-direction', session, u32(3), u32(1)))]
/** An earlier setup of the same pair. */
const earlier = recorder()
/** The messages of an honest run. */
const honest = recorder()

/** Party 3 deviates; party 1 is honest. */
const of3 = (m: InFlight) => m.from === 3
const run = (tamper: Tamper) => runPair(1, 3, 'committee', { tamper })
const refused = (tamper: Tamper, code: Parameters<typeof expectAborts>[2], culprits: readonly PartyId[] = [3]) => {
  const outcome = run(tamper)
  expectAborts(outcome, [1], code, culprits)
  expect(BURNING).not.to.include(code)
}
const OFF_CURVE = Uint8Array.from([2, ...scalar(5n)])

describe('pair setup', () => {
  before(() => {
    runPair(1, 3, 'an earlier session', { watch: earlier.watch })
    runPair(1, 3, 'committee', { watch: honest.watch })
  })

  it('pair setup: an honest run passes, and both ends name the same state', () => {
    const [a, b] = [pairOf(1, 3).get(1) as PairState, pairOf(1, 3).get(3) as PairState]
    expect([a.public.self, a.public.peer, b.public.self, b.public.peer]).to.deep.equal([1, 3, 3, 1])
    expect(pairId(a.public)).to.deep.equal(pairId(b.public))
    expect(secretsOf(a).zeroSeed).to.deep.equal(secretsOf(b).zeroSeed)
    expect(secretsOf(a).delta).not.to.deep.equal(secretsOf(b).delta)
  })

  it('pair setup: the same choice bits are not used for two peers', () => {
    const [a, b] = [pairOf(1, 3).get(1) as PairState, pairOf(1, 5).get(1) as PairState]
    for (const part of ['delta', 'aliceSeeds', 'bobSeeds0', 'bobSeeds1', 'zeroSeed'] as const)
      expect(secretsOf(a)[part]).not.to.deep.equal(secretsOf(b)[part])
  })

  for (const [what, change] of [
    ['a wrong response', (s) => ({ ...s, proof: { ...s.proof, response: flip(s.proof.response, 255) } })],
    ['a wrong nonce', (s) => ({ ...s, proof: { ...s.proof, nonce: flip(s.proof.nonce) } })],
    ['another base point', (s) => ({ ...s, base: pointToBytes(mulBase(scalar(7n))) })],
    ['the identity', (s) => ({ ...s, base: new Uint8Array(33) })],
    ['a point off the curve', (s) => ({ ...s, base: OFF_CURVE })],
  ] as const satisfies readonly (readonly [string, Parameters<typeof edit<typeof PairStart>>[2]])[])
    it(`pair setup: 2.1 ${what} as base names the peer`, () => refused(edit(START, of3, change), 'PAIR_BAD_PROOF'))

  it('pair setup: 2.1 the own base and proof sent back name the peer', () => {
    const said = recorder()
    const reflect: Tamper = (m) => (m.round === 1 && m.from === 3 ? said.sent.get(slotOf(1, 1, 3)) : m.body)
    expectAborts(runPair(1, 3, 'committee', { tamper: reflect, watch: said.watch }), [1], 'PAIR_BAD_PROOF', [3])
  })

  it('pair setup: 2.2 a choice point off the curve or B itself names the peer', () => {
    const said = recorder()
    const put = (point: () => Uint8Array): Tamper =>
      edit(CHOOSE, of3, (c) => {
        const points = Uint8Array.from(c.points)
        points.set(point(), 77 * POINT_BYTES)
        return { ...c, points }
      })
    const own = () => decode(PairStart, said.sent.get(slotOf(1, 1, 3)) as Uint8Array).base
    for (const point of [() => OFF_CURVE, own])
      expectAborts(runPair(1, 3, 'committee', { tamper: put(point), watch: said.watch }), [1], 'PAIR_BAD_POINT', [3])
  })

  it('pair setup: 2.z an opening of the zero share that differs from its commitment names the peer', () => {
    for (const part of ['zeroPart', 'zeroSalt'] as const)
      refused(
        edit(CHOOSE, of3, (c) => ({ ...c, [part]: flip(c[part]) })),
        'PAIR_BAD_OPENING',
      )
  })

  it('pair setup: 2.z a commitment and opening copied from us open nothing', () => {
    const said = recorder()
    const own = <M extends typeof PairStart | typeof PairChoose>(round: number, message: M) =>
      decode(message, said.sent.get(slotOf(round, 1, 3)) as Uint8Array)
    const copy: Tamper = (m) =>
      m.round === 1
        ? edit(START, of3, (s) => ({ ...s, zeroCommitment: own(1, PairStart).zeroCommitment }))(m)
        : edit(CHOOSE, of3, (c) => ({ ...c, zeroPart: own(2, PairChoose).zeroPart, zeroSalt: own(2, PairChoose).zeroSalt }))(m)
    expectAborts(runPair(1, 3, 'committee', { tamper: copy, watch: said.watch }), [1], 'PAIR_BAD_OPENING', [3])
  })

  it('pair setup: 2.3 one wrong answer names the peer', () => {
    refused(
      edit(ANSWER, of3, (a) => ({ answers: flip(a.answers, 100 * 256) })),
      'PAIR_BAD_ANSWER',
    )
  })

  it('pair setup: 2.4 a wrong pad in the chosen and in the other slot fail alike', () => {
    for (const slot of [0, 1])
      refused(
        edit(REVEAL, of3, (r) => ({ pads: flip(r.pads, (2 * 9 + slot) * 256) })),
        'PAIR_BAD_REVEAL',
      )
  })

  it('pair setup: 2.c a second valid proof, which no other check can tell from the first, is found out at the end', () => {
    const secret = randomScalar(partyRandom('pair/committee/1', 3))
    const tamper = edit(START, of3, (s) => ({
      ...s,
      proof: proveKnowledge(secret, mulBase(secret), proofContext, seededRandom(utf8('2.c'))),
    }))
    const outcome = run(tamper)
    expectAborts(outcome, [1, 3], 'PAIR_UNCONFIRMED')
  })

  for (const [round, code, culprits] of [
    [1, 'PAIR_BAD_PROOF', [3]],
    [2, 'PAIR_BAD_OPENING', [3]],
    [3, 'PAIR_BAD_REVEAL', [3]],
    [4, 'PAIR_BAD_ANSWER', [3]],
    [5, 'PAIR_BAD_REVEAL', [3]],
    [6, 'PAIR_UNCONFIRMED', []],
  ] as const)
    it(`missing session id: round ${round} of an earlier pair setup sent again by its author gives no pair state (${code})`, () => {
      refused(
        (m) => {
          if (m.from === 3 && m.round === round) return earlier.sent.get(slotOf(round, 3, 1))
          // A cheat goes on where an honest peer would stop: it is fed answers that it accepts.
          return round === 3 && m.from === 1 && m.round === 4 ? honest.sent.get(slotOf(4, 1, 3)) : m.body
        },
        code,
        culprits,
      )
    })

  it('missing session id: every message under another round or sender, cut short or twice, is dropped and changes nothing', () => {
    let injected = 0
    const inject = (m: InFlight): InFlight[] => {
      const rounds = [0, 1, 2, 3, 4, 5, 6, 7].filter((r) => r !== m.round && Math.abs(r - m.round) !== 1)
      const copies = [
        ...rounds.map((round) => ({ ...m, round })),
        { ...m, from: m.to },
        { ...m, from: 2 },
        { ...m, body: m.body.subarray(1) },
        m,
      ]
      injected += copies.length
      return copies
    }
    const outcome = runPair(1, 3, 'committee', { inject })
    expect(outcome.errors.size).to.equal(0)
    for (const j of [1, 3]) expect(outcome.results.get(j)?.secret.bytes).to.deep.equal(pairOf(1, 3).get(j)?.secret.bytes)
    const dropped = [...outcome.sessions.values()].flatMap((s) => Object.values(s.dropped))
    expect(dropped.reduce((a, b) => a + b)).to.equal(injected)
  })

  it('pair setup: the indices 0, q, i + q and one index twice are refused before anything is sent', () => {
    for (const peer of [0, -1, 10, 1.5, 1, Number.NaN, Number(q), 3 + Number(q)]) {
      const protocol = pairSetup({ ...CONTEXT, self: 1, peer, random: seededRandom(utf8('x')) })
      const session = new Session({ self: 1, peers: [3], rounds: PAIR_ROUNDS, protocol })
      expect(session.start()).to.deep.equal([])
      expect(session.error?.code, String(peer)).to.be.oneOf(['BAD_PARTY', 'BAD_PARTY_SET'])
    }
  })

  for (const stop of [1, 3, 6])
    it(`pair setup: choice bits and zero parts are wiped when the run is stopped in round ${stop}`, () => {
      const seen = new Map([1, 3].map((j) => [j, witness(partyRandom('pair/wipe', j))]))
      const outcome = runPair(1, 3, 'wipe', {
        deviants: new Map([1, 3].map((j) => [j, (ctx) => pairSetup({ ...ctx, random: of(seen, j) })])),
        tamper: (m) => (m.round >= stop ? undefined : m.body),
      })
      for (const j of [1, 3]) {
        outcome.sessions.get(j)?.abort(abortOf('SIGN_ECHO'))
        const given = of(seen, j).given.filter((b) => [16, 32, 48].includes(b.length))
        // Of the 32-byte draws the first is the zero part; the other is its salt, which is sent.
        const secret = [...given.filter((b) => b.length !== 32), given.find((b) => b.length === 32) as Uint8Array]
        expect(secret.every((b) => b.every((v) => v === 0))).to.equal(true)
        expect(secret.length).to.equal(stop > 1 ? 132 : 3)
      }
    })
})
