import { type PartyId, seededRandom, tagged, toHex, u32, utf8 } from '@conclave/core'
import { decode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import type { EcdsaSignature } from './ecdsa.ts'
import type { KeyPublic } from './key.ts'
import { of } from './protocol.ts'
import { sign } from './sign.ts'
import type { SignItem } from './sign-request.ts'
import { runSign, signerRandom, testRequest } from './testing/cluster.ts'
import { committee, keyOf } from './testing/committee.ts'
import { isWiped, TestPool } from './testing/pool.ts'
import { type InFlight, type RunOptions, witness } from './testing/run.ts'
import { expectSignature, sha256 } from './testing/verify.fixture.ts'

const THREE: readonly PartyId[] = [1, 3, 5]
const publicKey = () => (of(keyOf(3, 5).results, 1).public as KeyPublic).publicKey
const messageOf = (i: number) => utf8(`input ${i}`)
const itemsOf = (count: number): readonly SignItem[] =>
  Array.from({ length: count }, (_, i) => ({ digest: sha256(messageOf(i)), path: [] }))

type Kind = 'full' | 'pooled' | 'not expected' | 'not offered' | 'not held'
/** Every way in which one pair can come to its multiplications, and the rounds beyond the four that it takes. */
const KINDS: readonly (readonly [Kind, readonly number[]])[] = [
  ['full', []],
  ['pooled', []],
  ['not expected', [5]],
  ['not offered', [5]],
  ['not held', [5, 6]],
]

/** Puts the stocks of two parties into a state that leads to `kind`. */
function stock(pool: TestPool, kind: Kind, low: PartyId, high: PartyId, count: number): void {
  const seed = `${kind}/${count}`
  if (kind === 'pooled') pool.fill(low, high, seed, count)
  if (kind === 'not expected' || kind === 'not held') pool.fill(low, high, seed, count, [low])
  if (kind === 'not offered') pool.fill(low, high, seed, count, [high])
  if (kind === 'not held') pool.fill(low, high, `${seed}/another run`, count, [high])
}

/** Signs with three parties whose pairs are of these kinds; everybody ends with one valid signature for each item. */
function signed(kinds: readonly [Kind, Kind, Kind], count: number, options: RunOptions = {}) {
  const pool = new TestPool()
  stock(pool, kinds[0], 1, 3, count)
  stock(pool, kinds[1], 1, 5, count)
  stock(pool, kinds[2], 3, 5, count)
  const sent: InFlight[] = []
  const request = testRequest(THREE, { items: itemsOf(count) })
  const outcome = runSign(committee(3, 5, THREE), request, 'pool', {
    ...pool.options(THREE, count),
    watch: (m) => sent.push(m),
    ...options,
  })
  expect([...outcome.errors.values()].map((e) => e.code)).to.deep.equal([])
  const results = THREE.map((j) => of(outcome.results, j))
  for (const other of results) expect(other).to.deep.equal(results[0])
  expect(results[0]).to.have.length(count)
  for (const [i, made] of (results[0] as readonly EcdsaSignature[]).entries()) expectSignature(publicKey(), messageOf(i), made)
  return { pool, sent, results: results[0] as readonly EcdsaSignature[] }
}

const roundsOf = (sent: readonly InFlight[], a: PartyId, b: PartyId) =>
  [...new Set(sent.filter((m) => (m.from === a && m.to === b) || (m.from === b && m.to === a)).map((m) => m.round))].sort()

describe('sign pool', () => {
  for (const [kind, extra] of KINDS)
    for (const count of [1, 2])
      it(`sign pool: ${count} items, every pair ${kind}: valid signatures in rounds 1 to 4${extra.map((r) => ` and ${r}`).join('')}`, () => {
        const { sent, pool } = signed([kind, kind, kind], count)
        for (const [a, b] of [
          [1, 3],
          [1, 5],
          [3, 5],
        ] as const) {
          expect(roundsOf(sent, a, b)).to.deep.equal([1, 2, 3, 4, ...extra])
          // What was offered or named is gone, at whichever end it was, whatever became of it.
          expect(pool.size(a, b)).to.equal(0)
          expect(pool.size(b, a)).to.equal(kind === 'not offered' || kind === 'not held' ? count : 0)
        }
        expect(pool.left.every(({ entry }) => isWiped(entry))).to.equal(true)
      })

  for (const [one] of KINDS)
    for (const [other] of KINDS)
      if (one !== other)
        it(`sign pool: one pair ${one}, one ${other} and one of each other kind in turn, in one session, in any order of delivery`, () => {
          const third = KINDS[(KINDS.findIndex(([k]) => k === one) + 2) % KINDS.length]?.[0] as Kind
          const { results, sent } = signed([one, other, third], 1)
          const again = signed([one, other, third], 1, { order: seededRandom(utf8(`${one}${other}`)) })
          expect(again.results).to.deep.equal(results)
          const extra = (kind: Kind) => KINDS.find(([k]) => k === kind)?.[1] ?? []
          expect(roundsOf(sent, 1, 3)).to.deep.equal([1, 2, 3, 4, ...extra(one)])
          expect(roundsOf(sent, 1, 5)).to.deep.equal([1, 2, 3, 4, ...extra(other)])
        })

  it('sign pool: with the pool the messages of a signature, with what a link adds, are a fiftieth of those without', () => {
    // 44 bytes: session id, party, round and the fields around them.
    const bytes = (sent: readonly InFlight[]) => sent.reduce((sum, m) => sum + m.body.length + 44, 0)
    const [full, pooled] = [bytes(signed(['full', 'full', 'full'], 1).sent), bytes(signed(['pooled', 'pooled', 'pooled'], 1).sent)]
    expect(pooled).to.be.below(5_000)
    expect(full).to.be.below(550_000)
    expect(full / pooled).to.be.above(50)
  })

  it('sign pool: a stock serves one session after the other, each entry once', () => {
    const pool = new TestPool()
    for (const [a, b] of [
      [1, 3],
      [1, 5],
      [3, 5],
    ] as const)
      pool.fill(a, b, 'several', 3)
    const offered: string[] = []
    const rounds = new Set<number>()
    for (let attempt = 0; attempt < 4; attempt++) {
      const watch = (m: InFlight) => {
        rounds.add(m.round)
        if (m.round === 1) offered.push(...decode(SignCommit, m.body).offer.map(toHex))
      }
      const request = testRequest(THREE, { attempt, items: itemsOf(1) })
      const { errors } = runSign(committee(3, 5, THREE), request, `several ${attempt}`, { ...pool.options(THREE), watch })
      expect(errors.size).to.equal(0)
    }
    // Three sessions with the pool and one without.
    expect(offered).to.have.length(9)
    expect(new Set(offered).size).to.equal(9)
    expect([...rounds].sort()).to.deep.equal([1, 2, 3, 4])
  })

  for (const stop of [1, 2, 3, 4, 5])
    it(`sign pool: entries are wiped at both ends when the run ${stop < 5 ? `is stopped in round ${stop}` : 'ends'}`, () => {
      const pool = new TestPool()
      pool.fill(1, 3, 'wipe', 2)
      const seen = new Map([1, 3].map((j) => [j, witness(signerRandom('wipe', j))]))
      const request = testRequest([1, 3], { items: itemsOf(2) })
      const outcome = runSign(committee(2, 3, [1, 3]), request, 'wipe', {
        ...pool.options([1, 3], 2),
        deviants: new Map([1, 3].map((j) => [j, (ctx) => sign({ ...ctx, random: of(seen, j) })])),
        tamper: (m) => (m.round >= stop ? undefined : m.body),
      })
      for (const j of [1, 3]) outcome.sessions.get(j)?.abort(abortOf('SIGN_ECHO'))
      // Until it is named, an entry of the higher index is the stock's.
      expect(pool.left).to.have.length(stop === 1 ? 2 : 4)
      expect(pool.left.every(({ entry }) => isWiped(entry))).to.equal(true)
      for (const j of [1, 3]) {
        // Nothing but two scalars and a public salt for each item is drawn.
        const lengths = of(seen, j).given.map((b) => b.length)
        expect(lengths).to.deep.equal([48, 48, 32, 48, 48, 32])
        expect(
          of(seen, j)
            .given.filter((b) => b.length === 48)
            .every((b) => b.every((v) => v === 0)),
        ).to.equal(true)
      }
    })

  it('sign pool: offers to the lower index or of a stranger, too few or too many, one entry twice, and expectations of the higher index are refused before anything is said', () => {
    const pool = new TestPool()
    pool.fill(1, 3, 'refused', 2)
    const request = testRequest([1, 3], { items: itemsOf(2) })
    const start = (self: PartyId, offers: ReadonlyMap<PartyId, number>, stocked: readonly PartyId[], repeat = false) => {
      const [first, second] = pool.look(self, 4 - self)
      const some = (n: number) => Array.from({ length: n }, (_, i) => (i % 2 === 0 || repeat ? first : second) as NonNullable<typeof first>)
      const brought = { offers: new Map([...offers].map(([j, n]) => [j, some(n)])), stocked: new Set(stocked) }
      const said: InFlight[] = []
      const options = { pool: (j: PartyId) => (j === self ? brought : NOTHING), watch: (m: InFlight) => m.from === self && said.push(m) }
      const { errors } = runSign(committee(2, 3, [1, 3]), request, 'refused', options)
      return [errors.get(self)?.code, said.length]
    }
    for (const [self, offers, stocked, repeat] of [
      [3, new Map([[1, 2]]), [], false],
      [1, new Map([[2, 2]]), [], false],
      [1, new Map([[1, 2]]), [], false],
      [1, new Map([[3, 1]]), [], false],
      [1, new Map([[3, 3]]), [], false],
      [1, new Map([[3, 0]]), [], false],
      [1, new Map([[3, 2]]), [], true],
      [1, new Map(), [3], false],
      [3, new Map(), [2], false],
      [3, new Map(), [3], false],
    ] as const)
      expect(start(self, offers, stocked, repeat), `${self} ${[...offers]} ${stocked}`).to.deep.equal(['BAD_OFFER', 0])
  })

  it('sign pool: the nonce of a pooled session depends on no entry, and two sessions have two nonces', () => {
    const seeds = ['a', 'b'].map((seed) => {
      const pool = new TestPool()
      pool.fill(1, 3, 'same entries', 1)
      const request = testRequest([1, 3], { requestId: tagged('r', u32(seed.length)) })
      const { results } = runSign(committee(2, 3, [1, 3]), request, seed, pool.options([1, 3]))
      return toHex((of(results, 1)[0] as EcdsaSignature).signature.subarray(0, 32))
    })
    expect(new Set(seeds).size).to.equal(2)
  })
})

const NOTHING = { offers: new Map(), stocked: new Set<PartyId>() }
