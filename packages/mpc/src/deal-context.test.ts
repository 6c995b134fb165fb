import { type PartyId, tagged } from '@conclave/core'
import { expect } from 'chai'
import { DEAL_ROUNDS, deal } from './deal.ts'
import type { DealContext, Dealing } from './deal-context.ts'
import { Session } from './session.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { type DealSpec, dealContext, identities, runDeal, runDkg } from './testing/cluster.ts'
import { keyOf } from './testing/committee.ts'
import { publicOf, refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import type { InFlight } from './testing/run.ts'
import { q } from './testing/scalars.fixture.ts'

const SEED = 'deal context'

const { shares } = keyOf(3, 5)
const key = publicOf(shares)
const REFRESH = refreshOf(shares)
/** 1 deals without a seat; 3, 4 and 8 have a seat and do not deal. */
const RESHARE = reshareOf(shares, [1, 2, 5], [2, 3, 4, 5, 8], 3)

/** The code with which party 1 refuses to begin; it must say nothing. */
function refusedBy(spec: DealSpec, change: Partial<DealContext>, self = 1): string | undefined {
  const protocol = deal({ ...dealContext(spec, SEED, self), identities: identities([1, 2, 3, 4, 5, 6, 7, 8, 9]), ...change })
  const session = new Session({ self, peers: [9], rounds: DEAL_ROUNDS, protocol })
  expect(session.start()).to.deep.equal([])
  return session.error?.code
}
const refreshing = (self: PartyId) => REFRESH.dealingOf(self) as Dealing & { readonly kind: 'refresh' }
const resharing = (self: PartyId) => RESHARE.dealingOf(self) as Dealing & { readonly kind: 'reshare' }

describe('deal context', () => {
  it('refresh threshold downgrade: a refresh that is asked for another t is refused before anything is sent', () => {
    for (const threshold of [2, 4, 5]) expect(refusedBy(REFRESH, { threshold })).to.equal('BAD_REFRESH')
    for (const threshold of [0, 1, 6]) expect(refusedBy(REFRESH, { threshold })).to.equal('BAD_THRESHOLD')
    for (const parties of [
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 6],
      [1, 2, 3, 4, 5, 6],
    ])
      expect(refusedBy(REFRESH, { parties }), String(parties)).to.equal('BAD_REFRESH')
  })

  describe('index 0, q, i + q, duplicate', () => {
    const BAD: readonly (readonly number[])[] = [
      [0, 1, 2],
      [1, 1, 2],
      [1, 2, 2],
      [1, 2, 10],
      [1, 2, Number(q)],
      [1, 2, 1 + Number(q)],
      [1, 2, -1],
      [1, 2, 2.5],
    ]
    it('index 0, q, i + q, duplicate: refused in a committee', () => {
      for (const parties of BAD)
        for (const spec of [REFRESH, RESHARE])
          expect(refusedBy(spec, { parties }), String(parties)).to.be.oneOf(['BAD_PARTY', 'BAD_PARTY_SET'])
    })

    it('index 0, q, i + q, duplicate: refused among the dealers', () => {
      for (const dealers of [...BAD, [2, 1, 5], [1, 2], [1, 2, 3, 5], [1, 2, 8]])
        expect(refusedBy(RESHARE, { dealing: { ...resharing(1), dealers } }), String(dealers)).to.be.oneOf([
          'BAD_PARTY',
          'BAD_PARTY_SET',
          'BAD_RESHARE',
        ])
    })

    it('index 0, q, i + q, duplicate: refused in the key that is dealt from', () => {
      for (const parties of BAD) {
        const previous = { ...key, parties: [...parties, 3, 4].slice(0, 5) }
        expect(refusedBy(REFRESH, { dealing: { ...refreshing(1), previous } })).to.be.oneOf(['BAD_PARTY', 'BAD_PARTY_SET', 'BAD_KEY'])
      }
    })

    it('index 0, q, i + q, duplicate: a subshare that is not below q names the dealer (1.7)', () => {
      const tamper = (m: InFlight) =>
        m.round === 3 && m.from === 2 && m.to === 4
          ? Uint8Array.from([...m.body.subarray(0, 2), ...Buffer.from(q.toString(16), 'hex'), ...m.body.subarray(34)])
          : m.body
      for (const spec of [REFRESH, RESHARE]) expectAborts(runDeal(spec, SEED, { tamper }), [4], 'DEAL_BAD_SUBSHARE', [2])
    })
  })

  describe('what a dealing starts from', () => {
    it('what a dealing starts from: another key, an epoch that is not later, or a bad public half is refused', () => {
      for (const [spec, dealing] of [
        [REFRESH, refreshing(1)],
        [RESHARE, resharing(1)],
      ] as const) {
        expect(refusedBy(spec, { keyId: 'other-key' })).to.equal('BAD_KEY')
        for (const epoch of [0, -1, 0.5, 2 ** 32, Number.NaN]) expect(refusedBy(spec, { epoch }), String(epoch)).to.equal('BAD_EPOCH')
        const same = { ...dealing.previous, origin: 'reshare', epoch: 1, previous: tagged('x') }
        expect(refusedBy(spec, { dealing: { ...dealing, previous: same } })).to.equal('BAD_EPOCH')
        const wrong = { ...dealing.previous, publicKey: dealing.previous.publicShares[0] as Uint8Array }
        expect(refusedBy(spec, { dealing: { ...dealing, previous: wrong } })).to.equal('BAD_KEY')
      }
      expect(refusedBy(REFRESH, { dealing: { kind: 'create' } })).to.equal('BAD_EPOCH')
    })

    it('what a dealing starts from: the share of another party, key or epoch is refused', () => {
      const later = runDeal(REFRESH, SEED).shares
      const foreign = runDkg([1, 2, 3, 4, 5], 3, 'foreign').shares
      for (const share of [shares.get(2), later.get(1), foreign.get(1)]) {
        const given = share as NonNullable<typeof share>
        expect(refusedBy(REFRESH, { dealing: { ...refreshing(1), share: given } })).to.equal('BAD_KEY')
        expect(refusedBy(RESHARE, { dealing: { ...resharing(1), share: given } })).to.equal('BAD_KEY')
      }
      const mixed = { ...(later.get(1) as NonNullable<ReturnType<typeof shares.get>>), public: key }
      expect(refusedBy(REFRESH, { dealing: { ...refreshing(1), share: mixed } })).to.equal('BAD_KEY')
    })

    it('what a dealing starts from: a dealer needs a share, and nobody else has one', () => {
      expect(refusedBy(RESHARE, { dealing: { ...resharing(1), share: undefined } })).to.equal('BAD_RESHARE')
      expect(refusedBy(RESHARE, { dealing: { ...resharing(3), share: shares.get(3) } }, 3)).to.equal('BAD_RESHARE')
    })

    it('what a dealing starts from: a party that neither deals nor has a seat takes no part', () => {
      expect(refusedBy(reshareOf(shares, [1, 2, 5], [6, 7, 8], 2), {}, 3)).to.equal('BAD_PARTY_SET')
      expect(refusedBy(REFRESH, { identities: new Map() })).to.equal('BAD_COMMITTEE')
      expect(refusedBy(REFRESH, { clusterContext: new Uint8Array(31) })).to.equal('BAD_COMMITTEE')
    })
  })
})
