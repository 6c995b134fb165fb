import type { PartyId } from '@conclave/core'
import {
  decode,
  type MessageField,
  type OtExtension,
  SignCommit,
  SignLate,
  SignOpen,
  SignPartial,
  SignVole,
  type ValueOf,
  type Vole,
} from '@conclave/wire'
import { expect } from 'chai'
import { burnsPairs } from './abort.ts'
import { expectAborts } from './testing/claims.fixture.ts'
import { changed, inList } from './testing/items.ts'
import { TestPool } from './testing/pool.ts'
import { run, stocked, to } from './testing/pool-lies.fixture.ts'
import { edit, flip, type Tamper } from './testing/run.ts'

/** Party 3 lies to `victim`, which stops, names it, and has burned nothing. */
function malformed(pool: TestPool, victim: PartyId, tamper: Tamper): void {
  expectAborts(run(pool, { tamper }), [victim], 'SIGN_MALFORMED', [3])
  expect(burnsPairs('SIGN_MALFORMED')).to.equal(false)
}

/** Party 3's message of `round` to `victim` in a run with these stocks. */
function saidBy3<M extends MessageField>(pool: TestPool, round: number, message: M, victim: PartyId): ValueOf<M> {
  let body: Uint8Array | undefined
  run(pool, {
    watch: (m) => {
      if (to(victim)(m) && m.round === round) body = m.body
    },
  })
  return decode(message, body as Uint8Array)
}

/** Only one pair has entries, at one end. */
const stockedBut = (low: PartyId, high: PartyId, keep: readonly PartyId[]) =>
  stocked('late', (a, b) => (a === low && b === high ? keep : []))

/** The ends of one pair have different entries; no other pair has any. */
function notHeld(low: PartyId, high: PartyId): TestPool {
  const pool = stockedBut(low, high, [low])
  pool.fill(low, high, 'other entries', 2, [high])
  return pool
}
const badOt = (ot: OtExtension): OtExtension => ({ ...ot, checkHash: flip(ot.checkHash) })
const badVole = (v: Vole): Vole => ({ ...v, maskHash: flip(v.maskHash) })

describe('sign pool lies', () => {
  const commit = (victim: PartyId, change: (m: SignCommit) => SignCommit) => edit({ number: 1, message: SignCommit }, to(victim), change)
  const vole = (victim: PartyId, change: (m: SignVole) => SignVole) => edit({ number: 2, message: SignVole }, to(victim), change)
  const late = (victim: PartyId, change: (m: ValueOf<typeof SignLate>) => ValueOf<typeof SignLate>, number = 5) =>
    edit({ number, message: SignLate }, to(victim), change)
  let full: SignCommit
  let answered: SignVole
  before(() => {
    full = saidBy3(new TestPool(), 1, SignCommit, 5)
    answered = saidBy3(new TestPool(), 2, SignVole, 5)
  })

  for (const [what, change] of [
    ['one name too few', (m) => ({ ...m, offer: m.offer.slice(1) })],
    ['one name too many', (m) => ({ ...m, offer: [...m.offer, new Uint8Array(32)] })],
    ['one name twice', (m) => ({ ...m, offer: changed(m.offer, () => m.offer[1] as Uint8Array) })],
    ['nothing at all', (m) => ({ ...m, offer: [] })],
    ['OT messages as well', (m) => ({ ...m, ots: full.ots })],
    ['one OT message in the place of an offer', (m) => ({ ...m, offer: [], ots: full.ots.slice(1) })],
    ['one commitment too few', (m) => ({ ...m, commitments: m.commitments.slice(1) })],
    ['one commitment too many', (m) => ({ ...m, commitments: [...m.commitments, ...m.commitments.slice(1)] })],
  ] as const satisfies readonly (readonly [string, (m: SignCommit) => SignCommit])[])
    it(`sign pool lies: an offer with ${what} names the lower index, burns nothing and takes nothing out of the stock`, () => {
      const pool = stocked(what)
      malformed(pool, 5, commit(5, change))
      expect(pool.size(5, 3)).to.equal(2)
    })

  for (const [what, change] of [
    ['an offer', (m) => ({ ...m, offer: [new Uint8Array(32), new Uint8Array(32).fill(1)] })],
    ['one OT message of two', (m) => ({ ...m, ots: full.ots.slice(1) })],
    ['three OT messages of two', (m) => ({ ...m, ots: [...full.ots, ...full.ots.slice(1)] })],
  ] as const satisfies readonly (readonly [string, (m: SignCommit) => SignCommit])[])
    it(`sign pool lies: the higher index that begins with ${what} is named, and nothing is burned`, () =>
      malformed(stocked(what), 1, commit(1, change)))

  it('sign pool lies: more in round 2 than a pooled pair has to say names who says it', () => {
    const { ots } = full
    const { voles } = answered
    for (const [victim, extra] of [
      [5, { ots }],
      [5, { voles }],
      [5, { ots, voles }],
      [1, { voles }],
      [1, { ots, voles }],
      [1, { ots: ots.slice(1) }],
    ] as const)
      malformed(
        stocked('round 2'),
        victim,
        vole(victim, (m) => ({ ...m, ...extra })),
      )
  })

  it('sign pool lies: more or less in round 2 than a full pair has to say names who says it', () => {
    for (const change of [
      (m: SignVole) => ({ ...m, voles: [] }),
      (m: SignVole) => ({ ...m, voles: m.voles.slice(1) }),
      (m: SignVole) => ({ ...m, voles: [...m.voles, ...m.voles.slice(1)] }),
      (m: SignVole) => ({ ...m, ots: full.ots }),
    ])
      malformed(new TestPool(), 5, vole(5, change))
  })

  it('sign pool lies: more or less in the late rounds than is owed names who says it', () => {
    const notOffered = () => stockedBut(3, 5, [5])
    const { voles } = saidBy3(notOffered(), 5, SignLate, 5)
    const both = saidBy3(notHeld(3, 5), 5, SignLate, 5)
    expect([voles.length, both.ots.length, both.voles.length]).to.deep.equal([2, 2, 2])
    malformed(
      notOffered(),
      5,
      late(5, (m) => ({ ...m, voles: voles.slice(1) })),
    )
    malformed(
      notOffered(),
      5,
      late(5, (m) => ({ ...m, ots: full.ots })),
    )
    malformed(
      notHeld(3, 5),
      5,
      late(5, (m) => ({ ...m, ots: [] })),
    )
    malformed(
      notHeld(3, 5),
      5,
      late(5, (m) => ({ ...m, ots: m.ots.slice(1) })),
    )
    malformed(
      notHeld(3, 5),
      5,
      late(5, (m) => ({ ...m, voles: m.voles.slice(1) })),
    )
    malformed(
      notHeld(1, 3),
      1,
      late(1, (m) => ({ ...m, voles: m.voles.slice(1) }), 6),
    )
    malformed(
      notHeld(1, 3),
      1,
      late(1, (m) => ({ ...m, ots: full.ots }), 6),
    )
  })

  for (const [round, what, pools, tamper, code] of [
    [2, 'OT', () => stockedBut(3, 5, [3]), vole(5, inList('ots', badOt, 1)), 'OT_CHECK'],
    [5, 'OT', () => notHeld(3, 5), late(5, inList('ots', badOt, 1)), 'OT_CHECK'],
    [5, 'VOLE', () => stockedBut(3, 5, [5]), late(5, inList('voles', badVole, 1)), 'VOLE_CHECK'],
    [5, 'second VOLE', () => notHeld(3, 5), late(5, inList('voles', badVole, 1)), 'VOLE_CHECK'],
    [6, 'VOLE', () => notHeld(1, 3), late(1, inList('voles', badVole, 1), 6), 'VOLE_CHECK'],
  ] as const)
    it(`sign pool lies: an inconsistent ${what} message that comes as late as round ${round} names the cheat and burns (${code})`, () => {
      expectAborts(run(pools(), { tamper }), [round === 6 ? 1 : 5], code, [3])
      expect(burnsPairs(code)).to.equal(true)
    })

  it('sign pool lies: 0 fewer or more openings or partials than items name who sends them', () => {
    for (const count of [<V>(l: readonly V[]) => l.slice(1), <V>(l: readonly V[]) => [...l, ...l.slice(1)]]) {
      malformed(
        stocked('openings'),
        5,
        edit({ number: 3, message: SignOpen }, to(5), (m) => ({ ...m, openings: count(m.openings) })),
      )
      malformed(
        stocked('partials'),
        5,
        edit({ number: 4, message: SignPartial }, to(5), (m) => ({ partials: count(m.partials) })),
      )
    }
  })

  it('sign pool lies: the form is checked before 3.1 and 4.1, so a second cheat of the same round is not found out by a first', () => {
    const spoil = edit(
      { number: 1, message: SignCommit },
      (m) => m.from === 5,
      (m) => ({ ...m, ots: changed(m.ots, (ot) => ({ ...ot, check: flip(ot.check) })) }),
    )
    const cut = commit(1, (m) => ({ ...m, ots: m.ots.slice(1) }))
    expectAborts(run(new TestPool(), { tamper: (m) => (m.from === 5 ? spoil(m) : cut(m)) }), [1], 'SIGN_MALFORMED', [3])
    const bad = edit(
      { number: 2, message: SignVole },
      (m) => m.from === 5,
      (m) => ({ ...m, voles: changed(m.voles, (v) => ({ ...v, maskHash: flip(v.maskHash) })) }),
    )
    const short = vole(1, (m) => ({ ...m, voles: m.voles.slice(1) }))
    expectAborts(run(new TestPool(), { tamper: (m) => (m.from === 5 ? bad(m) : short(m)) }), [1], 'SIGN_MALFORMED', [3])
  })
})
