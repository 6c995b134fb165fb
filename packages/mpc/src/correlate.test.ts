import { type PartyId, toHex } from '@conclave/core'
import { CorrelateConfirm, CorrelateOt, CorrelateVole, type OtExtension, type Vole } from '@conclave/wire'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import { addScalars, mulScalars } from './arithmetic.ts'
import { CORRELATE_MAX, CORRELATE_ROUNDS, type CorrelateContext, correlate, correlateSid } from './correlate.ts'
import { CORRELATION_BYTES, type Correlation, correlationName, productOf } from './correlation.ts'
import { of } from './protocol.ts'
import { Session } from './session.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { pairOf } from './testing/committee.ts'
import { COUNT, of3, pairAt, run, SEED, stops } from './testing/correlate.fixture.ts'
import { changed, inList } from './testing/items.ts'
import { runCorrelate } from './testing/pool.ts'
import { edit, flip, partyRandom, witness } from './testing/run.ts'

const OT = { number: 1, message: CorrelateOt } as const
const VOLE = { number: 2, message: CorrelateVole } as const
const CONFIRM = { number: 3, message: CorrelateConfirm } as const
const ENDS: readonly PartyId[] = [1, 3]
const hexes = (entries: readonly Correlation[]) => entries.map((e) => toHex(e.name))

describe('correlate', () => {
  it('correlate: both ends hold, under the same names, halves of the same products in both directions', () => {
    const { results, errors, sessions } = run()
    expect([...errors]).to.deep.equal([])
    const [low, high] = ENDS.map((j) => of(results, j)) as [readonly Correlation[], readonly Correlation[]]
    expect(hexes(low)).to.deep.equal(hexes(high))
    expect(new Set(hexes(low)).size).to.equal(COUNT)
    for (const [k, entry] of low.entries()) {
      const [a, b] = [productOf(entry), productOf(high[k] as Correlation)]
      expect(entry.secret.bytes).to.have.length(CORRELATION_BYTES)
      for (const c of [0, 1] as const) {
        expect(addScalars(a.t[c], b.r[c])).to.deep.equal(mulScalars(a.alpha[c], b.beta))
        expect(addScalars(b.t[c], a.r[c])).to.deep.equal(mulScalars(b.alpha[c], a.beta))
      }
    }
    for (const s of sessions.values()) expect(Object.values(s.dropped)).to.deep.equal([0, 0, 0, 0, 0])
  })

  it('correlate: equal names mean equal products: every part of a name is bound, and no two runs share one', () => {
    const names = [SEED, 'another run', 'a third'].flatMap((seed) => hexes(of(runCorrelate(1, 3, seed, 2).results, 1)))
    names.push(...hexes(of(runCorrelate(1, 2, SEED, 2).results, 1)))
    expect(new Set(names).size).to.equal(8)
    const nonce = new Uint8Array(32)
    const [low, high] = [0, 2].map((v) => ({ ot: new Uint8Array(32).fill(v), vole: new Uint8Array(32).fill(v + 1) })) as [
      Record<'ot' | 'vole', Uint8Array>,
      Record<'ot' | 'vole', Uint8Array>,
    ]
    const { public: pair } = pairAt(1)
    const all = [
      correlationName(pair, nonce, 0, low, high),
      correlationName({ ...pair, pairEpoch: 9 }, nonce, 0, low, high),
      correlationName(pair, flip(nonce), 0, low, high),
      correlationName(pair, nonce, 1, low, high),
      correlationName(pair, nonce, 0, high, low),
      correlationName(pair, nonce, 0, { ...low, ot: high.ot }, high),
      correlationName(pair, nonce, 0, { ...low, vole: high.ot }, high),
      correlationName(pair, nonce, 0, low, { ...high, ot: low.ot }),
      correlationName(pair, nonce, 0, low, { ...high, vole: low.ot }),
      correlationName(pair, nonce, 0, { ot: low.vole, vole: low.ot }, high),
    ]
    expect(new Set(all.map(toHex)).size).to.equal(all.length)
    // The other end describes the same pair the other way round.
    expect(correlationName(pairAt(3).public, nonce, 0, low, high)).to.deep.equal(all[0])
    expect(correlateSid(pairAt(3).public, nonce)).to.deep.equal(correlateSid(pair, nonce))
  })

  it('correlate: another pair state, nonce or number at one end stops both, names nobody and burns nothing', () => {
    const stale = { ...pairAt(3), public: { ...pairAt(3).public, pairEpoch: 0 } }
    for (const change of [{ pair: stale }, { nonce: new Uint8Array(32) }, { count: COUNT + 1 }, { count: COUNT - 1 }])
      expectAborts(runCorrelate(1, 3, SEED, COUNT, { change: (self) => (self === 3 ? change : {}) }), ENDS, 'CORRELATE_MISMATCH')
  })

  it('correlate: pairs of others, nonces of another length and numbers below 1 or above the most are refused before anything is said', () => {
    const begin = (change: Partial<CorrelateContext>) => {
      const context = { self: 1, peer: 3, pair: pairAt(1), nonce: new Uint8Array(32), count: 1, random: partyRandom('b', 1), ...change }
      const session = new Session({ self: 1, peers: [3], rounds: CORRELATE_ROUNDS, protocol: correlate(context) })
      return [session.start().length, session.error?.code]
    }
    expect(begin({})).to.deep.equal([1, undefined])
    expect(begin({ pair: pairAt(3) })).to.deep.equal([0, 'BAD_PARTY'])
    expect(begin({ pair: of(pairOf(1, 2), 1) })).to.deep.equal([0, 'BAD_PARTY'])
    for (const n of [0, 31, 33]) expect(begin({ nonce: new Uint8Array(n) })).to.deep.equal([0, 'BAD_NONCE'])
    for (const count of [0, -1, 0.5, Number.NaN, CORRELATE_MAX + 1]) expect(begin({ count })).to.deep.equal([0, 'BAD_BATCH'])
  })

  for (let k = 0; k < COUNT; k++) {
    it(`correlate: 3.1 an inconsistent OT extension of entry ${k} names the peer and burns`, () =>
      stops(
        edit(
          OT,
          of3,
          inList('ots', (ot: OtExtension) => ({ ...ot, checkHash: flip(ot.checkHash) }), k),
        ),
        'OT_CHECK',
        [3],
      ))

    it(`correlate: 4.1 an inconsistent VOLE message of entry ${k} names the peer and burns`, () =>
      stops(
        edit(
          VOLE,
          of3,
          inList('voles', (v: Vole) => ({ ...v, maskHash: flip(v.maskHash) }), k),
        ),
        'VOLE_CHECK',
        [3],
      ))

    it(`correlate: 0 a scalar of q or more in entry ${k} names the peer without burning`, () =>
      stops(
        edit(
          VOLE,
          of3,
          inList('voles', (v: Vole) => ({ ...v, mask: new Uint8Array(32).fill(255) }), k),
        ),
        'SIGN_MALFORMED',
        [3],
      ))
  }

  it('correlate: 0 too few or too many messages name the peer without burning, before anything is checked', () => {
    const spoiled = (ot: OtExtension) => ({ ...ot, checkHash: flip(ot.checkHash) })
    const bad = (v: Vole) => ({ ...v, maskHash: flip(v.maskHash) })
    const counts = [<V>(l: readonly V[]) => l.slice(1), <V>(l: readonly V[]) => [...l, ...l.slice(0, 1)]]
    for (const count of counts) {
      stops(
        edit(OT, of3, (m) => ({ ...m, ots: count(changed(m.ots, spoiled, 1)) })),
        'SIGN_MALFORMED',
        [3],
      )
      stops(
        edit(VOLE, of3, (m) => ({ voles: count(changed(m.voles, bad, 1)) })),
        'SIGN_MALFORMED',
        [3],
      )
    }
  })

  it('correlate: 4.c other names at the end name nobody, burn nothing and leave no entry', () =>
    stops(
      edit(CONFIRM, of3, (m) => ({ names: flip(m.names) })),
      'CORRELATE_UNCONFIRMED',
      [],
    ))

  it('correlate: when only the last message is lost, one end has the entries and the other waits', () => {
    const { results, sessions } = run((m) => (of3(m) && m.round === 3 ? undefined : m.body))
    expect([...results.keys()]).to.deep.equal([3])
    expect([sessions.get(1)?.state, sessions.get(1)?.waitingFor]).to.deep.equal(['running', [3]])
  })

  for (const stop of [1, 2, 3, 4])
    it(`correlate: inputs, choice bits and entries are wiped when the run ${stop < 4 ? `is stopped in round ${stop}` : 'ends'}`, () => {
      const seen = new Map(ENDS.map((j) => [j, witness(partyRandom('wipe', j))]))
      const outcome = runCorrelate(1, 3, SEED, COUNT, {
        change: (self) => ({ random: of(seen, self) }),
        tamper: (m) => (m.round >= stop ? undefined : m.body),
      })
      for (const j of ENDS) {
        outcome.sessions.get(j)?.abort(abortOf('CORRELATE_UNCONFIRMED'))
        const secret = of(seen, j).given.filter((b) => b.length !== 32)
        expect(secret).to.have.length(stop === 1 ? COUNT : 4 * COUNT)
        expect(secret.every((b) => b.every((v) => v === 0))).to.equal(true)
        // What is returned is the caller's.
        for (const { secret: kept } of outcome.results.get(j) ?? []) expect(kept.bytes.some((v) => v !== 0)).to.equal(true)
      }
      expect(outcome.results.size).to.equal(stop === 4 ? 2 : 0)
    })
})
