import { seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { isZero, mulScalars, sumScalars } from './arithmetic.ts'
import { equalPoints, mulBase } from './points.ts'
import { evaluate, evaluateInExponent, lagrange, lagrangeAt, randomPolynomial } from './polynomial.ts'
import { always } from './testing/property.fixture.ts'
import { q, scalar } from './testing/scalars.fixture.ts'

const naive = (f: readonly bigint[], x: number) => scalar(f.reduce((sum, c, k) => sum + c * BigInt(x) ** BigInt(k), 0n))
const coefficients = fc.array(fc.bigInt({ min: 0n, max: q - 1n }), { minLength: 1, maxLength: 9 })
const parties = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 })

describe('polynomial', () => {
  it('lagrange: a coefficient is the same each time, whatever was done to the one before', () => {
    const first = lagrangeAt(0, 2, [2, 5, 7])
    const before = Uint8Array.from(first)
    first.fill(0)
    expect(lagrangeAt(0, 2, [2, 5, 7])).to.deep.equal(before)
    for (const other of [lagrangeAt(1, 2, [2, 5, 7]), lagrangeAt(0, 5, [2, 5, 7]), lagrangeAt(0, 2, [2, 57])])
      expect(other).not.to.deep.equal(before)
  })

  it('polynomial: Horner evaluates what the definition says, and leaves the coefficients alone', () => {
    always(
      fc.property(coefficients, fc.integer({ min: 1, max: 9 }), (f, x) => {
        const g = f.map(scalar)
        expect(evaluate(g, x)).to.deep.equal(naive(f, x))
        expect(g).to.deep.equal(f.map(scalar))
      }),
    )
    expect(isZero(evaluate([], 3))).to.equal(true)
  })

  it('polynomial: evaluation in the exponent commits to the evaluation', () => {
    always(
      fc.property(coefficients, fc.integer({ min: 1, max: 9 }), (f, x) => {
        const g = f.map(scalar)
        const commitments = g.map((c) => mulBase(c))
        expect(equalPoints(evaluateInExponent(commitments, x), mulBase(evaluate(g, x)))).to.equal(true)
      }),
      { numRuns: 10 },
    )
  })

  it('polynomial: Lagrange coefficients interpolate at zero from any set of enough parties, in any order', () => {
    always(
      fc.property(coefficients, parties, (f, set) => {
        const at0 = sumScalars(set.map((i) => mulScalars(lagrange(i, set), naive(f, i))))
        if (set.length >= f.length) expect(at0).to.deep.equal(scalar(f[0] as bigint))
        expect(lagrange(set[0] as number, [...set].reverse())).to.deep.equal(lagrange(set[0] as number, set))
      }),
    )
  })

  it('polynomial: Lagrange coefficients at any point extend a polynomial from enough nodes, 0 among them', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 10 })
    always(
      fc.property(coefficients, nodes, fc.integer({ min: 0, max: 9 }), (f, set, x) => {
        const at = sumScalars(set.map((i) => mulScalars(lagrangeAt(x, i, set), naive(f, i))))
        if (set.length >= f.length) expect(at).to.deep.equal(naive(f, x))
      }),
    )
  })

  it('polynomial: a random polynomial has exactly threshold coefficients, none of them zero', () => {
    const f = randomPolynomial(5, seededRandom(utf8('f')))
    expect(f).to.have.length(5)
    expect(f.some(isZero)).to.equal(false)
    expect(randomPolynomial(5, seededRandom(utf8('f')))).to.deep.equal(f)
  })
})
