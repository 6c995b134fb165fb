import { type PartyId, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { isCertified, keyPublicHash, publicShareOf } from './key.ts'
import type { PairState } from './pair-state.ts'
import { type DealRun, identities, runDeal, runPair, runSign, testRequest } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { combined, expectRenewed, publicOf, refreshOf, reshareOf, scalarOf, subsets } from './testing/renewal.fixture.ts'
import { expectSignature, sha256 } from './testing/verify.fixture.ts'

const { shares } = keyOf(3, 5)
const key = publicOf(shares)
/** 3 of 5 to 4 of 7; 1 deals and has no seat, 6 does not take part. */
const wider = reshareOf(shares, [1, 3, 5], [2, 3, 4, 5, 7, 8, 9], 4)
const wide = runDeal(wider, 'wider')
const narrower = reshareOf(wide.shares, [3, 5, 8, 9], [1, 2, 5, 6, 9], 3)
const narrow = runDeal(narrower, 'narrower')

/** Fresh pair states among `quorum`, and a signature by it. */
function signedBy(run: DealRun, quorum: readonly PartyId[], message: Uint8Array) {
  const pairs = new Map(quorum.map((j) => [j, new Map<PartyId, PairState>()]))
  for (const [a, b] of subsets(quorum, 2) as readonly (readonly [PartyId, PartyId])[]) {
    const { results } = runPair(a, b, 'after a reshare')
    pairs.get(a)?.set(b, results.get(a) as PairState)
    pairs.get(b)?.set(a, results.get(b) as PairState)
  }
  const { results } = runSign({ shares: run.shares, pairs }, testRequest(quorum, { digest: sha256(message) }), 'after a reshare')
  return results.get(quorum[0] as PartyId)?.[0]
}

describe('reshare', () => {
  it('reshare: 3 of 5 to 4 of 7 to 3 of 5, with gaps between the indices, keeps the key and its chain code', () => {
    const middle = expectRenewed(wide, wider, key)
    expect([middle.origin, middle.dealers, middle.previous]).to.deep.equal(['reshare', [1, 3, 5], keyPublicHash(key)])
    const last = expectRenewed(narrow, narrower, middle)
    expect([last.publicKey, last.chainCode, last.epoch]).to.deep.equal([key.publicKey, key.chainCode, 2])
    expect(last.previous).to.deep.equal(keyPublicHash(middle))
  })

  it('reshare: t parties of the new committee sign, some of whom never dealt', () => {
    const message = utf8('after two reshares')
    const quorum = [2, 5, 6]
    expectSignature(key.publicKey, message, signedBy(narrow, quorum, message))
  })

  it('reshare: a dealer without a seat attests nothing, gets no share, and learns the certificate', () => {
    expect([...wide.results.keys()].sort()).to.deep.equal([1, 2, 3, 4, 5, 7, 8, 9])
    expect(wide.shares.has(1)).to.equal(false)
    const learnt = wide.results.get(1)
    expect(learnt).to.deep.equal(wide.results.get(9))
    expect(learnt?.attestations.map((a) => a.party)).to.deep.equal(wider.parties)
    expect(publicOf(wide.shares).sidParts).to.have.length(8)
  })

  it('reshare: the new committee does not wait for a dealer without a seat once it has dealt', () => {
    const { results } = runDeal(wider, 'wider', { tamper: (m) => (m.to === 1 && m.round === 3 ? undefined : m.body) })
    expect([...results.keys()].sort()).to.deep.equal(wider.parties)
  })

  it('reshare: a dealer without a seat that an attestation does not reach has no result', () => {
    const { results, sessions } = runDeal(wider, 'wider', {
      tamper: (m) => (m.to === 1 && m.from === 8 && m.round === 4 ? undefined : m.body),
    })
    expect(results.has(1)).to.equal(false)
    expect(sessions.get(1)?.waitingFor).to.deep.equal([8])
  })

  it('reshare: a certificate needs the new committee, and the dealers without a seat count for nothing', () => {
    const fresh = publicOf(wide.shares)
    const { attestations } = wide.results.get(3)!
    expect(isCertified(fresh, attestations, identities([1, ...wider.parties]))).to.equal(true)
    for (const missing of wider.parties) {
      const instead = attestations.map((a) => (a.party === missing ? { ...a, party: 1 } : a))
      expect(isCertified(fresh, instead, identities([1, ...wider.parties]))).to.equal(false)
    }
  })

  it('reshare: committees without a common party hand the key over', () => {
    const spec = reshareOf(shares, [1, 2, 4], [6, 7, 8, 9], 2)
    const run = runDeal(spec, 'strangers')
    expectRenewed(run, spec, key)
    expect([...run.results.keys()].sort()).to.deep.equal([1, 2, 4, 6, 7, 8, 9])
    expect(run.results.get(1)).to.deep.equal(run.results.get(6))
  })

  it('reshare: old and new shares do not work together', () => {
    for (const quorum of subsets([3, 4, 5, 2], 3))
      expect(combined(quorum.map((j, i) => [j, (i === 0 ? shares : wide.shares).get(j)]))).not.to.deep.equal(key.publicKey)
    expect(combined([1, 3, 5].map((j) => [j, shares.get(j)]))).to.deep.equal(key.publicKey)
  })

  describe('recover', () => {
    const spec = reshareOf(shares, [1, 2, 5], [1, 2, 3, 4, 5], 3)
    // Party 4 has lost its share, and 3 has one but is not needed; neither deals.
    const run = runDeal(spec, 'recover')

    it('recover: a party that lost its share gets one, and nobody else’s stays what it was', () => {
      const fresh = expectRenewed(run, spec, key)
      expect(publicShareOf(fresh, 4)).not.to.deep.equal(publicShareOf(key, 4))
      for (const quorum of [
        [1, 2, 4],
        [3, 4, 5],
      ])
        expect(combined(quorum.map((j) => [j, run.shares.get(j)]))).to.deep.equal(key.publicKey)
    })

    it('recover: the lost share, if it turns up at a thief, is worthless with those of the new epoch', () => {
      for (const helping of subsets([1, 2, 3, 5], 2)) {
        const mixed = [[4, shares.get(4)], ...helping.map((j) => [j, run.shares.get(j)])] as const
        expect(combined(mixed as never)).not.to.deep.equal(key.publicKey)
      }
    })

    it('recover: a refresh is possible again afterwards', () => {
      expectRenewed(runDeal(refreshOf(run.shares), 'afterwards'), refreshOf(run.shares), publicOf(run.shares))
    })
  })

  it('reshare: the same seed gives the same shares in any order of delivery', () => {
    for (const seed of ['a', 'b', 'c']) {
      const { results } = runDeal(wider, 'wider', { order: seededRandom(utf8(seed)) })
      expect(results, seed).to.deep.equal(wide.results)
    }
  })

  it('reshare: the shares of the dealers are the callers’ and stay as they were', () => {
    const x = scalarOf(shares.get(3))
    runDeal(wider, 'wider')
    expect(scalarOf(shares.get(3))).to.deep.equal(x)
  })
})
