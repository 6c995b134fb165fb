import { seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { mulBase, mulScalars, q, sumScalars } from './arithmetic.ts'
import { evaluate, evaluateInExponent, lagrange, lagrangeAt, type Polynomial, randomPolynomial } from './polynomial.ts'
import { always } from './testing/property.fixture.ts'

const naive = (f: Polynomial, x: bigint) => f.reduce((sum, c, k) => (sum + c * x ** BigInt(k)) % q, 0n)
const coefficients = fc.array(fc.bigInt({ min: 0n, max: q - 1n }), { minLength: 1, maxLength: 9 })
const parties = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 })

describe('polynomial', () => {
  it('polynomial: Horner evaluates what the definition says', () => {
    always(
      fc.property(coefficients, fc.integer({ min: 1, max: 9 }), (f, x) => {
        expect(evaluate(f, x)).to.equal(naive(f, BigInt(x)))
      }),
    )
  })

  it('polynomial: evaluation in the exponent commits to the evaluation', () => {
    always(
      fc.property(coefficients, fc.integer({ min: 1, max: 9 }), (f, x) => {
        expect(evaluateInExponent(f.map(mulBase), x).equals(mulBase(evaluate(f, x)))).to.equal(true)
      }),
      { numRuns: 10 },
    )
  })

  it('polynomial: Lagrange coefficients interpolate at zero from any set of enough parties, in any order', () => {
    always(
      fc.property(coefficients, parties, (f, set) => {
        const at0 = sumScalars(set.map((i) => mulScalars(lagrange(i, set), evaluate(f, i))))
        if (set.length >= f.length) expect(at0).to.equal(f[0])
        expect(lagrange(set[0] as number, [...set].reverse())).to.equal(lagrange(set[0] as number, set))
      }),
    )
  })

  it('polynomial: Lagrange coefficients at any point extend a polynomial from enough nodes, 0 among them', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 10 })
    always(
      fc.property(coefficients, nodes, fc.integer({ min: 0, max: 9 }), (f, set, x) => {
        const at = sumScalars(set.map((i) => mulScalars(lagrangeAt(x, i, set), naive(f, BigInt(i)))))
        if (set.length >= f.length) expect(at).to.equal(naive(f, BigInt(x)))
      }),
    )
  })

  it('polynomial: a random polynomial has exactly threshold coefficients, none of them zero', () => {
    const f = randomPolynomial(5, seededRandom(utf8('f')))
    expect(f).to.have.length(5)
    expect(f.every((c) => c > 0n && c < q)).to.equal(true)
    expect(randomPolynomial(5, seededRandom(utf8('f')))).to.deep.equal(f)
  })
})
