import { type PartyId, ProtocolAbort, SecretBytes, toHex } from '@conclave/core'
import { decode, encode, type MessageField, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import fc from 'fast-check'
import type { AbortCode } from './abort.ts'
import { CORRELATION_BYTES, type Correlation } from './correlation.ts'
import type { Entries } from './protocol.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import type { SignOptions } from './testing/cluster.ts'
import { TestPool } from './testing/pool.ts'
import { PAIRS, ROUNDS, run, stocked, THREE, to } from './testing/pool-lies.fixture.ts'
import { always } from './testing/property.fixture.ts'
import { edit, type InFlight, type Tamper } from './testing/run.ts'

describe('sign pool stock', () => {
  const offer = (victim: PartyId, names: (m: SignCommit) => readonly Uint8Array[]) =>
    edit({ number: 1, message: SignCommit }, to(victim), (m) => ({ ...m, offer: names(m) }))
  const results = (outcome: ReturnType<typeof run>) => THREE.filter((j) => outcome.results.has(j))

  it('sign pool stock: names of entries that were never made, of another pair, and that have left the stock lead to the full protocol and to signatures', () => {
    const others = new TestPool()
    others.fill(1, 5, 'of another pair', 2)
    const gone = stocked('gone')
    const used: Uint8Array[] = []
    run(gone, { watch: (m) => to(5)(m) && m.round === 1 && used.push(...decode(SignCommit, m.body).offer) })
    expect(used).to.have.length(2)
    const strange = [new Uint8Array(32), new Uint8Array(32).fill(1)]
    for (const names of [strange, others.look(1, 5).map((e) => e.name), used]) {
      const pool = stocked('stock')
      // What party 5 shares with party 1 has another owner, even when it holds the entry that is named.
      pool.fill(1, 5, 'of another pair', 2, [5])
      const outcome = run(pool, { tamper: offer(5, () => names) })
      expect([...outcome.errors.values()].map((e) => e.code)).to.deep.equal([])
      expect(results(outcome)).to.deep.equal(THREE)
      expect(pool.size(5, 3)).to.equal(2)
    }
  })

  it('sign pool stock: names in another order than they are used in are found by 5.3 at the higher index, which names the lower one', () => {
    const outcome = run(stocked('order'), { tamper: offer(5, (m) => [...m.offer].reverse()) })
    expectAborts(outcome, [5], 'SIGN_NONCE_PRODUCT', [3])
    expect(outcome.errors.get(1)?.code).to.equal(undefined)
  })

  it('sign pool stock: names that two sessions have exchanged are found by 5.3 in each, and both are gone from the stock', () => {
    const pool = new TestPool()
    for (const [a, b] of PAIRS) pool.fill(a, b, 'exchanged', 4)
    const second = pool
      .look(3, 5)
      .slice(2)
      .map((e) => e.name)
    const first = pool
      .look(3, 5)
      .slice(0, 2)
      .map((e) => e.name)
    expectAborts(run(pool, { tamper: offer(5, () => second) }), [5], 'SIGN_NONCE_PRODUCT', [3])
    // A second session that runs at the same time.
    expectAborts(run(pool, { tamper: offer(5, () => first) }, { attempt: 1 }), [5], 'SIGN_NONCE_PRODUCT', [3])
    expect(pool.size(5, 3)).to.equal(0)
  })

  it('sign pool stock: an entry that is offered in two sessions serves one, and leaves the stock of the other end once', () => {
    const pool = stocked('twice')
    const kept = pool.look(3, 5).map(({ name, secret }) => ({ name, bytes: secret.bytes.slice() }))
    const copies = () => kept.map(({ name, bytes }) => ({ name, secret: new SecretBytes(bytes.slice()) }))
    const bringing: SignOptions['pool'] = (self) =>
      self === 3 ? { offers: new Map([[5, copies()]]), stocked: new Set() } : pool.bring(self, THREE, 2)
    const lateRounds = [0, 1].map((attempt) => {
      const seen = new Set<number>()
      const watch = (m: InFlight) => m.from + m.to === 8 && m.round > 4 && seen.add(m.round)
      expect(results(run(pool, { pool: bringing, watch }, { attempt }))).to.deep.equal(THREE)
      return [...seen]
    })
    expect(lateRounds).to.deep.equal([[], [5]])
    const left = pool.left.filter((l) => l.self === 5 && kept.some(({ name }) => toHex(name) === toHex(l.entry.name)))
    expect(left).to.have.length(2)
    expect(pool.size(5, 3)).to.equal(0)
  })

  it('sign pool stock: a higher index that uses other entries than were named is found by 5.3 and named', () => {
    const pool = stocked('other')
    const other = new TestPool()
    other.fill(1, 3, 'other entries', 2)
    const take = (self: PartyId, names: ReadonlyMap<PartyId, readonly Uint8Array[]>): Entries => {
      const found = pool.take(self, names)
      if (self !== 3) return found
      const wrong = other.look(3, 1).map((entry, i) => ({ ...entry, name: names.get(1)?.[i] as Uint8Array }))
      return new Map([...found, [1, wrong]])
    }
    expectAborts(run(pool, { take }), [1], 'SIGN_NONCE_PRODUCT', [3])
  })

  it('sign pool stock: a higher index that holds the entries and denies it gets the full protocol and the signatures', () => {
    const pool = stocked('denies')
    const take = (self: PartyId, names: ReadonlyMap<PartyId, readonly Uint8Array[]>) => (self === 3 ? new Map() : pool.take(self, names))
    expect(results(run(pool, { take }))).to.deep.equal(THREE)
    expect(pool.size(1, 3)).to.equal(0)
  })

  it('sign pool stock: a stock that hands over too few entries, or others than were asked for, counts as empty', () => {
    for (const wrong of [
      (found: readonly Correlation[]) => found.slice(1),
      (found: readonly Correlation[]) => [...found].reverse(),
      () => [],
    ]) {
      const pool = stocked('stock')
      const take = (self: PartyId, names: ReadonlyMap<PartyId, readonly Uint8Array[]>) =>
        new Map([...pool.take(self, names)].map(([j, found]) => [j, wrong(found)]))
      expect(results(run(pool, { take }))).to.deep.equal(THREE)
    }
  })

  /** What party 3 may do to one list of one of its messages. */
  const OPS = ['empty', 'cut', 'repeat', 'reverse', 'of another'] as const
  const lie = fc.record({
    round: fc.constantFrom(1, 1, 2, 2, 5, 6),
    victim: fc.constantFrom<PartyId>(1, 5),
    field: fc.constantFrom('offer', 'ots', 'voles', 'commitments'),
    op: fc.constantFrom(...OPS),
  })
  const kinds = fc.tuple(...PAIRS.map(([a, b]) => fc.constantFrom<readonly PartyId[]>([], [a], [b], [a, b], [a, b])))

  it('sign pool stock: no lie about the pool makes an honest party name or burn an honest one, and every entry leaves a stock once', () => {
    const codes = new Set<AbortCode | undefined>()
    always(
      fc.property(kinds, fc.array(lie, { minLength: 1, maxLength: 2 }), (keeps, lies) => {
        const pool = stocked('lies', (a, b) => keeps[PAIRS.findIndex(([x, y]) => x === a && y === b)] ?? [])
        const heard: InFlight[] = []
        const tamper: Tamper = (m) =>
          lies.reduce((body, l) => (to(l.victim)(m) && m.round === l.round ? tell(l, body, m, heard) : body), m.body)
        const outcome = run(pool, { tamper, watch: (m) => heard.push(m) })
        for (const j of [1, 5]) {
          const error = outcome.errors.get(j)
          codes.add(error?.code as AbortCode | undefined)
          if (error === undefined) continue
          expect(error, String(error.cause)).to.be.instanceOf(ProtocolAbort)
          for (const culprit of (error as ProtocolAbort).culprits) expect(culprit).to.equal(3)
        }
        const left = pool.left.map(({ self, entry }) => `${self} ${toHex(entry.name)}`)
        expect(new Set(left).size).to.equal(left.length)
        for (const [a, b] of PAIRS)
          for (const entry of [...pool.look(a, b), ...pool.look(b, a)]) expect(entry.secret.bytes).to.have.length(CORRELATION_BYTES)
      }),
      { numRuns: 60 },
    )
    expect([...codes])
      .to.include('SIGN_MALFORMED')
      .and.include(undefined)
  })

  function tell(
    { round, field, op }: { round: number; field: string; op: (typeof OPS)[number] },
    body: Uint8Array,
    m: InFlight,
    heard: readonly InFlight[],
  ) {
    const type = ROUNDS[round] as MessageField
    const value = decode(type, body) as unknown as Record<string, readonly unknown[]>
    const list = value[field]
    if (list === undefined) return body
    const other = heard.find((h) => h.round === round && (h.from !== m.from || h.to !== m.to))
    const foreign = other === undefined ? list : (decode(type, other.body) as unknown as typeof value)[field]
    const told = { empty: [], cut: list.slice(1), repeat: [...list, ...list], reverse: [...list].reverse(), 'of another': foreign }[op]
    try {
      return encode(type, { ...value, [field]: told } as never)
    } catch {
      // Not a message at all: the party says what it would have said.
      return body
    }
  }
})
