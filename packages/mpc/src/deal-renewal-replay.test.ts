import { tagged, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { expectNoOutput } from './testing/claims.fixture.ts'
import { type DealOptions, type DealSpec, runDeal } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import { type InFlight, recorder, slotOf } from './testing/run.ts'

const SEED = 'renewal replay'

const { shares } = keyOf(3, 5)
const REFRESH = refreshOf(shares)
/** 1 deals without a seat; 3, 4 and 8 have a seat and do not deal. */
const RESHARE = reshareOf(shares, [1, 2, 5], [2, 3, 4, 5, 8], 3)

describe('renewal replay', () => {
  /** Every message of a run, by round, sender and receiver. */
  const recorded = (spec: DealSpec, options: DealOptions = {}, seed = SEED) => {
    const said = recorder()
    runDeal(spec, seed, { ...options, watch: said.watch })
    return said.sent
  }
  const later = { ...REFRESH, epoch: 5 }
  const others = [1, 3, 4, 5]
  // Of all runs but the first the dealers have the very same randomness, so only what binds the run tells them apart.
  const runs: readonly (readonly [string, ReadonlyMap<string, Uint8Array>, DealSpec, readonly number[]])[] = [
    ['session', recorded(REFRESH, {}, 'an earlier session'), REFRESH, [1, 2, 3, 4]],
    ['nonce', recorded(REFRESH, { change: { nonce: tagged('other nonce') } }), REFRESH, [2, 3, 4]],
    ['epoch', recorded(later), REFRESH, [2, 3, 4]],
    ['cluster', recorded(REFRESH, { change: { clusterContext: tagged('cluster', utf8('other')) } }), REFRESH, [2, 3, 4]],
    ['role (a new key)', recorded({ ...REFRESH, epoch: 0, dealingOf: () => ({ kind: 'create' }) }), REFRESH, [1, 2, 3, 4]],
    [
      'role (not a dealer)',
      recorded(reshareOf(shares, [3, 4, 5], [1, 2, 3, 4, 5], 3)),
      reshareOf(shares, [1, 2, 3], [1, 2, 3, 4, 5], 3),
      [1, 2, 3, 4],
    ],
    [
      'role (other dealers)',
      recorded(reshareOf(shares, [1, 2, 5], [1, 2, 3, 4, 5], 3)),
      reshareOf(shares, [1, 2, 3], [1, 2, 3, 4, 5], 3),
      [1, 2, 3, 4],
    ],
    [
      'previous key',
      recorded(refreshOf(runDeal({ ...REFRESH, epoch: 0, dealingOf: () => ({ kind: 'create' }) }, 'x').shares)),
      REFRESH,
      [2, 3, 4],
    ],
  ]
  for (const [what, sent, spec, rounds] of runs)
    it(`missing session id: each round of another ${what}, sent again by its author, gives no shares and names nobody honest`, () => {
      for (const round of rounds) {
        let replayed = 0
        const tamper = (m: InFlight) => {
          const body = m.from === 2 && m.round === round ? sent.get(slotOf(round, 2, m.to)) : undefined
          if (body !== undefined) replayed++
          return body ?? m.body
        }
        const outcome = runDeal(spec, SEED, { tamper })
        expect(replayed, `round ${round}`).to.be.greaterThan(0)
        expectNoOutput(outcome, others, [2])
        expect(
          others.every((j) => outcome.errors.has(j)),
          `round ${round}`,
        ).to.equal(true)
      }
    })

  it('missing session id: what one dealer said, said by another in the same run, gives no shares and names nobody honest', () => {
    for (const spec of [REFRESH, RESHARE]) {
      const sent = recorded(spec)
      for (const round of [1, 2, 3, 4]) {
        const tamper = (m: InFlight) => (m.from === 2 && m.round === round ? (sent.get(slotOf(round, 5, m.to)) ?? m.body) : m.body)
        expectNoOutput(runDeal(spec, SEED, { tamper }), [1, 3, 4, 8], [2])
      }
    }
  })

  it('missing session id: every message under another round or sender, and every message twice, is dropped and changes nothing', () => {
    const clean = runDeal(RESHARE, SEED)
    const rounds = (round: number) => [0, 1, 2, 3, 4, 5].filter((r) => r !== round && !(round === 1 && r === 3))
    const copies = (m: InFlight): InFlight[] => [
      ...rounds(m.round).map((round) => ({ ...m, round })),
      ...[0, m.to, 6, 9].map((from) => ({ ...m, from })),
      { ...m, body: m.body.subarray(1) },
      m,
    ]
    const noisy = runDeal(RESHARE, SEED, { inject: copies })
    expect(noisy.results).to.deep.equal(clean.results)
    expect(noisy.errors.size).to.equal(0)
  })

  it('missing session id: what a dealer without a seat says in round 4 changes nothing', () => {
    const clean = runDeal(RESHARE, SEED)
    const inject = (m: InFlight) => (m.round === 4 ? [{ ...m, from: 1 }] : [])
    expect(runDeal(RESHARE, SEED, { inject }).results).to.deep.equal(clean.results)
  })
})
