import { type PartyId, seededRandom, tagged, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import { deal } from './deal.ts'
import { type DealContext, quorumOf } from './deal-context.ts'
import { certificateHash, keyPublicHash } from './key.ts'
import type { PairState } from './pair-state.ts'
import { of } from './protocol.ts'
import { dealContext, dealerRandom, runDeal, runPair, runSign, testRequest } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { combined, expectRenewed, publicOf, refreshOf, scalarOf, subsets } from './testing/renewal.fixture.ts'
import { witness } from './testing/run.ts'
import { expectSignature, sha256 } from './testing/verify.fixture.ts'

const { shares } = keyOf(3, 5)
const key = publicOf(shares)
const PARTIES = [1, 2, 3, 4, 5]
const run = runDeal(refreshOf(shares), 'refresh')

describe('refresh', () => {
  it('refresh: the key and its chain code stay, every share changes, and the certificate names what it came from', () => {
    const fresh = expectRenewed(run, refreshOf(shares), key)
    expect([...run.results.keys()]).to.deep.equal(PARTIES)
    expect([fresh.origin, fresh.dealers, fresh.previous]).to.deep.equal(['refresh', PARTIES, keyPublicHash(key)])
    expect(fresh.sidParts).to.have.length(5)
  })

  it('refresh: shares of the old and the new epoch do not work together', () => {
    for (const quorum of subsets(PARTIES, 3)) {
      expect(combined(quorum.map((j) => [j, run.shares.get(j)]))).to.deep.equal(key.publicKey)
      for (let old = 1; old < 3; old++) {
        const mixed = quorum.map((j, i) => [j, (i < old ? shares : run.shares).get(j)] as const)
        expect(combined(mixed), `${quorum}, ${old} old`).not.to.deep.equal(key.publicKey)
      }
    }
  })

  it('refresh: it can be done again and again', () => {
    const again = runDeal(refreshOf(run.shares), 'again')
    expectRenewed(again, refreshOf(run.shares), publicOf(run.shares))
    expect(publicOf(again.shares).epoch).to.equal(2)
  })

  it('refresh: any t parties sign afterwards, over fresh pair states', () => {
    const two = keyOf(2, 3)
    const fresh = runDeal(refreshOf(two.shares), 'sign').shares
    const message = utf8('after a refresh')
    for (const [a, b] of subsets([1, 2, 3], 2) as readonly (readonly [PartyId, PartyId])[]) {
      const ends = runPair(a, b, 'after a refresh').results
      const pairs = new Map([
        [a, new Map([[b, ends.get(a) as PairState]])],
        [b, new Map([[a, ends.get(b) as PairState]])],
      ])
      const { results } = runSign({ shares: fresh, pairs }, testRequest([a, b], { digest: sha256(message) }), 'after a refresh')
      expectSignature(publicOf(two.shares).publicKey, message, results.get(a)?.[0])
    }
  })

  it('refresh: the same seed gives the same shares in any order of delivery', () => {
    for (const seed of ['a', 'b', 'c']) {
      const other = runDeal(refreshOf(shares), 'refresh', { order: seededRandom(utf8(seed)) })
      expect(other.results.get(1), seed).to.deep.equal(run.results.get(1))
    }
  })

  it('refresh: a key of one cluster lock is refreshed under the next, and both certificates stand', () => {
    const clusterContext = tagged('cluster', utf8('the next lock'))
    const moved = runDeal(refreshOf(shares), 'moved', { change: { clusterContext } })
    const fresh = expectRenewed(moved, refreshOf(shares), key)
    expect(fresh.clusterContext).to.deep.equal(clusterContext)
    expect(key.clusterContext).not.to.deep.equal(clusterContext)
  })

  it('refresh: the certificate binds the key id, both epochs and the transcript', () => {
    const fresh = publicOf(run.shares)
    const hashes = [
      fresh,
      { ...fresh, keyId: 'other' },
      { ...fresh, epoch: 2 },
      { ...fresh, previousEpoch: 1 },
      { ...fresh, previous: tagged('other') },
      { ...fresh, transcript: tagged('other') },
      { ...fresh, origin: 'reshare' },
    ].map((k) => Buffer.from(certificateHash(k)).toString('hex'))
    expect(new Set(hashes).size).to.equal(hashes.length)
  })

  it('refresh: the old share is the caller’s and stays as it was', () => {
    const x = scalarOf(shares.get(2))
    runDeal(refreshOf(shares), 'untouched')
    expect(scalarOf(shares.get(2))).to.deep.equal(x)
  })

  for (const stop of [1, 2, 3, 4, 5])
    it(`refresh: coefficients are wiped when the run ${stop < 5 ? `is stopped in round ${stop}` : 'ends'}`, () => {
      const seen = new Map(PARTIES.map((j) => [j, witness(dealerRandom('wipe', j))]))
      const watched = (ctx: DealContext) => deal({ ...ctx, random: of(seen, ctx.self) })
      const outcome = runDeal(refreshOf(shares), 'wipe', {
        deviants: new Map(PARTIES.map((j) => [j, watched])),
        tamper: (m) => (m.round >= stop ? undefined : m.body),
      })
      for (const j of PARTIES) {
        outcome.sessions.get(j)?.abort(abortOf('DEAL_ECHO_COMMIT'))
        const secret = of(seen, j).given.filter((b) => b.length === 48)
        expect(secret.length).to.equal(stop === 1 ? 2 : 4)
        expect(secret.every((b) => b.every((v) => v === 0))).to.equal(true)
      }
    })

  it('refresh: everybody of the committee takes part', () => {
    expect(quorumOf(dealContext(refreshOf(shares), 'refresh', 1))).to.deep.equal(PARTIES)
  })
})
