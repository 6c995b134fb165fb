import { expect } from 'chai'
import fc from 'fast-check'
import { RUNNING_WEIGHT } from './node-loads.ts'
import { type Candidate, chooseQuorum } from './quorum.ts'

interface World {
  readonly threshold: number
  readonly candidates: readonly Candidate[]
  readonly notReady: ReadonlySet<string>
}

const pair = (a: number, b: number) => `${Math.min(a, b)}-${Math.max(a, b)}`

const world: fc.Arbitrary<World> = fc.integer({ min: 2, max: 9 }).chain((n) =>
  fc.record({
    threshold: fc.integer({ min: 2, max: n }),
    candidates: fc
      .subarray(Array.from({ length: n }, (_, i) => i + 1))
      .chain((indices) =>
        fc.tuple(
          ...indices.map((index) =>
            fc.record({ index: fc.constant(index), penalty: fc.nat(3), load: fc.nat(9), roundTripMs: fc.nat(300) }),
          ),
        ),
      ),
    notReady: fc
      .array(fc.tuple(fc.integer({ min: 1, max: n }), fc.integer({ min: 1, max: n })), { maxLength: 8 })
      .map((pairs) => new Set(pairs.map(([a, b]) => pair(a, b)))),
  }),
)

function choose({ threshold, candidates, notReady }: World, failures: (signers: readonly number[]) => number = () => 0) {
  return chooseQuorum({ threshold, candidates, pairReady: (a, b) => !notReady.has(pair(a, b)), failures })
}

const even = (indices: readonly number[]) => indices.map((index) => ({ index, penalty: 0, load: 0, roundTripMs: 0 }))

/** Every set of the right size without a pair that is not ready, by counting bits. */
function possible({ threshold, candidates, notReady }: World): number[][] {
  const sets = Array.from({ length: 1 << candidates.length }, (_, bits) => candidates.filter((_, i) => (bits >> i) & 1).map((c) => c.index))
  return sets.filter((s) => s.length === threshold && s.every((a) => s.every((b) => a === b || !notReady.has(pair(a, b)))))
}

describe('chooseQuorum', () => {
  it('exactly threshold distinct candidates, in order, and no pair that is not ready', () => {
    fc.assert(
      fc.property(world, (w) => {
        const chosen = choose(w)
        if (chosen === undefined) return
        expect(chosen).lengthOf(w.threshold)
        expect([...chosen]).deep.equal([...new Set(chosen)].sort((a, b) => a - b))
        for (const a of chosen) {
          expect(w.candidates.some((c) => c.index === a)).equal(true)
          for (const b of chosen) if (a !== b) expect(w.notReady.has(pair(a, b)), pair(a, b)).equal(false)
        }
      }),
    )
  })

  it('finds a set whenever there is one', () => {
    fc.assert(
      fc.property(world, (w) => {
        expect(choose(w) !== undefined).equal(possible(w).length > 0)
      }),
    )
  })

  it('every possible set has its turn before one is tried again', () => {
    fc.assert(
      fc.property(world, (w) => {
        const tried = new Map<string, number>()
        const total = possible(w).length
        for (let i = 0; i < total; i++) {
          const signers = choose(w, (s) => tried.get(s.join()) ?? 0)?.join() as string
          tried.set(signers, (tried.get(signers) ?? 0) + 1)
        }
        expect(tried.size).equal(total)
      }),
      { numRuns: 30 },
    )
  })

  it('prefers nodes that were not blamed, and then those that are not busy', () => {
    const candidates = even([1, 2, 3, 4, 5]).map((c) => ({ ...c, penalty: c.index === 1 ? 1 : 0, load: c.index === 3 ? 5 : 0 }))
    expect(choose({ threshold: 3, candidates, notReady: new Set() })).deep.equal([2, 4, 5])
    expect(choose({ threshold: 4, candidates, notReady: new Set() })).deep.equal([2, 3, 4, 5])
  })

  it('prefers near nodes as long as they are not busy, and does not care which of them are nearest', () => {
    const away: Readonly<Record<number, number>> = { 1: 90, 2: 2, 3: 6, 4: 1, 5: 100 }
    const far = even([1, 2, 3, 4, 5]).map((c) => ({ ...c, roundTripMs: away[c.index] ?? 0 }))
    const busy = (running: number) => far.map((c) => ({ ...c, load: c.roundTripMs < 10 ? running * RUNNING_WEIGHT : 0 }))
    expect(choose({ threshold: 3, candidates: far, notReady: new Set() })).deep.equal([2, 3, 4])
    expect(choose({ threshold: 3, candidates: busy(1), notReady: new Set() })).deep.equal([2, 3, 4])
    expect(choose({ threshold: 3, candidates: busy(20), notReady: new Set() })).to.include.members([1, 5])
    const turns = far.map((c) => ({ ...c, roundTripMs: c.roundTripMs < 10 ? c.roundTripMs : 3, load: c.index === 2 ? 1 : 0 }))
    expect(choose({ threshold: 4, candidates: turns, notReady: new Set() })).deep.equal([1, 3, 4, 5])
    const blamed = far.map((c) => ({ ...c, penalty: c.index === 2 ? 1 : 0 }))
    expect(choose({ threshold: 3, candidates: blamed, notReady: new Set() })).deep.equal([1, 3, 4])
  })

  it('a blamed node is still chosen when there is no other way', () => {
    const candidates = [...even([2, 3]), { index: 1, penalty: 9, load: 9, roundTripMs: 0 }]
    expect(choose({ threshold: 3, candidates, notReady: new Set() })).deep.equal([1, 2, 3])
    expect(choose({ threshold: 3, candidates, notReady: new Set(['1-3']) })).equal(undefined)
  })
})
